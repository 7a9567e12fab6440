import type { Deployment } from 'kubernetes-types/apps/v1.js'
import { UserError } from '../../engine/errors.js'
import type { Removal, Step } from '../../engine/resource.js'
import type { Kubernetes } from '../../kubernetes/client.js'
import { ec2NodeClasses } from '../../kubernetes/kinds.js'
import { listField, type Manifest } from '../../kubernetes/manifest.js'
import { decided } from '../../kubernetes/view.js'
import type { DrainPorts } from './claim-drain.js'
import type { Complaint } from '../controller/controller-log.js'
import { type Standing, standingOf } from '../controller/controller-standing.js'
import { nodeClassFinalizer, takeFinalizerOff } from './forced-removal.js'
import { lookAgain } from '../look-again.js'
import type { Watched } from './removal-view.js'
import { installAgain, missingController, namedFew, notReadyPatience, whenTimeIsUp } from './stuck-removal.js'

/** Milliseconds after which the controller's log is read, and again; and that a missing permission may last. */
const firstLook = 5_000
const lookEvery = 15_000
const deniedPatience = 60_000

type Ports = Pick<DrainPorts, 'forceDrain' | 'view'> & { readonly kubernetes: Kubernetes }

/**
 * Deletes an EC2NodeClass that is ours and waits until its finalizer is off, which Karpenter does once no NodeClaim uses it
 * and its instance profiles and launch templates are deleted. What keeps it is the error: no controller, a permission that
 * the controller lacks, NodeClaims.
 */
export async function removeNodeClass(ports: Ports, name: string, step: Step): Promise<Removal> {
  return ports.view.use(step, async (watched) => removeWatched(ports, name, watched, step))
}

async function removeWatched(ports: Ports, name: string, watched: Watched, step: Step): Promise<Removal> {
  const { kubernetes } = ports
  const title = `EC2NodeClass ${name}`
  const users = (await watched.pools()).usersOf(name)
  if (users.length > 0) {
    const names = users.map(({ metadata }) => metadata.name).join(', ')
    return { outcome: 'kept', reason: `NodePools ${names} use it and are not ours` }
  }
  if ((await kubernetes.delete(ec2NodeClasses, { name })) === 'deleted') step.changed(`deleted ${title}`)
  const wait = new Wait(ports, name, watched, step)
  try {
    const own = await watched.nodeClass()
    if (own(name) === undefined) return { outcome: 'removed' }
    const [claims, controllers] = await Promise.all([watched.claims(), watched.controllers()])
    await watched.until(() => {
      const live = own(name)
      if (live === undefined) return decided(undefined)
      wait.react(live, claims.ofClass(name), controllers.objects)
      step.waiting(wait.waitingFor())
      return undefined
    })
  } catch (error) {
    throw whenTimeIsUp(error, step, () => wait.timeIsUp())
  } finally {
    step.waiting(undefined)
  }
  return { outcome: 'removed' }
}

class Wait {
  readonly #ports: Ports
  readonly #name: string
  readonly #watched: Watched
  readonly #step: Step
  readonly #started: number
  #users: readonly string[] = []
  #finalizers: readonly string[] = []
  #standing: Standing = { state: 'running' }
  #notReadySince: number | undefined
  #complaint: Complaint | undefined
  #lookedAt: number
  #deniedSince: number | undefined
  #work: 'running' | { readonly error: unknown } | undefined

  constructor(ports: Ports, name: string, watched: Watched, step: Step) {
    this.#ports = ports
    this.#name = name
    this.#watched = watched
    this.#step = step
    this.#started = step.now()
    this.#lookedAt = this.#started + firstLook - lookEvery
  }

  react(live: Manifest, users: readonly Manifest[], controllers: readonly Deployment[]): void {
    if (typeof this.#work === 'object') throw this.#work.error
    this.#finalizers = listField(live, 'metadata', 'finalizers').filter((one) => typeof one === 'string')
    this.#users = users.map(({ metadata }) => metadata.name)
    this.#standing = standingOf(controllers)
    if (this.#standing.state === 'not ready') this.#notReadySince ??= this.#step.now()
    else this.#notReadySince = undefined
    const { forceDrain: forced } = this.#ports
    if (this.#unattended() && !forced) throw this.#withoutController()
    if (this.#tired() && !forced) throw this.#denied()
    if (this.#work !== undefined) return
    this.#work = 'running'
    this.#next(controllers).then(
      () => (this.#work = undefined),
      (error: unknown) => (this.#work = { error })
    )
  }

  waitingFor(): string {
    const held = this.#finalizers.length === 0 ? '' : `, held by finalizer ${this.#finalizers.join(', ')}`
    return `EC2NodeClass ${this.#name} to go${held}${this.#why()}`
  }

  timeIsUp(): UserError {
    return new UserError(
      `EC2NodeClass ${this.#name}`,
      `was not gone when the run's time was up: it is held by finalizer ${this.#finalizers.join(', ')}${this.#why()}`,
      this.#complaint?.fix ??
        'Put right what keeps it, then run again; `timeout` says how long a run may wait.',
      { cause: this.#step.signal.reason }
    )
  }

  #why(): string {
    if (this.#users.length > 0) return `, used by NodeClaims ${namedFew(this.#users)}`
    if (this.#standing.state !== 'running') return `: ${this.#standing.text}`
    return this.#complaint === undefined ? '' : `: Karpenter says: ${this.#complaint.text}`
  }

  #unattended(): boolean {
    if (this.#standing.state === 'gone') return true
    return this.#notReadySince !== undefined && this.#step.now() - this.#notReadySince >= notReadyPatience
  }

  #tired(): boolean {
    return this.#deniedSince !== undefined && this.#step.now() - this.#deniedSince >= deniedPatience
  }

  async #next(controllers: readonly Deployment[]): Promise<void> {
    const { kubernetes, forceDrain: forced } = this.#ports
    // Its instance profiles and launch templates are removed with the leftovers.
    if (forced && this.#users.length === 0 && (this.#unattended() || this.#tired())) {
      this.#step.note(`EC2NodeClass ${this.#name} was stuck${this.#why()}`)
      return takeFinalizerOff(kubernetes, ec2NodeClasses, this.#name, nodeClassFinalizer, this.#step)
    }
    if (this.#step.now() - this.#lookedAt < lookEvery) return
    const now = this.#step.now()
    this.#lookedAt = now
    this.#complaint = await this.#watched.controllerLog.complaintAbout(controllers, new Set([this.#name]), {
      since: this.#started,
      now
    })
    const denied = this.#complaint?.lacks !== undefined
    this.#deniedSince = denied ? (this.#deniedSince ?? this.#step.now()) : undefined
    if (this.#complaint !== undefined) await lookAgain(kubernetes, this.#name, this.#step)
  }

  #withoutController(): UserError {
    const text = this.#standing.state === 'running' ? '' : this.#standing.text
    return missingController(
      `EC2NodeClass ${this.#name}`,
      `is held by Karpenter's finalizer ${nodeClassFinalizer}, and ${text}`,
      'its instance profiles and launch templates stay',
      'takes the finalizer off and removes them in its place'
    )
  }

  #denied(): UserError {
    return new UserError(
      `EC2NodeClass ${this.#name}`,
      `is held by finalizer ${this.#finalizers.join(', ')}, and Karpenter cannot let go of it: ${this.#complaint?.text ?? ''}`,
      `${this.#complaint?.fix ?? ''} ${installAgain} Only if that cannot be: \`force-drain: true\`, which takes the finalizer off and removes instance profiles and launch templates in its place.`,
      { state: 'It is marked for deletion and goes as soon as Karpenter may finish.' }
    )
  }
}
