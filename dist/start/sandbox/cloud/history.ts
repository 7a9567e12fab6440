import { AsyncLocalStorage } from 'node:async_hooks'

const reading = new AsyncLocalStorage<number>()

/** Everything read from a History inside `work` is as it was at `time` (milliseconds since the epoch). */
export function asOf<T>(time: number, work: () => T): T {
  return reading.run(time, work)
}

/** Everything inside `work` is read as it is now, even within asOf. */
export function asOfNow<T>(work: () => T): T {
  return reading.exit(work)
}

interface Version<V> {
  readonly at: number
  readonly value: V | undefined
}

/** Older versions than this are forgotten; no fault lags further behind. */
const keptMilliseconds = 10 * 60_000

/**
 * A map that remembers what it held, so that reads can lag behind writes as AWS's do. Values must be replaced, never
 * changed in place.
 */
export class History<V> {
  readonly #now: () => number
  readonly #versions = new Map<string, readonly Version<V>[]>()

  constructor(now: () => number) {
    this.#now = now
  }

  get(key: string): V | undefined {
    const time = reading.getStore() ?? Infinity
    return this.#versions.get(key)?.findLast((version) => version.at <= time)?.value
  }

  has(key: string): boolean {
    return this.get(key) !== undefined
  }

  set(key: string, value: V): void {
    this.#write(key, value)
  }

  delete(key: string): void {
    this.#write(key, undefined)
  }

  /** In the order in which the keys were first set. */
  values(): readonly V[] {
    return [...this.#versions.keys()].flatMap((key) => {
      const value = this.get(key)
      return value === undefined ? [] : [value]
    })
  }

  #write(key: string, value: V | undefined): void {
    const at = this.#now()
    const kept = (this.#versions.get(key) ?? []).filter(
      (_version, index, all) => at - (all[index + 1]?.at ?? at) <= keptMilliseconds
    )
    this.#versions.set(key, [...kept, { at, value }])
  }
}
