import { canonical } from '../engine/json.js'
import type { Kubernetes } from './client.js'
import type { Pace } from './endurance.js'
import { isKubernetesError } from './errors.js'
import { leases } from './kinds.js'
import { renewing, type Renewal } from './lease-renewal.js'
import { field, textField, type Manifest } from './manifest.js'
import { decided, View } from './view.js'
import { ourName } from '../engine/owner.js'

const lockName = { name: ourName, namespace: 'kube-system' } as const
/**
 * Seconds in which who waits must see no change of the Lease before it is taken: client-go's LeaseDuration. They count from
 * when this run saw it change, by its own monotonic clock, as in client-go's leader election: what another runner's clock
 * says is never compared.
 */
export const lockSeconds = 50
/** Milliseconds after which it is looked at once more before it is taken: whoever could not reach it until now renews it. */
const lastLook = 5_000
const runAnnotation = 'setup-karpenter/run'

export interface LockOptions {
  /** Unique to this run and attempt. */
  readonly holder: string
  /** What others are told: the run's URL. */
  readonly run: string
  /** Milliseconds since the epoch, for people who look at the Lease. */
  readonly now: () => number
  readonly pace: Pace
  readonly signal: AbortSignal
  /** What the wait waits for; undefined when it is over. */
  readonly waiting: (what: string | undefined) => void
  readonly note: (line: string) => void
  /** Something a person should look at, also after the lock is taken. */
  readonly warning: (line: string) => void
}

/** The held lock. */
export interface Lock extends Renewal {
  release(): Promise<void>
  /** Releases it by deleting the Lease; who waits for it makes a new one. */
  remove(): Promise<void>
}

interface Held {
  readonly holder: string
  readonly run: string
  readonly resourceVersion: string
  /** Changes with each renewal, whatever the holder's clock says. */
  readonly mark: string
}

/**
 * Takes the Lease kube-system/setup-karpenter: waits while another run holds it, takes it over when that run no longer
 * renews it, and renews it until it is released.
 */
export async function acquireLock(kubernetes: Kubernetes, options: LockOptions): Promise<Lock> {
  const view = new View(kubernetes, options.signal)
  const sight = sightOf(options.pace)
  const isFree = (held: Held | undefined): boolean =>
    held === undefined || held.holder === '' || held.holder === options.holder
  const look = async (): Promise<Held | undefined> =>
    heldBy(await kubernetes.within(options.signal).get(leases, lockName.name, lockName.namespace))
  try {
    const followed = await view.follow(leases, {
      namespace: lockName.namespace,
      fieldSelector: `metadata.name=${lockName.name}`
    })
    while (true) {
      const held = await view.until(() => {
        const live = heldBy(followed.objects[0])
        if (live === undefined || isFree(live)) return decided(live)
        const seconds = Math.ceil(sight.millisecondsLeft(live) / 1000)
        if (seconds <= 0) return decided(live)
        options.waiting(
          `the lock, held by ${live.run} (taken over if that run does not renew it for ${seconds} s more)`
        )
        return undefined
      }, 250)
      if (held !== undefined && !isFree(held)) {
        if (sight.millisecondsLeft(await look()) > 0) continue
        await options.pace.pause(lastLook, options.signal)
        if (sight.millisecondsLeft(await look()) > 0) continue
      }
      const sentAt = options.pace.monotonic()
      if (await take(kubernetes.within(options.signal), options, held?.resourceVersion)) {
        if (held !== undefined && !isFree(held))
          options.note(`lock: ${held.run} stopped renewing it; taken over`)
        return keep(kubernetes, options, sentAt)
      }
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

/** When this run saw the Lease change. */
function sightOf(pace: Pace): { millisecondsLeft(held: Held | undefined): number } {
  let seen: { readonly mark: string; readonly at: number } | undefined
  return {
    millisecondsLeft: (held) => {
      const mark = held?.mark ?? ''
      if (seen?.mark !== mark) seen = { mark, at: pace.monotonic() }
      return lockSeconds * 1000 - (pace.monotonic() - seen.at)
    }
  }
}

/** The run that holds the lock, as others are told of it; undefined when nobody does. It may have been lost since. */
export async function lockedRun(kubernetes: Kubernetes): Promise<string | undefined> {
  const held = heldBy(await kubernetes.get(leases, lockName.name, lockName.namespace))
  return held === undefined || held.holder === '' ? undefined : held.run
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
      labels: { 'app.kubernetes.io/managed-by': ourName },
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

function keep(kubernetes: Kubernetes, options: LockOptions, takenAt: number): Lock {
  const direct = kubernetes.direct()
  const renewal = renewing({
    takenAt,
    renew: async (limit) => {
      await direct.within(limit).patch(leases, lockName, {
        type: 'json',
        operations: [
          { op: 'test', path: '/spec/holderIdentity', value: options.holder },
          { op: 'replace', path: '/spec/renewTime', value: microTime(options.now()) }
        ]
      })
    },
    pace: options.pace,
    signal: options.signal,
    warning: options.warning
  })
  return {
    ...renewal,
    release: async () => {
      await renewal.stop()
      await releaseLock(kubernetes, options.holder)
    },
    remove: async () => {
      await renewal.stop()
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
  return {
    holder: textField(lease, 'spec', 'holderIdentity') ?? '',
    run: textField(lease, 'metadata', 'annotations', runAnnotation) ?? 'a run that did not leave its name',
    resourceVersion,
    mark: canonical(field(lease, 'spec'))
  }
}

/** A MicroTime wants six digits after the second. */
function microTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace('Z', '000Z')
}
