import { byText } from '../engine/order.js'
import type { Node, Pod } from 'kubernetes-types/core/v1.js'
import type { Kubernetes } from '../kubernetes/client.js'
import { conditionOf } from '../kubernetes/conditions.js'
import { nodes } from '../kubernetes/kinds.js'
import { textField, type Manifest } from '../kubernetes/manifest.js'
import { smokeTestLabel } from './objects.js'
import type { SmokeTestNode, StageSeconds } from './result.js'

/** Nodes that the run's NodePool made: they carry its label and were not there before. */
export function addedNodes(all: readonly Node[], before: ReadonlySet<string>, id: string): readonly Node[] {
  return all.filter(
    (node) => node.metadata?.labels?.[smokeTestLabel] === id && !before.has(node.metadata.uid ?? '')
  )
}

/** The nodes of a cluster before a run's first smoke test. */
export interface NodesBefore {
  /** Of all of them. */
  readonly uids: ReadonlySet<string>
  /** How many they are but for those of smoke tests, which an earlier run may have left. */
  readonly count: number
}

export async function nodesBefore(kubernetes: Kubernetes): Promise<NodesBefore> {
  const { items } = await kubernetes.pick(
    nodes,
    (node) => ({ uid: node.metadata?.uid ?? '', counts: isOther(node) }),
    { metadataOnly: true }
  )
  return {
    uids: new Set(items.map(({ uid }) => uid)),
    count: items.filter(({ counts }) => counts).length
  }
}

/** How many nodes the cluster has but for those of smoke tests, this one's and the others that go on beside it. */
export async function otherNodes(kubernetes: Kubernetes): Promise<number> {
  return (await kubernetes.pick(nodes, isOther, { metadataOnly: true })).items.filter((other) => other).length
}

function isOther(node: Node): boolean {
  return node.metadata?.labels?.[smokeTestLabel] === undefined
}

/** Ids of EC2 instances of nodes that Karpenter did not make, at most 100 of them. */
export async function otherInstances(kubernetes: Kubernetes): Promise<readonly string[]> {
  const { items } = await kubernetes.pick(nodes, (node) =>
    'karpenter.sh/nodepool' in (node.metadata?.labels ?? {}) ? '' : instanceIdOf(node, 'spec', 'providerID')
  )
  return items.filter((id) => id !== '').slice(0, 100)
}

export function isRunning(pod: Pod): boolean {
  return (
    pod.metadata?.deletionTimestamp === undefined &&
    pod.status?.phase === 'Running' &&
    conditionOf(pod, 'Ready')?.status === 'True'
  )
}

/** Milliseconds since the epoch at which its containers were ready. */
export function runningSince(pod: Pod): number | undefined {
  return timeOf(conditionOf(pod, 'Ready')?.lastTransitionTime)
}

/** `aws:///us-west-2a/i-0abc` -> i-0abc; empty when there is none. */
export function instanceIdOf(object: unknown, ...path: readonly string[]): string {
  return /\/(i-[0-9a-f]+)$/.exec(textField(object, ...path) ?? '')?.[1] ?? ''
}

/** The nodes with what their NodeClaims say of how they came to be, by name. */
export function describeNodes(
  added: readonly Node[],
  claims: readonly Manifest[],
  pods: readonly Pod[]
): readonly SmokeTestNode[] {
  return added
    .map((node) => {
      const labels = node.metadata?.labels ?? {}
      const name = node.metadata?.name ?? ''
      const claim = claims.find((one) => textField(one, 'status', 'nodeName') === name)
      return {
        name,
        uid: node.metadata?.uid ?? '',
        instanceId: instanceIdOf(node, 'spec', 'providerID'),
        instanceType: labels['node.kubernetes.io/instance-type'] ?? '',
        zone: labels['topology.kubernetes.io/zone'] ?? '',
        capacityType: labels['karpenter.sh/capacity-type'] ?? '',
        seconds: stagesOf(claim, timeOf(claim?.metadata.creationTimestamp)),
        pods: pods.filter((pod) => isRunning(pod) && pod.spec?.nodeName === name).length
      }
    })
    .sort(byText(({ name }) => name))
}

/** Seconds from a moment until a NodeClaim's conditions turned True. */
function stagesOf(claim: Manifest | undefined, since: number | undefined): StageSeconds {
  const seconds = (type: string): number | undefined => {
    const condition = conditionOf(claim, type)
    const at = condition?.status === 'True' ? timeOf(condition.lastTransitionTime) : undefined
    return at === undefined || since === undefined ? undefined : Math.max(0, Math.round((at - since) / 1000))
  }
  return {
    launched: seconds('Launched'),
    registered: seconds('Registered'),
    initialized: seconds('Initialized')
  }
}

/** The last of each stage over all NodeClaims. */
export function lastStages(claims: readonly Manifest[], since: number): StageSeconds {
  const all = claims.map((claim) => stagesOf(claim, since))
  const last = (stage: keyof StageSeconds): number | undefined => {
    const known = all.map((one) => one[stage]).filter((one) => one !== undefined)
    return known.length === 0 ? undefined : Math.max(...known)
  }
  return { launched: last('launched'), registered: last('registered'), initialized: last('initialized') }
}

export function timeOf(text: string | undefined): number | undefined {
  const time = Date.parse(text ?? '')
  return Number.isNaN(time) ? undefined : time
}
