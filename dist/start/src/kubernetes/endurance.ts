/** How the client measures time and waits: a run's own clock, or a test's. */
export interface Pace {
  /** Milliseconds since a moment of this process's own, which nobody sets. */
  monotonic(): number
  /** Resolves after so many milliseconds; rejects when the signal is aborted. */
  pause(milliseconds: number, signal: AbortSignal): Promise<void>
}

/**
 * Milliseconds that a server which has answered in this run is asked again: an EKS endpoint that moves is away for up to a
 * minute, and a try must come after it.
 */
const awayMilliseconds = 75_000
/** The same for what rarely passes: a webhook that does not answer, behind a server that does. */
const webhookMilliseconds = 10_000
/** A server that has never answered is said to be out of reach after so many tries, three seconds. */
const firstTries = 5
const firstPause = 200
const longestPause = 4_000

/** The tries of one request, or of one watch, since it last went well. */
export class Endurance {
  readonly #pace: Pace
  #since: number | undefined
  #tries = 0

  constructor(pace: Pace) {
    this.#pace = pace
  }

  /** It went well: the next failure is the first again. */
  reset(): void {
    this.#since = undefined
    this.#tries = 0
  }

  /** Seconds since the first failure. */
  get seconds(): number {
    return this.#since === undefined ? 0 : Math.round((this.#pace.monotonic() - this.#since) / 1000)
  }

  /**
   * Milliseconds until the next try, longer each time and by chance, so that many runs do not come at once; undefined when
   * it is time to give up. `asked`: what Retry-After asks for.
   */
  next(
    server: { readonly answered: boolean; readonly webhook?: boolean },
    asked: number | undefined
  ): number | undefined {
    const now = this.#pace.monotonic()
    this.#since ??= now
    this.#tries += 1
    const longest = server.webhook === true ? webhookMilliseconds : awayMilliseconds
    const over = server.answered ? now - this.#since >= longest : this.#tries >= firstTries
    if (over) return undefined
    const pause = Math.min(longestPause, firstPause * 2 ** (this.#tries - 1))
    return asked ?? pause * (0.75 + Math.random() / 2)
  }
}
