/** A status instead of the API server's answer, or a connection that breaks. `done`: it has carried the call out before. */
export interface ApiFault {
  readonly answer: 429 | 500 | 503 | 'reset'
  readonly done?: boolean
}

const answers = [429, 500, 503, 'reset'] as const

/** Gives so large a part of all calls one of the faults; half of those that may have been carried out have been. */
export function randomFaults(random: () => number, part: number): () => ApiFault | undefined {
  return () => {
    if (random() >= part) return undefined
    const answer = answers[Math.floor(random() * answers.length)] ?? 503
    return { answer, done: answer !== 429 && random() < 0.5 }
  }
}

/** Numbers from 0 to 1 that follow from a seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
