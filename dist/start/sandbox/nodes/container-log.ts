const KEPT = 5000

/** The log of a container and that of its run before, as a kubelet keeps them. */
export class ContainerLog {
  #current: string[] = []
  #previous: readonly string[] | undefined

  add(line: string): void {
    this.#current.push(line)
    if (this.#current.length > KEPT) {
      this.#current.splice(0, this.#current.length - KEPT)
    }
  }

  /** A new run begins. */
  turn(): void {
    this.#previous = this.#current
    this.#current = []
  }

  /** Of the run that is or, between two runs, of the one that ended. */
  get current(): readonly string[] {
    return this.#current
  }

  get previous(): readonly string[] | undefined {
    return this.#previous
  }
}
