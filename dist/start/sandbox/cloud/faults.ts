import type { Fault } from './service.js'

interface Counted {
  readonly fault: Fault
  seen: number
}

/** The faults a test asked for, each with a count of the calls it has matched. */
export class Faults {
  #faults: readonly Counted[] = []

  set(faults: readonly Fault[]): void {
    this.#faults = faults.map((fault) => ({ fault, seen: 0 }))
  }

  /** The effect for this call, by the first fault that matches it and is neither still skipping nor used up. */
  next(service: string, action: string): Fault['effect'] | undefined {
    for (const counted of this.#faults) {
      const { fault } = counted
      if (fault.service !== undefined && fault.service !== service) continue
      if (fault.action !== undefined && fault.action !== action) continue
      counted.seen += 1
      const turn = counted.seen - (fault.skip ?? 0)
      const spared = fault.effect.kind === 'lag' && fault.effect.flickers === true && turn % 2 === 0
      if (turn >= 1 && turn <= (fault.times ?? Infinity) && !spared) return fault.effect
    }
    return undefined
  }
}
