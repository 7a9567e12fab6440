import type { Pod } from 'kubernetes-types/core/v1.js'
import type { Kubernetes } from '../../kubernetes/client.js'
import { Grouped } from '../../kubernetes/grouped.js'
import { pods } from '../../kubernetes/kinds.js'
import { View } from '../../kubernetes/view.js'

/** Nodes whose pods are kept at a time: a person can act on no more, and a cluster may drain thousands. */
const mostNodes = 50
/** When so few of them are left, others take the places of those that are gone. */
const fewNodes = 10

/**
 * The pods of the nodes that are drained, and those that no node has room for, by one list and one watch of the cluster's
 * pods: an API server tells of one node's or of all, and dozens of nodes drain at the same time.
 */
export class DrainedPods {
  readonly #kubernetes: Kubernetes
  readonly #signal: AbortSignal
  /** Nodes of each drain. */
  readonly #drains = new Map<object, readonly string[]>()
  #covered: ReadonlySet<string> = new Set()
  #following: { readonly view: View; readonly byNode: Grouped<Pod> } | undefined
  #moving: Promise<void> | undefined

  constructor(kubernetes: Kubernetes, signal: AbortSignal) {
    this.#kubernetes = kubernetes
    this.#signal = signal
  }

  /** These are the nodes that a drain waits for now. Rejects when a read is refused. */
  async follow(drain: object, nodes: readonly string[]): Promise<void> {
    this.#drains.set(drain, nodes)
    // Drains that begin together are covered together.
    while (this.#moving !== undefined) await this.#moving
    const wanted = new Set([...this.#drains.values()].flat())
    const still = [...this.#covered].filter((node) => wanted.has(node))
    const others = [...wanted].filter((node) => !this.#covered.has(node))
    // Others are taken when all of them have room, or when hardly one is left of those that are followed.
    const room = mostNodes - still.length
    const isWorthIt = others.length > 0 && room >= Math.min(others.length, mostNodes - fewNodes)
    if (this.#following !== undefined && !isWorthIt) return
    this.#moving = this.#cover([...still, ...others].slice(0, mostNodes)).finally(() => {
      this.#moving = undefined
    })
    await this.#moving
  }

  /** Of those nodes that are followed. */
  on(node: string): readonly Pod[] {
    return this.#covered.has(node) ? (this.#following?.byNode.of(node) ?? []) : []
  }

  isFollowed(node: string): boolean {
    return this.#covered.has(node)
  }

  /** Pods that no node has taken, because none has room. */
  get withoutRoom(): readonly Pod[] {
    return this.#following?.byNode.of('') ?? []
  }

  done(drain: object): void {
    this.#drains.delete(drain)
  }

  async close(): Promise<void> {
    await this.#following?.view.close()
  }

  async #cover(nodes: readonly string[]): Promise<void> {
    const covered = new Set(nodes)
    const view = new View(this.#kubernetes, this.#signal)
    const byNode = new Grouped<Pod>((pod) => pod.spec?.nodeName ?? '')
    const looked = (pod: Pod): Pod | undefined =>
      covered.has(pod.spec?.nodeName ?? '') || hasNoRoom(pod) ? leanPod(pod) : undefined
    try {
      await view.follow(pods, {}, (pod, change) => byNode.change(pod, change), looked)
    } catch (error) {
      await view.close()
      throw error
    }
    const before = this.#following
    this.#covered = covered
    this.#following = { view, byNode }
    await before?.view.close()
  }
}

function hasNoRoom({ spec, status }: Pod): boolean {
  return (
    (spec?.nodeName ?? '') === '' &&
    status?.conditions?.some(({ type, reason }) => type === 'PodScheduled' && reason === 'Unschedulable') ===
      true
  )
}

/** As much of a pod as says what keeps it on its node: what runs in it is the most of it. */
function leanPod(pod: Pod): Pod {
  const metadata = { ...pod.metadata }
  delete metadata.managedFields
  const spec = { ...pod.spec, containers: [] }
  delete spec.initContainers
  delete spec.volumes
  const status = { ...pod.status }
  delete status.containerStatuses
  delete status.initContainerStatuses
  return { ...pod, metadata, spec, status }
}
