import type { Step } from '../engine/resource.js'

export interface PollOptions {
  /** What is waited for, for the log: `role blue-karpenter to be visible`. Asked anew after each try where it changes. */
  readonly what: string | (() => string)
  readonly timeoutMilliseconds: number
  /** Between the first two tries. Default 1000. */
  readonly firstPauseMilliseconds?: number
  /** Default 5000. */
  readonly longestPauseMilliseconds?: number
  /** Thrown when the time is up. */
  readonly giveUp: () => Error
}

/** Tries at once, then ever more slowly, until `attempt` gives a value. */
export async function poll<T>(
  step: Pick<Step, 'waiting' | 'pause' | 'now'>,
  options: PollOptions,
  attempt: () => Promise<T | undefined>
): Promise<T> {
  const longest = options.longestPauseMilliseconds ?? 5_000
  const deadline = step.now() + options.timeoutMilliseconds
  let pause = options.firstPauseMilliseconds ?? 1_000
  for (;;) {
    const value = await attempt()
    if (value !== undefined) {
      step.waiting(undefined)
      return value
    }
    if (step.now() >= deadline) throw options.giveUp()
    step.waiting(typeof options.what === 'string' ? options.what : options.what())
    await step.pause(pause)
    pause = Math.min(longest, pause * 1.5)
  }
}
