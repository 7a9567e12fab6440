import type { Pod, ResourceRequirements } from 'kubernetes-types/core/v1.js'
import { quantity } from '../../engine/quantity.js'
import type { Kubernetes } from '../../kubernetes/client.js'
import { KubernetesError } from '../../kubernetes/errors.js'
import { pods as podKind } from '../../kubernetes/kinds.js'
import type { NodeFacts } from '../../kubernetes/node-facts.js'
import type { ControllerPods } from './controller-pods.js'
import type { Read } from '../reads/denied-read.js'

/** What a pod on a node takes of it. */
export interface PodOnNode {
  /** Cores. */
  readonly cpu: number
  /** Bytes. */
  readonly memory: number
  readonly priority: number
  /** Of the controller itself: it makes way for its successor. */
  readonly isController: boolean
}

/** `enough`: as things are; `by eviction`: once pods of a lower priority are gone, which the scheduler sees to. */
export type Room = 'enough' | 'by eviction' | 'none'

/** Pods of one node that still run, by one list. */
export function podsOn(
  kubernetes: Kubernetes,
  controller: { readonly namespace: string; readonly releaseName: string }
): (node: string) => Promise<Read<PodOnNode>> {
  const of = (pod: Pod): PodOnNode => {
    const { namespace, labels = {} } = pod.metadata ?? {}
    return {
      cpu: requestOf(pod, 'cpu'),
      memory: requestOf(pod, 'memory'),
      priority: pod.spec?.priority ?? 0,
      isController:
        namespace === controller.namespace &&
        labels['app.kubernetes.io/name'] === 'karpenter' &&
        labels['app.kubernetes.io/instance'] === controller.releaseName
    }
  }
  return async (node) => {
    const fieldSelector = `spec.nodeName=${node},status.phase!=Succeeded,status.phase!=Failed`
    return unlessForbidden(async () => (await kubernetes.pick(podKind, of, { fieldSelector })).items)
  }
}

/** Names of the nodes on which the controller's pods run, by one list; each as often as pods run there. */
export function controllerNodes(
  kubernetes: Kubernetes,
  { namespace, releaseName }: { readonly namespace: string; readonly releaseName: string }
): () => Promise<Read<string>> {
  const labelSelector = `app.kubernetes.io/name=karpenter,app.kubernetes.io/instance=${releaseName}`
  return async () =>
    unlessForbidden(async () => {
      const nodeOf = (pod: Pod): string => pod.spec?.nodeName ?? ''
      return (await kubernetes.pick(podKind, nodeOf, { namespace, labelSelector })).items
    })
}

async function unlessForbidden<T>(read: () => Promise<readonly T[]>): Promise<Read<T>> {
  try {
    return { state: 'read', items: await read() }
  } catch (error) {
    if (!(error instanceof KubernetesError) || error.permission === undefined) throw error
    return { state: 'denied', action: error.permission }
  }
}

/**
 * Source: Kubernetes, effective requests: init containers run before the others, one after another; those that restart
 * always run beside them. Requests of the pod as a whole (1.34) take the place of all.
 */
function requestOf({ spec }: Pod, resource: 'cpu' | 'memory'): number {
  const { containers = [], initContainers = [], overhead } = spec ?? {}
  const of = (one: { readonly resources?: ResourceRequirements } | undefined): number =>
    quantity(one?.resources?.requests?.[resource] ?? '0') ?? 0
  const beside = initContainers.filter((one) => one.restartPolicy === 'Always')
  const before = initContainers.filter((one) => one.restartPolicy !== 'Always')
  const sum = [...containers, ...beside].reduce((total, one) => total + of(one), 0)
  return Math.max(sum, ...before.map(of)) + (quantity(overhead?.[resource] ?? '0') ?? 0)
}

/** Whether one pod of the controller finds room on a node beside the pods that are there. */
export function roomOn(node: NodeFacts, taken: readonly PodOnNode[], pods: ControllerPods): Room {
  const others = taken.filter(({ isController }) => !isController)
  if (fits(node, others, pods)) return 'enough'
  const lasting = others.filter(({ priority }) => priority >= (pods.priority ?? 0))
  return fits(node, lasting, pods) ? 'by eviction' : 'none'
}

function fits(node: NodeFacts, beside: readonly PodOnNode[], pods: ControllerPods): boolean {
  const left = (has: string | undefined, of: (pod: PodOnNode) => number): number =>
    (has === undefined ? Infinity : (quantity(has) ?? Infinity)) -
    beside.reduce((total, pod) => total + of(pod), 0)
  // Sums of thousandths, as JavaScript adds them, may be a hair too much.
  const enough = (room: number, need: number): boolean => room >= need - 1e-9
  return (
    enough(
      left(node.cpu, ({ cpu }) => cpu),
      pods.cpu
    ) &&
    enough(
      left(node.memory, ({ memory }) => memory),
      pods.memory
    ) &&
    enough(
      left(node.pods, () => 1),
      1
    )
  )
}
