/** Seconds of a test of one NodePool by whom they were spent; together they are all of it. */
export interface Took {
  /** Karpenter decided: that nodes are needed, that they are empty, that they may go. */
  readonly karpenter: number
  /** EC2 launched and ended instances, and these booted, joined and started the pods. */
  readonly ec2: number
  /** This action: its calls, and what it noticed late. */
  readonly ours: number
}

export type Whose = keyof Took

/** Says of each moment of a test who is waited for, from one turn to the next. */
export class Turns {
  readonly #now: () => number
  readonly #milliseconds: Record<Whose, number> = { karpenter: 0, ec2: 0, ours: 0 }
  #whose: Whose = 'ours'
  #since: number

  /** The clock's milliseconds; it is our turn first. */
  constructor(now: () => number) {
    this.#now = now
    this.#since = now()
  }

  to(whose: Whose): void {
    this.#pass()
    this.#whose = whose
  }

  /** What was waited for may have come about at any moment of the last so many milliseconds: they are ours, and the turn is. */
  late(milliseconds: number): void {
    this.#pass()
    const ours = Math.min(milliseconds, this.#milliseconds[this.#whose])
    this.#milliseconds[this.#whose] -= ours
    this.#milliseconds.ours += ours
    this.#whose = 'ours'
  }

  get took(): Took {
    this.#pass()
    const { karpenter, ec2, ours } = this.#milliseconds
    return { karpenter: seconds(karpenter), ec2: seconds(ec2), ours: seconds(ours) }
  }

  #pass(): void {
    const now = this.#now()
    this.#milliseconds[this.#whose] += now - this.#since
    this.#since = now
  }
}

function seconds(milliseconds: number): number {
  return Math.round(milliseconds / 100) / 10
}
