import type { Ailment } from '../../engine/health.js'
import { type Condition, conditionOf, conditionsOf, describe, failing } from '../../kubernetes/conditions.js'
import { type Manifest, textField } from '../../kubernetes/manifest.js'

/**
 * A NodePool or EC2NodeClass that says of itself that it does not work. Beside `Ready` that is NodeRegistrationHealthy of a
 * NodePool, which is no part of it: its last nodes did not come up (karpenter pkg/state/nodepoolhealth, from 1.4 on).
 */
export function notReady(
  object: Manifest,
  fix: (conditions: readonly Condition[]) => string,
  now: number
): readonly Ailment[] {
  if (object.metadata.deletionTimestamp !== undefined) return []
  const wrong = failing(object)
  const ready = wrong.find(({ type }) => type === 'Ready')
  const causes =
    ready === undefined
      ? wrong.filter(({ type }) => type === 'NodeRegistrationHealthy')
      : wrong.filter(({ type }) => type !== 'Ready' || wrong.length === 1)
  const [first] = causes
  if (first === undefined) return undecided(object, fix, now)
  const since = (ready ?? first).lastTransitionTime
  const when = since === '' ? '' : ` since ${since}`
  const problem = ready === undefined ? 'gets no nodes that work' : 'is not Ready'
  return [
    {
      path: `status.conditions[${(ready ?? first).type}]`,
      wanted: 'True',
      live: 'False',
      reason: `${object.kind} ${object.metadata.name} ${problem}${when}: ${causes.map(describe).join('; ')}`,
      severity: 'breaks scaling',
      install: 'wait for it, and fail with the same reason',
      fix: fix(wrong)
    }
  ]
}

/** Milliseconds that a controller may take to say of an object whether it is Ready: one that works says it within seconds. */
const patience = 600_000

/** One of which the controller cannot say what it is: the call fails by which it would know, and only its log tells why. */
function undecided(
  object: Manifest,
  fix: (conditions: readonly Condition[]) => string,
  now: number
): readonly Ailment[] {
  const ready = conditionOf(object, 'Ready')
  if (ready !== undefined && ready.status !== 'Unknown') return []
  const since = ready?.lastTransitionTime || (textField(object, 'metadata', 'creationTimestamp') ?? '')
  // Of an object without a time nothing is known.
  if (!(now - Date.parse(since) > patience)) return []
  const open = conditionsOf(object).filter(({ status }) => status === 'Unknown')
  const causes = open.filter(({ type }) => type !== 'Ready' || open.length === 1)
  const said = causes.length === 0 ? '' : `: ${causes.map(describe).join('; ')}`
  return [
    {
      path: 'status.conditions[Ready]',
      wanted: 'True',
      live: ready?.status,
      reason: `${object.kind} ${object.metadata.name} is not Ready: Karpenter has not made up its mind about it since ${since}${said}`,
      severity: 'breaks scaling',
      install: 'wait for it, and fail with the same reason',
      fix: `See the controller's log for what it cannot do: kubectl logs -l app.kubernetes.io/name=karpenter -A. ${causes.length === 0 ? '' : fix(causes)}`.trim()
    }
  ]
}
