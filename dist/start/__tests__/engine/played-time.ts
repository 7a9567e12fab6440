/** Time that passes only where all that is under way waits for it: a second of it costs nothing. */
export class PlayedTime {
  #now = 0
  readonly #sleepers: { readonly at: number; readonly wake: () => void }[] = []

  now(): number {
    return this.#now
  }

  async pass(milliseconds: number): Promise<void> {
    return new Promise((wake) => this.#sleepers.push({ at: this.#now + milliseconds, wake }))
  }

  /** Plays until the work is done. */
  async play<T>(work: () => Promise<T>): Promise<T> {
    const state = { over: false }
    const result = work().finally(() => (state.over = true))
    result.catch(() => undefined)
    while (!state.over) {
      // What a promise has set off is done by then.
      await new Promise((resolve) => setImmediate(resolve))
      const next = this.#sleepers.toSorted((a, b) => a.at - b.at)[0]
      if (next === undefined) continue
      this.#sleepers.splice(this.#sleepers.indexOf(next), 1)
      this.#now = next.at
      next.wake()
    }
    return result
  }
}
