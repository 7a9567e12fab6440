import { UserError } from '../engine/errors.js'
import { conditionsOf, describe } from '../kubernetes/conditions.js'
import type { Kubernetes } from '../kubernetes/client.js'
import { deployments, nodePools } from '../kubernetes/kinds.js'
import { field, textField, type Manifest } from '../kubernetes/manifest.js'
import { decided, type Followed, type View } from '../kubernetes/view.js'
import type { Node } from 'kubernetes-types/core/v1.js'
import { addedNodes } from './counts.js'
import { objectNames } from './objects.js'
import type { Step } from '../engine/resource.js'
import type { InstanceStates } from './instance-states.js'
import type { SmokeTestResult } from './result.js'

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
}

/** Milliseconds that Karpenter's own consolidation gets before the NodePool is deleted under it. */
const consolidationPatience = 120_000
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
  try {
    const consolidated = await awaitNodesGone(view, test, step, started, consolidationPatience)
    if (!consolidated) {
      how = 'by deleting the NodePool'
      step.note(
        `${test.subject}: not consolidated within ${consolidationPatience / 1000} s; deleting its NodePool`
      )
    }
    await kubernetes.delete(nodePools, { name: names.nodePool })
    await awaitNodesGone(view, test, step, started, undefined)
    await awaitInstancesGone(test, step, started)
  } finally {
    step.waiting(undefined)
  }
  return {
    scaledDownAt: started,
    scaleDownSeconds: Math.round((step.now() - started) / 1000),
    scaleDown: how
  }
}

/** False when nothing began to go within the patience. */
async function awaitNodesGone(
  view: View,
  test: ScaleDown,
  step: Step,
  started: number,
  patience: number | undefined
): Promise<boolean> {
  return view.until(() => {
    const claims = test.claims.objects
    const nodes = addedNodes(test.nodes.objects, test.before, test.id)
    if (claims.length === 0 && nodes.length === 0) return decided(true)
    const waited = step.now() - started
    const going = claims.filter((claim) => claim.metadata.deletionTimestamp !== undefined)
    if (patience !== undefined && waited >= patience && going.length === 0) return decided(false)
    if (waited >= test.timeoutSeconds * 1000) throw stuck(test.subject, claims, nodes, waited)
    step.waiting(
      `scale-down: ${claims.length} NodeClaims (${going.length} ending) and ${nodes.length} nodes are left`
    )
    return undefined
  })
}

/** EC2 tells nothing by itself: asked every second, then every two, up to every five. */
async function awaitInstancesGone(test: ScaleDown, step: Step, started: number): Promise<void> {
  const ids = test.instanceIds()
  for (let pause = 1_000; ids.length > 0; pause = Math.min(pause + 1_000, 5_000)) {
    const states = await test.instanceStates(ids)
    const left = ids.filter((id) => {
      const state = states.get(id)
      return state !== undefined && !gone.has(state)
    })
    if (left.length === 0) return
    if (step.now() - started >= test.timeoutSeconds * 1000) {
      throw new UserError(
        test.subject,
        `its nodes are gone from the cluster, EC2 still has ${left.map((id) => `${id} (${states.get(id) ?? ''})`).join(', ')}`,
        `End them yourself: aws ec2 terminate-instances --instance-ids ${left.join(' ')}`
      )
    }
    step.waiting(`scale-down: EC2 instances ${left.join(', ')} to end`)
    await step.pause(pause)
  }
}

function stuck(
  subject: string,
  claims: readonly Manifest[],
  nodes: readonly Node[],
  waited: number
): UserError {
  const first = claims[0]
  const seconds = Math.round(waited / 1000)
  const left = `${claims.length} NodeClaims and ${nodes.length} nodes of it were left ${seconds} s after scaling to zero`
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
  const blocking = conditionsOf(first)
    .filter((one) => one.status !== 'True')
    .map(describe)
  const node = textField(first, 'status', 'nodeName') ?? 'without a node'
  return new UserError(
    subject,
    `${left}: NodeClaim ${first.metadata.name} (${node}): ${blocking.join('; ') || 'no condition says why'}`,
    'Its NodePool is deleted and Karpenter goes on draining: kubectl get nodeclaims, and kubectl describe nodeclaim for what holds one.'
  )
}
