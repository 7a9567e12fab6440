import type { Step } from '../engine/resource.js'

/** Lets several waits that go on side by side be shown as one. */
export class JointWaits {
  readonly #step: Step
  readonly #waits = new Map<string, string>()

  constructor(step: Step) {
    this.#step = step
  }

  /** The step of one of them: all as it is, but that what it waits for is shown beside what the others wait for. */
  of(name: string): Step {
    const { signal } = this.#step
    return {
      changed: (line) => this.#step.changed(line),
      note: (line) => this.#step.note(line),
      warning: (line) => this.#step.warning(line),
      waiting: (what) => this.#say(name, what),
      signal,
      now: () => this.#step.now(),
      pause: async (milliseconds) => this.#step.pause(milliseconds)
    }
  }

  #say(name: string, what: string | undefined): void {
    if (what === undefined) this.#waits.delete(name)
    else this.#waits.set(name, what)
    const [only] = this.#waits.values()
    if (this.#waits.size < 2) return this.#step.waiting(only)
    const all = [...this.#waits].map(([one, text]) => `${one}: ${text}`)
    this.#step.waiting(`${all.length} NodePools at once: ${all.join(' | ')}`)
  }
}
