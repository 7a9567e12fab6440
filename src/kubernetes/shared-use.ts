/** What is opened for the first of all who use it at the same time, and closed when the last of them is done. */
export class SharedUse<T extends { close(): Promise<void> }> {
  readonly #open: (signal: AbortSignal) => T
  #shared: { readonly thing: T; users: number } | undefined

  /** Opened with the first user's signal, which must be the same for all. */
  constructor(open: (signal: AbortSignal) => T) {
    this.#open = open
  }

  async use<R>(signal: AbortSignal, work: (thing: T) => Promise<R>): Promise<R> {
    this.#shared ??= { thing: this.#open(signal), users: 0 }
    const shared = this.#shared
    shared.users++
    try {
      return await work(shared.thing)
    } finally {
      shared.users--
      if (shared.users === 0) {
        this.#shared = undefined
        await shared.thing.close()
      }
    }
  }
}
