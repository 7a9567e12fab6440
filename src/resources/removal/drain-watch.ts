import type { Pod } from 'kubernetes-types/core/v1.js'
import { textField, type Manifest } from '../../kubernetes/manifest.js'
import type { Followed } from '../../kubernetes/view.js'
import { type Blocker, drainBlockers } from './drain-blockers.js'
import type { Watched } from './removal-view.js'
import { nodesAwaitingVolumes, volumeBlockers } from './volume-blockers.js'

/** What may block the drain of some nodes: their pods, pods without a node, PodDisruptionBudgets, VolumeAttachments. */
export class DrainWatch {
  readonly #watched: Watched
  readonly #since: number
  #nodes: readonly string[] = []
  #budgets: Followed<Manifest> | undefined
  #attachments: Followed<Manifest> | undefined
  #awaitingVolumes: ReadonlySet<string> = new Set()

  /** `since`: when the drain began, milliseconds since the epoch. */
  constructor(watched: Watched, since: number) {
    this.#watched = watched
    this.#since = since
  }

  /**
   * Looks from now on at those of these NodeClaims that end, and at no other ones any more; the pods of the rest, which end
   * one after the other, are followed by the same list. Rejects when a read is refused.
   */
  async look(claims: readonly Manifest[]): Promise<void> {
    const ending = claims.filter(isEnding)
    const rest = claims.filter((claim) => !isEnding(claim))
    this.#nodes = nodesOf(ending)
    this.#awaitingVolumes = new Set(nodesAwaitingVolumes(ending))
    // The most drains never wait for one, and there is one for each volume of the cluster.
    if (this.#awaitingVolumes.size > 0) this.#attachments ??= await this.#watched.attachments()
    this.#budgets ??= await this.#watched.budgets()
    await this.#watched.drainedPods.follow(this, [...this.#nodes, ...nodesOf(rest)])
  }

  /** Pods that are on the nodes now, as far as these are followed. */
  get pods(): readonly Pod[] {
    return this.#nodes.flatMap((node) => this.#watched.drainedPods.on(node))
  }

  blockers(now: number): readonly Blocker[] {
    const { drainedPods } = this.#watched
    const volumes = volumeBlockers(this.#awaitingVolumes, this.#attachments?.objects ?? [])
    const drains = drainBlockers({
      nodes: new Set(this.#nodes),
      pods: [...this.pods, ...drainedPods.withoutRoom],
      budgets: this.#budgets?.objects ?? [],
      since: this.#since,
      now
    })
    return [...drains, ...volumes]
  }

  close(): void {
    this.#watched.drainedPods.done(this)
  }
}

function isEnding({ metadata }: Manifest): boolean {
  return metadata.deletionTimestamp !== undefined
}

function nodesOf(claims: readonly Manifest[]): readonly string[] {
  return claims.flatMap((claim) => textField(claim, 'status', 'nodeName') || [])
}
