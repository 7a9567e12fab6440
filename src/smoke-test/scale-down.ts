import { noticingPause } from '../aws/poll.js'
import { UserError } from '../engine/errors.js'
import { conditionOf, conditionsOf, describe } from '../kubernetes/conditions.js'
import type { Kubernetes } from '../kubernetes/client.js'
import { deployments, nodePools } from '../kubernetes/kinds.js'
import { field, textField, type Manifest } from '../kubernetes/manifest.js'
import { type Blocker, blockersText } from '../resources/removal/drain-blockers.js'
import { DrainWatch } from '../resources/removal/drain-watch.js'
import type { RemovalView, Watched } from '../resources/removal/removal-view.js'
import { decided, type Followed, type View } from '../kubernetes/view.js'
import type { Node } from 'kubernetes-types/core/v1.js'
import { addedNodes } from './counts.js'
import { objectNames } from './objects.js'
import type { Step } from '../engine/resource.js'
import type { InstanceStates } from './instance-states.js'
import type { SmokeTestResult } from './result.js'
import type { Turns } from './took.js'

export interface ScaleDown {
  /** `smoke test of NodePool default`: what errors begin with. */
  readonly subject: string
  /** Of the test: `testId(run, index)`. */
  readonly id: string
  readonly namespace: string
  readonly timeoutSeconds: number
  readonly before: ReadonlySet<string>
  readonly nodes: Followed<Node>
  readonly claims: Followed<Manifest>
  /** i-..., of every NodeClaim that the test ever had. */
  readonly instanceIds: () => readonly string[]
  readonly instanceStates: InstanceStates
  readonly drains: RemovalView
  readonly turns: Turns
}

/** Milliseconds that Karpenter's own consolidation gets before the NodePool is deleted under it. */
const consolidationPatience = 120_000
/** Milliseconds after which a drain that is not done is looked into. */
const quick = 5_000
/** Milliseconds that the same pods may block a drain. */
const blockedPatience = 180_000
const gone = new Set(['terminated', 'shutting-down'])

/** Scales to zero and waits until Karpenter has given every node back: NodeClaims, Nodes and EC2 instances gone. */
export async function scaleDown(
  kubernetes: Kubernetes,
  view: View,
  test: ScaleDown,
  step: Step
): Promise<Pick<SmokeTestResult, 'scaleDownSeconds' | 'scaleDown' | 'scaledDownAt'>> {
  const names = objectNames(test.id)
  const started = step.now()
  await kubernetes.delete(deployments, { name: names.deployment, namespace: test.namespace })
  let how: SmokeTestResult['scaleDown'] = 'consolidated'
  await test.drains.use(step, async (watched) => {
    const drain = new Drain(watched, step, started)
    const wait = { view, test, step, started, drain }
    try {
      const consolidated = await awaitNodesGone(wait, consolidationPatience)
      if (!consolidated) {
        how = 'by deleting the NodePool'
        step.note(
          `${test.subject}: not consolidated within ${consolidationPatience / 1000} s; deleting its NodePool`
        )
      }
      await kubernetes.delete(nodePools, { name: names.nodePool })
      await awaitNodesGone(wait, undefined)
      await awaitInstancesGone(test, step, started)
    } finally {
      step.waiting(undefined)
      drain.close()
    }
  })
  return {
    scaledDownAt: started,
    scaleDownSeconds: Math.round((step.now() - started) / 1000),
    scaleDown: how
  }
}

interface Wait {
  readonly view: View
  readonly test: ScaleDown
  readonly step: Step
  readonly started: number
  readonly drain: Drain
}

/** False when nothing began to go within the patience. */
async function awaitNodesGone(
  { view, test, step, started, drain }: Wait,
  patience: number | undefined
): Promise<boolean> {
  return view.until(() => {
    const claims = test.claims.objects
    test.turns.to(claims.every(waitsForEc2) ? 'ec2' : 'karpenter')
    const nodes = addedNodes(test.nodes.objects, test.before, test.id)
    if (claims.length === 0 && nodes.length === 0) return decided(true)
    const waited = step.now() - started
    const going = claims.filter((claim) => claim.metadata.deletionTimestamp !== undefined)
    if (patience !== undefined && waited >= patience && going.length === 0) return decided(false)
    const blockers = drain.blockers(claims, going.length > 0)
    if (waited >= test.timeoutSeconds * 1000 || drain.isStuck(blockers))
      throw stuck(test.subject, { claims, nodes, blockers, waited })
    const first = going[0] ?? claims[0]
    const why = blockers.length > 0 ? blockersText(blockers, 3) : first === undefined ? '' : saidOf(first)
    step.waiting(
      `scale-down: ${claims.length} NodeClaims (${going.length} ending) and ${nodes.length} nodes are left${why === '' ? '' : `: ${why}`}`
    )
    return undefined
  })
}

/** Karpenter has drained its node and asked EC2 to end it. */
function waitsForEc2(claim: Manifest): boolean {
  return conditionOf(claim, 'InstanceTerminating')?.status === 'True'
}

/** What keeps pods on the nodes that end. What may not be read, or is not known yet, is nothing. */
class Drain {
  readonly #watch: DrainWatch
  readonly #step: Step
  #looking = false
  #goingSince: number | undefined
  #same: { readonly key: string; readonly since: number } | undefined

  constructor(watched: Watched, step: Step, started: number) {
    this.#watch = new DrainWatch(watched, started)
    this.#step = step
  }

  blockers(claims: readonly Manifest[], isGoing: boolean): readonly Blocker[] {
    if (isGoing) this.#goingSince ??= this.#step.now()
    if (!this.#looking && this.#step.now() - (this.#goingSince ?? Infinity) >= quick) {
      this.#looking = true
      const done = (): void => void (this.#looking = false)
      this.#watch.look(claims).then(done, done)
    }
    const blockers = this.#watch.blockers(this.#step.now()).filter(({ kind }) => kind !== 'no capacity')
    const key = blockers.map(({ pod, kind }) => `${kind} ${pod}`).join()
    if (key !== this.#same?.key) this.#same = { key, since: this.#step.now() }
    return blockers
  }

  /** Budgets and do-not-disrupt are honoured without limit: what has not moved for minutes does not move by itself. */
  isStuck(blockers: readonly Blocker[]): boolean {
    return (
      blockers.some(({ kind }) => kind === 'budget' || kind === 'do-not-disrupt') &&
      this.#step.now() - (this.#same?.since ?? Infinity) >= blockedPatience
    )
  }

  close(): void {
    this.#watch.close()
  }
}

/** What its conditions say of why it is still there. */
function saidOf(claim: Manifest): string {
  return conditionsOf(claim)
    .filter((one) => one.status !== 'True')
    .map(describe)
    .join('; ')
}

/** EC2 tells nothing by itself, and is asked. */
async function awaitInstancesGone(test: ScaleDown, step: Step, started: number): Promise<void> {
  const ids = test.instanceIds()
  const since = step.now()
  let pause = 0
  test.turns.to('ec2')
  while (ids.length > 0) {
    const states = await test.instanceStates(ids)
    const left = ids.filter((id) => {
      const state = states.get(id)
      return state !== undefined && !gone.has(state)
    })
    if (left.length === 0) break
    if (step.now() - started >= test.timeoutSeconds * 1000) {
      throw new UserError(
        test.subject,
        `its nodes are gone from the cluster, EC2 still has ${left.map((id) => `${id} (${states.get(id) ?? ''})`).join(', ')}`,
        `End them yourself: aws ec2 terminate-instances --instance-ids ${left.join(' ')}`
      )
    }
    step.waiting(
      `scale-down: EC2 instances ${left.map((id) => `${id} (${states.get(id) ?? ''})`).join(', ')} to end`
    )
    pause = noticingPause(step.now() - since)
    await step.pause(pause)
  }
  test.turns.late(pause)
}

function stuck(
  subject: string,
  {
    claims,
    nodes,
    blockers,
    waited
  }: {
    readonly claims: readonly Manifest[]
    readonly nodes: readonly Node[]
    readonly blockers: readonly Blocker[]
    readonly waited: number
  }
): UserError {
  const first = claims[0]
  const seconds = Math.round(waited / 1000)
  const left = `${claims.length} NodeClaims and ${nodes.length} nodes of it were left ${seconds} s after scaling to zero`
  const [blocker] = blockers
  if (blocker !== undefined) {
    return new UserError(
      subject,
      `${left}: ${blockersText(blockers, 5)}`,
      `To let them go, ${[...new Set(blockers.map(({ fix }) => fix))].slice(0, 3).join('; or ')}. Their NodePool is deleted or will be by the next run, and Karpenter goes on draining.`
    )
  }
  if (first === undefined) {
    const node = nodes[0]?.metadata
    const held = Array.isArray(field(node, 'finalizers'))
      ? ` (finalizers ${(node?.finalizers ?? []).join(', ')})`
      : ''
    return new UserError(
      subject,
      `${left}: node ${node?.name ?? ''}${held}`,
      'kubectl describe node shows what holds it.'
    )
  }
  const node = textField(first, 'status', 'nodeName') ?? 'without a node'
  return new UserError(
    subject,
    `${left}: NodeClaim ${first.metadata.name} (${node}): ${saidOf(first) || 'no condition says why'}`,
    'Its NodePool is deleted and Karpenter goes on draining: kubectl get nodeclaims, and kubectl describe nodeclaim for what holds one.'
  )
}
