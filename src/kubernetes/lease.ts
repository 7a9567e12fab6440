import { UserError } from '../engine/errors.js'
import type { Kubernetes } from './client.js'
import { isKubernetesError } from './errors.js'
import { leases } from './kinds.js'
import { field, textField, type Manifest } from './manifest.js'
import { decided, View } from './view.js'

export const lockName = { name: 'setup-karpenter', namespace: 'kube-system' } as const
/** A holder that has not renewed for so long is gone. */
export const lockSeconds = 60
const runAnnotation = 'setup-karpenter/run'

export interface LockOptions {
  /** Unique to this run and attempt. */
  readonly holder: string
  /** What others are told: the run's URL. */
  readonly run: string
  readonly now: () => number
  readonly signal: AbortSignal
  /** What the wait waits for; undefined when it is over. */
  readonly waiting: (what: string | undefined) => void
  readonly note: (line: string) => void
}

/** The held lock. */
export interface Lock {
  /** Aborted with a UserError when another run has taken the lock over, which happens only after this one stopped renewing. */
  readonly lost: AbortSignal
  release(): Promise<void>
  /** Releases it by deleting the Lease; who waits for it makes a new one. */
  remove(): Promise<void>
}

interface Held {
  readonly holder: string
  readonly run: string
  readonly resourceVersion: string
  /** Milliseconds since the epoch at which it may be taken. */
  readonly expires: number
}

/**
 * Takes the Lease kube-system/setup-karpenter: waits while another run holds it, takes it over when that run no longer
 * renews it, and renews it until it is released.
 */
export async function acquireLock(kubernetes: Kubernetes, options: LockOptions): Promise<Lock> {
  const view = new View(kubernetes, options.signal)
  try {
    const followed = await view.follow(leases, {
      namespace: lockName.namespace,
      fieldSelector: `metadata.name=${lockName.name}`
    })
    while (true) {
      const held = await view.until(() => {
        const live = heldBy(followed.objects[0])
        const free = live === undefined || live.holder === '' || live.holder === options.holder
        if (free || live.expires <= options.now()) return decided(live)
        const seconds = Math.ceil((live.expires - options.now()) / 1000)
        options.waiting(
          `the lock, held by ${live.run} (may be taken in ${seconds} s unless that run renews it)`
        )
        return undefined
      })
      if (held !== undefined && held.holder !== '' && held.holder !== options.holder) {
        options.note(`lock: ${held.run} stopped renewing it; taken over`)
      }
      const version = await take(kubernetes, options, held?.resourceVersion)
      if (version) return keep(kubernetes, options)
      // Another run was faster: the watch brings its lease.
      await view.until(() => {
        const now = heldBy(followed.objects[0])
        return now?.resourceVersion === held?.resourceVersion ? undefined : decided(undefined)
      })
    }
  } finally {
    options.waiting(undefined)
    await view.close()
  }
}

/** Releases the lock of a run that could not do it itself; leaves another run's lock alone. */
export async function releaseLock(kubernetes: Kubernetes, holder: string): Promise<'released' | 'not held'> {
  const lease = await kubernetes.get(leases, lockName.name, lockName.namespace)
  const held = heldBy(lease)
  if (held?.holder !== holder) return 'not held'
  try {
    await kubernetes.patch(leases, lockName, {
      type: 'json',
      operations: [
        { op: 'test', path: '/spec/holderIdentity', value: holder },
        { op: 'replace', path: '/spec/holderIdentity', value: '' }
      ]
    })
    return 'released'
  } catch (error) {
    if (isKubernetesError(error, 422) || isKubernetesError(error, 404)) return 'not held'
    throw error
  }
}

async function take(
  kubernetes: Kubernetes,
  options: LockOptions,
  resourceVersion: string | undefined
): Promise<boolean> {
  const object = leaseOf(options, resourceVersion)
  try {
    if (resourceVersion === undefined) await kubernetes.create(leases, object)
    else {
      await kubernetes.patch(leases, lockName, { type: 'merge', value: object })
    }
    return true
  } catch (error) {
    // 404: the run that held it was an uninstall, and took the Lease away with all else.
    if (isKubernetesError(error, 409) || isKubernetesError(error, 404)) return false
    throw error
  }
}

function leaseOf(options: LockOptions, resourceVersion: string | undefined): Manifest {
  const now = microTime(options.now())
  return {
    apiVersion: leases.apiVersion,
    kind: leases.kind,
    metadata: {
      ...lockName,
      labels: { 'app.kubernetes.io/managed-by': 'setup-karpenter' },
      annotations: { [runAnnotation]: options.run },
      ...(resourceVersion !== undefined && { resourceVersion })
    },
    spec: {
      holderIdentity: options.holder,
      leaseDurationSeconds: lockSeconds,
      acquireTime: now,
      renewTime: now
    }
  }
}

function keep(kubernetes: Kubernetes, options: LockOptions): Lock {
  const lost = new AbortController()
  const renew = async (): Promise<void> => {
    try {
      await kubernetes.patch(leases, lockName, {
        type: 'json',
        operations: [
          { op: 'test', path: '/spec/holderIdentity', value: options.holder },
          { op: 'replace', path: '/spec/renewTime', value: microTime(options.now()) }
        ]
      })
    } catch (error) {
      // A failed test is another holder; anything else gets two more chances before the lease expires.
      if (isKubernetesError(error, 422) || isKubernetesError(error, 404)) {
        lost.abort(
          new UserError(
            `Lease ${lockName.namespace}/${lockName.name}`,
            'another run took the lock over while this one could not renew it',
            'Run again when the other run has ended.'
          )
        )
      }
    }
  }
  const timer = setInterval(
    () => {
      pending = renew()
    },
    (lockSeconds * 1000) / 3
  )
  timer.unref()
  let pending: Promise<void> = Promise.resolve()
  const stopRenewing = async (): Promise<void> => {
    clearInterval(timer)
    await pending
  }
  return {
    lost: lost.signal,
    release: async () => {
      await stopRenewing()
      await releaseLock(kubernetes, options.holder)
    },
    remove: async () => {
      await stopRenewing()
      await removeLease(kubernetes, options.holder)
    }
  }
}

/** Deletes the Lease as this holder last wrote it, so that another run's is never deleted. */
async function removeLease(kubernetes: Kubernetes, holder: string): Promise<void> {
  const lease = await kubernetes.get(leases, lockName.name, lockName.namespace)
  const held = heldBy(lease)
  if (held?.holder !== holder) return
  try {
    await kubernetes.delete(leases, lockName, { resourceVersion: held.resourceVersion })
  } catch (error) {
    if (!isKubernetesError(error, 409)) throw error
  }
}

function heldBy(lease: unknown): Held | undefined {
  const resourceVersion = textField(lease, 'metadata', 'resourceVersion')
  if (resourceVersion === undefined) return undefined
  const duration = field(lease, 'spec', 'leaseDurationSeconds')
  const renewed = Date.parse(textField(lease, 'spec', 'renewTime') ?? '')
  return {
    holder: textField(lease, 'spec', 'holderIdentity') ?? '',
    run: textField(lease, 'metadata', 'annotations', runAnnotation) ?? 'a run that did not leave its name',
    resourceVersion,
    expires: Number.isNaN(renewed)
      ? 0
      : renewed + (typeof duration === 'number' ? duration : lockSeconds) * 1000
  }
}

/** A MicroTime wants six digits after the second. */
function microTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace('Z', '000Z')
}
