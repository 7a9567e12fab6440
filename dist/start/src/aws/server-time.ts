/** Less than this, in milliseconds, is a Date header's second and the time an answer takes, and no clock that is wrong. */
const sameTime = 5_000
/** Milliseconds of difference that are worth telling a person. */
const worthSaying = 60_000

/** What time it is by AWS: every answer carries it, and a runner's clock may be wrong by hours. */
export class ServerTime {
  readonly #now: () => number
  #ahead = 0

  /** `now`: milliseconds since the epoch by this machine's clock. */
  constructor(now: () => number) {
    this.#now = now
  }

  /** The Date header of an answer that has just come. */
  heard(date: string | undefined): void {
    const time = Date.parse(date ?? '')
    if (Number.isNaN(time)) return
    const ahead = time - this.#now()
    this.#ahead = Math.abs(ahead) < sameTime ? 0 : ahead
  }

  /** Milliseconds by which AWS's clock is ahead of this machine's; 0 when they agree or nothing was heard. */
  get ahead(): number {
    return this.#ahead
  }

  /** Milliseconds since the epoch. */
  now(): number {
    return this.#now() + this.#ahead
  }

  /** What a person is told about a clock that is more than a minute off; undefined when it is not. */
  get warning(): string | undefined {
    if (Math.abs(this.#ahead) < worthSaying) return undefined
    const minutes = Math.round(Math.abs(this.#ahead) / 60_000)
    const by = `${minutes} ${minutes === 1 ? 'minute' : 'minutes'}`
    return (
      `clock: the runner's is ${by} ${this.#ahead < 0 ? 'ahead of' : 'behind'} AWS's. ` +
      "Requests and cluster tokens are signed by AWS's time, so this run is not harmed; set the runner's clock (NTP)."
    )
  }
}
