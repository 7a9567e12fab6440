import type { Deployment } from 'kubernetes-types/apps/v1.js'
import type { Aws } from '../../aws/clients.js'
import { UserError } from '../../engine/errors.js'
import type { Step } from '../../engine/resource.js'
import { conditionsOf, describe } from '../../kubernetes/conditions.js'
import type { Kubernetes } from '../../kubernetes/client.js'
import { nodeClaims } from '../../kubernetes/kinds.js'
import { listField, textField, type Manifest } from '../../kubernetes/manifest.js'
import { decided } from '../../kubernetes/view.js'
import type { Complaint } from '../controller/controller-log.js'
import { type Standing, standingOf } from '../controller/controller-standing.js'
import { type Blocker, blockersText } from './drain-blockers.js'
import { DrainWatch } from './drain-watch.js'
import { forceDrain, removeWithoutController, shortenGrace } from './forced-removal.js'
import type { RemovalView, Watched } from './removal-view.js'
import { installAgain, missingController, namedFew, notReadyPatience, whenTimeIsUp } from './stuck-removal.js'

export interface DrainPorts {
  readonly kubernetes: Kubernetes
  readonly aws: Aws
  /** Pods that are protected are ended all the same, and finalizers that nobody works on are taken off. */
  readonly forceDrain: boolean
  /** The record says that we made the NodePool: NodeClaims that somebody orphaned are ours to delete. */
  readonly created: boolean
  readonly view: RemovalView
}

/** Milliseconds after which a drain that is not done is looked into, and after which the controller's log is read again. */
const quick = 3_000
const complaintEvery = 15_000
/** Milliseconds that a missing permission may last: it may just have been given. */
const deniedPatience = 90_000

/**
 * Waits until the NodePool's NodeClaims are gone, which is when Karpenter has drained and ended their instances; what
 * keeps them is named pod by pod. Rejects with UserError at once when no controller is there to do it, and when the time
 * of the run is up.
 */
export async function drainClaims(ports: DrainPorts, nodePool: string, step: Step): Promise<void> {
  await ports.view.use(step, async (watched) => {
    const drain = new Drain(ports, nodePool, watched, step)
    try {
      const claims = await watched.claims()
      const own = (): readonly Manifest[] => claims.ofPool(nodePool)
      if (own().length === 0) return
      const controllers = await watched.controllers()
      await watched.until(() => {
        const left = own()
        if (left.length === 0) return decided(undefined)
        drain.react(left, controllers.objects)
        step.waiting(drain.waitingFor(left))
        return undefined
      })
    } catch (error) {
      throw whenTimeIsUp(error, step, () => drain.timeIsUp())
    } finally {
      step.waiting(undefined)
      drain.close()
    }
  })
}

/** One drain: what it knows of its blockers and of the controller, and what it does about them. */
class Drain {
  readonly #ports: DrainPorts
  readonly #nodePool: string
  readonly #step: Step
  readonly #started: number
  readonly #watch: DrainWatch
  readonly #watched: Watched
  /** Until when pods have time, by the name of the NodeClaim whose drain was forced. */
  readonly #forced = new Map<string, number>()
  /** Names of NodeClaims for which the controller's work was done in its place. */
  readonly #done = new Set<string>()
  #standing: Standing = { state: 'running' }
  #notReadySince: number | undefined
  #complaint: Complaint | undefined
  #complaintReadAt = 0
  #deniedSince: number | undefined
  #work: 'running' | { readonly error: unknown } | undefined
  #last: readonly Manifest[] = []

  constructor(ports: DrainPorts, nodePool: string, watched: Watched, step: Step) {
    this.#ports = { ...ports, kubernetes: ports.kubernetes.within(step.signal) }
    this.#nodePool = nodePool
    this.#step = step
    this.#started = step.now()
    this.#watched = watched
    this.#watch = new DrainWatch(watched, this.#started)
  }

  /** Called at every change and every second: throws what ends the wait, and begins what is to be done next. */
  react(claims: readonly Manifest[], controllers: readonly Deployment[]): void {
    this.#last = claims
    if (typeof this.#work === 'object') throw this.#work.error
    this.#standing = this.#patient(standingOf(controllers))
    if (this.#standing.state === 'gone' && !this.#ports.forceDrain) throw this.#withoutController()
    if (this.#tired() && !this.#ports.forceDrain) throw this.#denied()
    if (this.#work !== undefined) return
    this.#work = 'running'
    this.#next(claims, controllers).then(
      () => (this.#work = undefined),
      (error: unknown) => (this.#work = { error })
    )
  }

  waitingFor(claims: readonly Manifest[]): string {
    const found = { standing: this.#standing, complaint: this.#complaint, blockers: this.#blockers() }
    return `${claims.length} NodeClaims of NodePool ${this.#nodePool} to go: ${whatHolds(claims, found)}`
  }

  timeIsUp(): UserError {
    const blockers = this.#blockers()
    const why =
      blockers.length > 0
        ? `what blocks:${blockers.map(({ pod, why: text }) => `\n  ${pod} ${text}`).join('')}`
        : this.waitingFor(this.#last)
    const fixes = [...new Set(blockers.map(({ fix }) => fix))].slice(0, 5)
    return new UserError(
      `NodePool ${this.#nodePool}`,
      `${this.#last.length} NodeClaims were not gone when the run's time was up; ${why}`,
      [
        ...fixes.map((fix) => `${fix[0]?.toUpperCase() ?? ''}${fix.slice(1)}.`),
        'Then run again, with a longer `timeout` where pods only need time; or pass `force-drain: true`, which ends them within half a minute whatever protects them.'
      ].join('\n'),
      {
        state: 'The NodePool is deleted, and Karpenter goes on draining its nodes.',
        cause: this.#step.signal.reason
      }
    )
  }

  close(): void {
    this.#watch.close()
  }

  #blockers(): readonly Blocker[] {
    return this.#watch.blockers(this.#step.now())
  }

  /** A controller that is not ready may be starting: only when it stays so is it as good as gone. */
  #patient(standing: Standing): Standing {
    if (standing.state !== 'not ready') {
      this.#notReadySince = undefined
      return standing
    }
    this.#notReadySince ??= this.#step.now()
    return this.#step.now() - this.#notReadySince < notReadyPatience
      ? standing
      : { ...standing, state: 'gone' }
  }

  #tired(): boolean {
    return this.#deniedSince !== undefined && this.#step.now() - this.#deniedSince >= deniedPatience
  }

  async #next(now: readonly Manifest[], controllers: readonly Deployment[]): Promise<void> {
    const { kubernetes, forceDrain: forced, created } = this.#ports
    const orphans = created ? now.filter(isOrphan) : []
    for (const { metadata } of orphans) await kubernetes.delete(nodeClaims, metadata)
    if (forced && this.#standing.state === 'gone') {
      return this.#workInItsPlace(now, this.#standing.text)
    }
    const draining = now.filter(({ metadata }) => metadata.deletionTimestamp !== undefined)
    if (forced) await this.#force(draining)
    if (this.#step.now() - this.#started < quick) return
    await this.#watch.look(now)
    if (this.#forced.size > 0) {
      const until = Math.max(...this.#forced.values())
      await shortenGrace(kubernetes, this.#watch.pods, until, this.#step)
    }
    await this.#listen(now, controllers)
    if (forced && this.#tired()) {
      await this.#workInItsPlace(draining, `Karpenter may not call ${this.#complaint?.lacks ?? ''}`)
    }
  }

  /** Once for each NodeClaim: that it is gone shows a moment later. */
  async #workInItsPlace(claims: readonly Manifest[], why: string): Promise<void> {
    const fresh = claims.filter(({ metadata }) => !this.#done.has(metadata.name))
    if (fresh.length === 0) return
    this.#step.note(`${why}: its work is done in its place`)
    const { kubernetes, aws } = this.#ports
    await removeWithoutController({ kubernetes, aws }, fresh, this.#step)
    for (const { metadata } of fresh) this.#done.add(metadata.name)
  }

  async #force(draining: readonly Manifest[]): Promise<void> {
    for (const claim of draining) {
      const { name } = claim.metadata
      if (this.#forced.has(name)) continue
      this.#forced.set(name, await forceDrain(this.#ports.kubernetes, claim, this.#step))
    }
  }

  async #listen(claims: readonly Manifest[], controllers: readonly Deployment[]): Promise<void> {
    const now = this.#step.now()
    if (now - this.#complaintReadAt < complaintEvery) return
    this.#complaintReadAt = now
    const names = new Set(
      claims.flatMap((claim) => [claim.metadata.name, textField(claim, 'status', 'nodeName') ?? ''])
    )
    this.#complaint = await this.#watched.controllerLog.complaintAbout(controllers, names, {
      since: this.#started,
      now
    })
    this.#deniedSince =
      this.#complaint?.lacks === undefined ? undefined : (this.#deniedSince ?? this.#step.now())
  }

  #withoutController(): UserError {
    const standing = this.#standing.state === 'running' ? '' : this.#standing.text
    return missingController(
      `NodePool ${this.#nodePool}`,
      `${this.#last.length} NodeClaims (${namedFew(this.#last.map(({ metadata }) => metadata.name))}) are held by Karpenter's finalizer, and ${standing}`,
      'their instances go on running',
      'ends their instances through EC2 without draining them and takes the finalizers off'
    )
  }

  #denied(): UserError {
    return new UserError(
      `NodePool ${this.#nodePool}`,
      `Karpenter does not get done with its NodeClaims: ${this.#complaint?.text ?? ''}`,
      `${this.#complaint?.fix ?? ''} ${installAgain} Only if that cannot be: \`force-drain: true\`, with which this action ends the instances itself.`,
      { state: 'The NodePool is deleted; its NodeClaims and their instances are still there.' }
    )
  }
}

/**
 * What keeps the NodeClaims, the most certain first: no controller, a permission that it lacks, pods that block. Another
 * error of the controller may be one that the next try gets past, so it never hides the pods.
 */
export function whatHolds(
  claims: readonly Manifest[],
  found: {
    readonly standing: Standing
    readonly complaint: Complaint | undefined
    readonly blockers: readonly Blocker[]
  }
): string {
  const { standing, complaint, blockers } = found
  if (standing.state !== 'running') return standing.text
  if (complaint !== undefined && (complaint.lacks !== undefined || blockers.length === 0)) {
    return `Karpenter says: ${complaint.text}`
  }
  return blockers.length > 0 ? blockersText(blockers, 5) : namedFew(claims.map(stateOf))
}

/** Its NodePool was deleted without it: nobody but us will delete it. */
function isOrphan({ metadata }: Manifest): boolean {
  const owned = listField({ metadata }, 'metadata', 'ownerReferences').some(
    (owner) => textField(owner, 'kind') === 'NodePool'
  )
  return !owned && metadata.deletionTimestamp === undefined
}

/** `default-x7k2p (Drained=False: 2 pods are waiting to be evicted)`. */
function stateOf(claim: Manifest): string {
  const blocking = conditionsOf(claim).find(
    (one) => ['Drained', 'VolumesDetached', 'InstanceTerminating'].includes(one.type) && one.status !== 'True'
  )
  const node = textField(claim, 'status', 'nodeName')
  const why =
    blocking === undefined ? (node === undefined ? '' : ` (node ${node})`) : ` (${describe(blocking)})`
  return `${claim.metadata.name}${why}`
}
