/** Tells how builds go: a line at the start, one at least every ten seconds, one at the end. */
export class Progress {
  readonly #log: (line: string) => void
  readonly #total: number
  #started = 0

  constructor(log: (line: string) => void, total: number) {
    this.#log = log
    this.#total = total
  }

  /** Runs one build. `work` is given a function that takes what the build is at just now. */
  async of<T>(title: string, work: (at: (state: string) => void) => Promise<T>): Promise<T> {
    this.#started += 1
    const name = `sandbox: build ${this.#started}/${this.#total}: ${title}`
    const start = performance.now()
    const elapsed = () => `${Math.round((performance.now() - start) / 1000)} s`
    let state = ''
    this.#log(name)
    const timer = setInterval(
      () => this.#log(`${name}: ${elapsed()}${state === '' ? '' : `, ${state}`}`),
      10_000
    )
    try {
      const result = await work((next) => (state = next))
      this.#log(`${name}: done in ${elapsed()}`)
      return result
    } finally {
      clearInterval(timer)
    }
  }
}
