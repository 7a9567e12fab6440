import { messageOf, UserError } from '../engine/errors.js'
import type { Pace } from './endurance.js'
import { isKubernetesError } from './errors.js'

/** Milliseconds between two renewals that go well. */
const renewEvery = 15_000
/** The same after one that failed: client-go's RetryPeriod. */
const retryEvery = 2_000
/**
 * Milliseconds for which a renewal is believed, counted from when it was sent: client-go's RenewDeadline. It must be less
 * than what another run waits for before it takes the lock.
 */
const believedFor = 30_000
/** Milliseconds that one try may take. */
const oneTry = 10_000
/** Milliseconds without a renewal after which the run ends: longer than the API server is waited for anywhere else. */
const endsAfter = 120_000

export interface Renewal {
  /** Aborted with a UserError when the lock is another run's, or could not be renewed for so long that it may be. */
  readonly lost: AbortSignal
  /**
   * Resolves while this run may write. After a renewal that failed, or when the last one is too long ago (the process was
   * stopped, the API server is away), only once the Lease is renewed; rejects when it is lost.
   */
  readonly held: () => Promise<void>
  /** Renews no more; resolves when no request of it is under way. */
  stop(): Promise<void>
}

export interface RenewalOptions {
  /** Monotonic, of when the write that took the lock was sent. */
  readonly takenAt: number
  /** One try, given up when the signal is aborted; rejects with 422 or 404 when another run holds the lock. */
  readonly renew: (limit: AbortSignal) => Promise<void>
  readonly pace: Pace
  /** Of the run: its end ends the renewals. */
  readonly signal: AbortSignal
  readonly warning: (line: string) => void
}

const subject = 'Lease kube-system/setup-karpenter'

/** Renews a lock that was taken, as client-go's leader election does, and knows whether it is still believed. */
export function renewing(options: RenewalOptions): Renewal {
  const { pace } = options
  const lost = new AbortController()
  const stopped = new AbortController()
  const ended = AbortSignal.any([options.signal, stopped.signal, lost.signal])
  let renewedAt = options.takenAt
  let failure: { readonly error: unknown } | undefined
  let pending: Promise<void> | undefined

  const isBelieved = (): boolean => failure === undefined && pace.monotonic() - renewedAt < believedFor

  async function tryOnce(): Promise<void> {
    const sentAt = pace.monotonic()
    const limit = new AbortController()
    const waited = new AbortController()
    const timer = pace.pause(oneTry, AbortSignal.any([waited.signal, ended])).then(
      () => limit.abort(new Error(`no answer within ${oneTry / 1000} s`)),
      () => limit.abort(ended.reason)
    )
    try {
      await options.renew(limit.signal)
      renewedAt = sentAt
      failure = undefined
    } catch (error) {
      if (!ended.aborted) failed(error)
    } finally {
      waited.abort()
      await timer
    }
  }

  function failed(error: unknown): void {
    failure ??= { error }
    if (isKubernetesError(error, 422) || isKubernetesError(error, 404)) {
      lost.abort(
        new UserError(
          subject,
          'another run took the lock over while this one could not renew it',
          'Run again when the other run has ended.'
        )
      )
    } else if (pace.monotonic() - renewedAt >= endsAfter) {
      lost.abort(
        new UserError(
          subject,
          `the lock could not be renewed for ${endsAfter / 1000} s, so another run may have it by now: ${messageOf(error)}`,
          'Run again when the API server answers: kubectl get --raw /readyz?verbose',
          { cause: error }
        )
      )
    }
  }

  const renew = async (): Promise<void> =>
    (pending ??= tryOnce().finally(() => {
      pending = undefined
    }))

  async function keepRenewing(): Promise<void> {
    while (!ended.aborted) {
      await pace.pause(failure === undefined ? renewEvery : retryEvery, ended)
      await renew()
    }
  }
  // A pause that is cut short ends it.
  const running = keepRenewing().catch(() => undefined)

  return {
    lost: lost.signal,
    held: async () => {
      let warned = false
      while (!stopped.signal.aborted && !isBelieved()) {
        throwIfAborted(lost.signal)
        throwIfAborted(options.signal)
        if (failure !== undefined) {
          if (!warned) {
            options.warning(`${subject}: writes wait until it is renewed (${messageOf(failure.error)})`)
          }
          warned = true
          await pace.pause(retryEvery, AbortSignal.any([lost.signal, options.signal]))
        }
        await renew()
      }
    },
    stop: async () => {
      stopped.abort()
      await running
      await pending
    }
  }
}

function throwIfAborted(signal: AbortSignal): void {
  signal.throwIfAborted()
}
