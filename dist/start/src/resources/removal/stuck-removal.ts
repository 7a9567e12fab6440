import { UserError } from '../../engine/errors.js'
import type { Step } from '../../engine/resource.js'

/** Milliseconds that a controller may have no ready replica before it counts as gone. */
export const notReadyPatience = 60_000

export const installAgain =
  'Mode install brings the controller back as it should be; then run the uninstall again.'

/** Nobody works on a finalizer: what that means, first how to put it right, then how to force it. */
export function missingController(
  subject: string,
  problem: string,
  meanwhile: string,
  force: string
): UserError {
  return new UserError(
    subject,
    `${problem}: without one they never go, and ${meanwhile}`,
    `First: run mode install, which brings the controller back, then the uninstall again. Only if that cannot be: \`force-drain: true\`, which ${force}.`,
    { state: 'Nothing was taken away by force.' }
  )
}

/**
 * What a wait is to reject with: the explanation when the run's time is up, whatever was thrown otherwise. The
 * explanation's cause is the signal's reason.
 */
export function whenTimeIsUp(error: unknown, step: Step, explain: () => UserError): unknown {
  const reason: unknown = step.signal.reason
  return step.signal.aborted && reason instanceof Error && reason.name === 'TimeoutError' ? explain() : error
}

/** The first three of a list, and how many more there are. */
export function namedFew(names: readonly string[]): string {
  const shown = names.slice(0, 3)
  const more = names.length - shown.length
  return `${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}
