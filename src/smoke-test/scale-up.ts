import type { Node, Pod } from 'kubernetes-types/core/v1.js'
import { conditionOf } from '../kubernetes/conditions.js'
import { textField, type Manifest } from '../kubernetes/manifest.js'
import { decided, type Followed, type View } from '../kubernetes/view.js'
import { addedNodes, isRunning } from './counts.js'
import { telling } from './events.js'
import { explain } from './explain.js'
import type { KarpenterEvent } from './result.js'
import type { SmokeTestStep } from './run.js'

export interface ScaleUp {
  /** `smoke test of NodePool default`: what errors begin with. */
  readonly subject: string
  readonly id: string
  readonly replicas: number
  readonly timeoutSeconds: number
  readonly controllerNamespace: string
  /** UIDs of the nodes that were there before. */
  readonly before: ReadonlySet<string>
  readonly pods: Followed<Pod>
  readonly nodes: Followed<Node>
  readonly claims: Followed<Manifest>
  readonly pools: Followed<Manifest>
  /** NodeClaims as last seen, by UID. */
  readonly seen: ReadonlyMap<string, Manifest>
  readonly events: () => readonly KarpenterEvent[]
}

/** What image pull or start errors may take to pass, in milliseconds. */
const podPatience = 60_000

/** Waits until every pod runs on a node of the test, and every such node is initialized. Throws what held it up. */
export async function awaitScaleUp(view: View, test: ScaleUp, step: SmokeTestStep): Promise<void> {
  const started = step.now()
  let podTroubleSince: number | undefined
  const failure = () =>
    explain({
      subject: test.subject,
      seconds: Math.round((step.now() - started) / 1000),
      replicas: test.replicas,
      nodePool: test.pools.objects[0],
      pods: test.pods.objects,
      claims: test.claims.objects.length > 0 ? test.claims.objects : [...test.seen.values()],
      events: test.events(),
      controllerNamespace: test.controllerNamespace
    })
  try {
    await view.until(() => {
      const added = addedNodes(test.nodes.objects, test.before, test.id)
      const names = new Set(added.map((node) => node.metadata?.name))
      const running = test.pods.objects.filter((pod) => isRunning(pod) && names.has(pod.spec?.nodeName))
      const ready = test.claims.objects.filter((claim) => is(claim, 'Initialized'))
      if (running.length >= test.replicas && ready.length === test.claims.objects.length)
        return decided(undefined)
      if (step.now() - started >= test.timeoutSeconds * 1000) throw failure()
      podTroubleSince = test.pods.objects.some(cannotStart) ? (podTroubleSince ?? step.now()) : undefined
      if (podTroubleSince !== undefined && step.now() - podTroubleSince >= podPatience) throw failure()
      step.waiting(progress(test, running.length))
      return undefined
    })
  } finally {
    step.waiting(undefined)
  }
}

function is(claim: Manifest, type: string): boolean {
  return conditionOf(claim, type)?.status === 'True'
}

function cannotStart(pod: Pod): boolean {
  return (pod.status?.containerStatuses ?? []).some((one) =>
    /^(ErrImage|ImagePull|InvalidImageName|CrashLoop|Create.*Error)/.test(one.state?.waiting?.reason ?? '')
  )
}

/** `2 of 5 pods run; 2 NodeClaims: 2 launched, 1 registered, 0 initialized`. */
function progress(test: ScaleUp, running: number): string {
  const claims = test.claims.objects
  const count = (type: string): number => claims.filter((claim) => is(claim, type)).length
  const nodes =
    claims.length === 0
      ? 'no NodeClaim yet'
      : `${claims.length} NodeClaims: ${count('Launched')} launched, ${count('Registered')} registered, ${count('Initialized')} initialized`
  const last = telling(test.events()).at(-1)
  const said =
    running === 0 && claims.length === 0 && last !== undefined ? ` (${last.reason}: ${last.message})` : ''
  const held = claims
    .map((claim) => textField(conditionOf(claim, 'Launched'), 'message'))
    .find((text) => text !== undefined && text !== '')
  return `${running} of ${test.replicas} pods run; ${nodes}${said}${held === undefined || count('Launched') > 0 ? '' : `: ${held}`}`
}
