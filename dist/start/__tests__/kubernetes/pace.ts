import { setTimeout } from 'node:timers/promises'
import type { Pace } from '../../src/kubernetes/endurance.js'

/** A clock that only pauses move, and they take no time. */
export function swiftPace(): Pace {
  let now = 0
  return {
    monotonic: () => now,
    pause: async (milliseconds, signal) => {
      signal.throwIfAborted()
      await new Promise((resolve) => setImmediate(resolve))
      signal.throwIfAborted()
      now += milliseconds
    }
  }
}

/** The clock of one process, moved by the test; one that is not moved is a process that is stopped. */
export class ManualPace implements Pace {
  #now: number
  readonly #waiting = new Set<{ readonly due: number; readonly resolve: () => void }>()

  constructor(startsAt = 0) {
    this.#now = startsAt
  }

  monotonic(): number {
    return this.#now
  }

  async pause(milliseconds: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    const { promise, resolve, reject } = Promise.withResolvers<undefined>()
    const waiter = { due: this.#now + milliseconds, resolve: () => resolve(undefined) }
    const abort = (): void => reject(signal.reason)
    this.#waiting.add(waiter)
    signal.addEventListener('abort', abort, { once: true })
    try {
      await promise
    } finally {
      this.#waiting.delete(waiter)
      signal.removeEventListener('abort', abort)
    }
  }

  /** Milliseconds until the next timer fires. */
  get next(): number {
    return Math.min(...[...this.#waiting].map(({ due }) => due)) - this.#now
  }

  /** Time passes and timers fire. */
  advance(milliseconds: number): void {
    this.wakeAfter(milliseconds)
    this.fire()
  }

  /** Time passes and no timer has fired yet: the moment in which a stopped process goes on. */
  wakeAfter(milliseconds: number): void {
    this.#now += milliseconds
  }

  fire(): void {
    for (const waiter of this.#waiting) if (waiter.due <= this.#now) waiter.resolve()
  }
}

/** Resolves once it holds; what is awaited comes over a socket, so that it takes turns of the event loop. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve))
}

/** The machine's own time. */
export const realPace: Pace = {
  monotonic: () => performance.now(),
  pause: async (milliseconds, signal) => setTimeout(milliseconds, undefined, { signal, ref: false })
}
