import type { Node, Taint } from 'kubernetes-types/core/v1.js'
import { conditionOf } from './conditions.js'

/** What is looked at of a node. The most of a node of EKS are names of images: 5,000 whole ones take 100 MB. */
export interface NodeFacts {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly taints: readonly Taint[]
  readonly cordoned: boolean
  readonly ready: boolean
  /** i-...; undefined where no EC2 instance stands behind it, as on Fargate. */
  readonly instanceId?: string
  /** Quantities; undefined until its kubelet has said them. */
  readonly cpu: string | undefined
  readonly memory: string | undefined
  /** How many it takes. */
  readonly pods: string | undefined
}

export function nodeFacts(node: Node): NodeFacts {
  const { metadata = {}, spec = {}, status = {} } = node
  const instanceId = /\/(i-[0-9a-f]+)$/.exec(spec.providerID ?? '')?.[1]
  return {
    name: metadata.name ?? '',
    labels: metadata.labels ?? {},
    taints: spec.taints ?? [],
    cordoned: spec.unschedulable === true,
    ready: conditionOf(node, 'Ready')?.status === 'True',
    ...(instanceId !== undefined && { instanceId }),
    cpu: status.allocatable?.['cpu'],
    memory: status.allocatable?.['memory'],
    pods: status.allocatable?.['pods']
  }
}
