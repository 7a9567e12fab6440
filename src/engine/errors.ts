/**
 * An error that is part of the product: what failed and on what, what was left as it is, what the user can do now.
 * The message's first line starts with the input or resource at fault.
 */
export class UserError extends Error {
  /** Where things were left, in a sentence; the walk fills it in when the thrower could not know. */
  readonly state: string | undefined
  /** What the user can do now. */
  readonly fix: string
  constructor(
    subject: string,
    problem: string,
    fix: string,
    options: { state?: string; cause?: unknown } = {}
  ) {
    super(`${subject}: ${problem}`, { cause: options.cause })
    this.name = 'UserError'
    this.state = options.state
    this.fix = fix
  }
}

/** Thrown out of every wait when the run is to end, cancelled or out of time: nothing that was waited for has failed. */
export class RunEndedError extends Error {}

/** The text of whatever was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}
