import type { Ailment } from '../../engine/health.js'
import { type Condition, describe, failing } from '../../kubernetes/conditions.js'
import type { Manifest } from '../../kubernetes/manifest.js'

/**
 * A NodePool or EC2NodeClass that says of itself that it does not work. Beside `Ready` that is NodeRegistrationHealthy of a
 * NodePool, which is no part of it: its last nodes did not come up (karpenter pkg/state/nodepoolhealth, from 1.4 on).
 */
export function notReady(
  object: Manifest,
  fix: (conditions: readonly Condition[]) => string
): readonly Ailment[] {
  if (object.metadata.deletionTimestamp !== undefined) return []
  const wrong = failing(object)
  const ready = wrong.find(({ type }) => type === 'Ready')
  const causes =
    ready === undefined
      ? wrong.filter(({ type }) => type === 'NodeRegistrationHealthy')
      : wrong.filter(({ type }) => type !== 'Ready' || wrong.length === 1)
  const [first] = causes
  if (first === undefined) return []
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
