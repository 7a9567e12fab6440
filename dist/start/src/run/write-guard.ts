/** What every write of a run passes: to AWS, to Kubernetes, and by helm. */
export class WriteGuard {
  #check: (() => Promise<void>) | undefined

  /** From now on writes await this; undefined: they await nothing. */
  set(check: (() => Promise<void>) | undefined): void {
    this.#check = check
  }

  /** Resolves when the run may write; rejects when it may not any more. */
  readonly pass = async (): Promise<void> => this.#check?.()
}
