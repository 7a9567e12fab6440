/**
 * What is opened for the first of all who use it at the same time, and closed when the last of them is done. Whoever comes
 * after a failure gets a new one.
 */
export class SharedUse<T extends { close(): Promise<void> }> {
  readonly #open: (signal: AbortSignal) => T
  readonly #linger: number
  #shared: Shared<T> | undefined

  /**
   * Opened with the first user's signal, which must be the same for all. `linger`: milliseconds that it stays open for who
   * comes next; they do not keep the process.
   */
  constructor(open: (signal: AbortSignal) => T, linger = 0) {
    this.#open = open
    this.#linger = linger
  }

  async use<R>(signal: AbortSignal, work: (thing: T) => Promise<R>): Promise<R> {
    const shared = (this.#shared ??= { thing: this.#open(signal), users: 0, closing: undefined })
    clearTimeout(shared.closing)
    shared.users++
    try {
      return await work(shared.thing)
    } catch (error) {
      this.#forget(shared)
      throw error
    } finally {
      shared.users--
      if (shared.users === 0) await this.#leave(shared)
    }
  }

  async #leave(shared: Shared<T>): Promise<void> {
    if (this.#linger > 0 && this.#shared === shared) {
      // A failure to close it would be nobody's any more.
      const close = (): unknown => this.#close(shared).catch(() => undefined)
      shared.closing = setTimeout(close, this.#linger).unref()
    } else await this.#close(shared)
  }

  async #close(shared: Shared<T>): Promise<void> {
    this.#forget(shared)
    await shared.thing.close()
  }

  #forget(shared: Shared<T>): void {
    if (this.#shared === shared) this.#shared = undefined
  }
}

interface Shared<T> {
  readonly thing: T
  users: number
  closing: NodeJS.Timeout | undefined
}
