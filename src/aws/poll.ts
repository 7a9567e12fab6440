import { UserError } from '../engine/errors.js'
import type { Step } from '../engine/resource.js'

export interface PollOptions {
  /** What is waited for, for the log: `role blue-karpenter to be visible`. Asked anew after each try where it changes. */
  readonly what: string | (() => string)
  readonly timeoutMilliseconds: number
  /** Between the first two tries. Default 1000. */
  readonly firstPauseMilliseconds?: number
  /** Default 5000. */
  readonly longestPauseMilliseconds?: number
  /** Instead of both: the pause by what has passed, such as noticingPause. */
  readonly pauseAfter?: (elapsedMilliseconds: number) => number
  /** It was begun a moment ago and takes longer than a pause: the first try is after one. */
  readonly justBegun?: true
  /** Thrown when the time is up. */
  readonly giveUp: () => Error
}

/** Milliseconds in which the end of a short wait is noticed at every moment. */
const briskly = 30_000
/** Leaves the call itself a tenth of a second of the half that a notice may be late. */
const briskPause = 400
/** What ends soon is noticed sooner: the first looks are this far apart. */
const soonest = 200
const longestNoticingPause = 5_000

/**
 * Milliseconds until AWS is asked again, after a wait of so many: by it an end is noticed within 0.5 s in the first 30 s, and
 * later within a tenth of what has passed, at most 5 s. `throttled`: answers so far that took more than one try, each of which
 * doubles the pause: AWS does not publish the rates of CloudFormation's reads, which all callers of an account and region
 * share, and says to back off (re:Post knowledge center, cloudformation-rate-exceeded-error).
 */
export function noticingPause(elapsedMilliseconds: number, throttled = 0): number {
  const brisk = Math.max(soonest, Math.min(briskPause, elapsedMilliseconds))
  const pause = elapsedMilliseconds < briskly ? brisk : elapsedMilliseconds / 10
  return Math.min(longestNoticingPause, pause * 2 ** throttled)
}

/** For what was written and shows late: two minutes, then the problem of that title, with what to do about it. */
export function untilShown(
  what: PollOptions['what'],
  title: string,
  problem: string,
  fix = 'Run again.'
): PollOptions {
  return {
    what,
    timeoutMilliseconds: 120_000,
    firstPauseMilliseconds: 500,
    giveUp: () => new UserError(title, problem, fix)
  }
}

/** Tries at once, unless it was begun just now, then ever more slowly, until `attempt` gives a value. */
export async function poll<T>(
  step: Pick<Step, 'waiting' | 'pause' | 'now'>,
  options: PollOptions,
  attempt: () => Promise<T | undefined>
): Promise<T> {
  const longest = options.longestPauseMilliseconds ?? 5_000
  const started = step.now()
  const deadline = started + options.timeoutMilliseconds
  let pause = options.firstPauseMilliseconds ?? 1_000
  const wait = async (): Promise<void> => {
    step.waiting(typeof options.what === 'string' ? options.what : options.what())
    await step.pause(options.pauseAfter?.(step.now() - started) ?? pause)
    pause = Math.min(longest, pause * 1.5)
  }
  if (options.justBegun === true) await wait()
  for (;;) {
    const value = await attempt()
    if (value !== undefined) {
      step.waiting(undefined)
      return value
    }
    if (step.now() >= deadline) throw options.giveUp()
    await wait()
  }
}
