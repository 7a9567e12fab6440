import type { Pod } from 'kubernetes-types/core/v1.js'
import type { Kubernetes } from '../../kubernetes/client.js'
import { disruptionBudgets, pods, volumeAttachments } from '../../kubernetes/kinds.js'
import { textField, type Manifest } from '../../kubernetes/manifest.js'
import { type Followed, View } from '../../kubernetes/view.js'
import { type Blocker, drainBlockers } from './drain-blockers.js'
import { nodesAwaitingVolumes, volumeBlockers } from './volume-blockers.js'

/** Nodes whose pods are followed at a time: a person can act on no more, and a cluster may drain thousands. */
const mostNodes = 20

/** Follows what may block the drain of some nodes: their pods, pods without a node, PodDisruptionBudgets, VolumeAttachments. */
export class DrainWatch {
  readonly #kubernetes: Kubernetes
  readonly #signal: AbortSignal
  readonly #since: number
  readonly #shared: View
  readonly #nodes = new Map<string, { readonly view: View; pods: Followed<Pod> | undefined }>()
  #budgets: Followed<Manifest> | undefined
  #unbound: Followed<Pod> | undefined
  #attachments: Followed<Manifest> | undefined
  #awaitingVolumes: ReadonlySet<string> = new Set()

  /** `since`: when the drain began, milliseconds since the epoch. */
  constructor(kubernetes: Kubernetes, signal: AbortSignal, since: number) {
    this.#kubernetes = kubernetes
    this.#signal = signal
    this.#since = since
    this.#shared = new View(kubernetes, signal)
  }

  /** Follows the nodes of the first of these NodeClaims, and no other ones any more. Rejects when a read is refused. */
  async look(claims: readonly Manifest[]): Promise<void> {
    const nodes = claims.flatMap((claim) => textField(claim, 'status', 'nodeName') || [])
    this.#awaitingVolumes = new Set(nodesAwaitingVolumes(claims))
    // The most drains never wait for one, and there is one for each volume of the cluster.
    if (this.#awaitingVolumes.size > 0) this.#attachments ??= await this.#shared.follow(volumeAttachments, {})
    this.#budgets ??= await this.#shared.follow(disruptionBudgets, {})
    this.#unbound ??= await this.#shared.follow(pods, { fieldSelector: 'spec.nodeName=' })
    const wanted = new Set(nodes.slice(0, mostNodes))
    for (const [node, { view }] of this.#nodes) {
      if (wanted.has(node)) continue
      this.#nodes.delete(node)
      await view.close()
    }
    for (const node of wanted) {
      if (this.#nodes.has(node)) continue
      const entry: { readonly view: View; pods: Followed<Pod> | undefined } = {
        view: new View(this.#kubernetes, this.#signal),
        pods: undefined
      }
      this.#nodes.set(node, entry)
      entry.pods = await entry.view.follow(pods, { fieldSelector: `spec.nodeName=${node}` })
    }
  }

  /** Pods that are on the followed nodes now. */
  get pods(): readonly Pod[] {
    return [...this.#nodes].flatMap(([node, entry]) =>
      (entry.pods?.objects ?? []).filter((pod) => pod.spec?.nodeName === node)
    )
  }

  blockers(now: number): readonly Blocker[] {
    const unbound = (this.#unbound?.objects ?? []).filter((pod) => (pod.spec?.nodeName ?? '') === '')
    const volumes = volumeBlockers(this.#awaitingVolumes, this.#attachments?.objects ?? [])
    const drains = drainBlockers({
      nodes: new Set(this.#nodes.keys()),
      pods: [...this.pods, ...unbound],
      budgets: this.#budgets?.objects ?? [],
      since: this.#since,
      now
    })
    return [...drains, ...volumes]
  }

  async close(): Promise<void> {
    await Promise.all([
      this.#shared.close(),
      ...[...this.#nodes.values()].map(async ({ view }) => view.close())
    ])
  }
}
