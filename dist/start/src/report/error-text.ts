import { messageOf, UserError } from '../engine/errors.js'

/** GitHub cuts an annotation's message at 4,096 characters (runner source, 2026). */
const longestAnnotation = 4000

/**
 * The text of a failed run: what failed and where, what state things were left in, what to do.
 * `state` is what the run itself knows of what was written before the failure.
 */
export function errorText(error: unknown, state: string): string {
  const errors = error instanceof AggregateError ? error.errors : [error]
  const text = errors.map((one: unknown) => oneError(one, state)).join('\n\n')
  return text.length <= longestAnnotation
    ? text
    : `${text.slice(0, longestAnnotation)}\n  (cut: the report has the rest)`
}

function oneError(error: unknown, state: string): string {
  if (!(error instanceof UserError)) {
    return `setup-karpenter: ${messageOf(error)}\n${indented(state)}`
  }
  return [`setup-karpenter: ${error.message}`, indented(whole(error.state, state)), indented(error.fix)].join(
    '\n'
  )
}

/** An error knows how it left its own resource; what else was changed stands in the run's list. */
function whole(own: string | undefined, state: string): string {
  if (own === undefined) return state
  if (!state.startsWith(changesMade)) return own
  return own === nothingChanged ? state : `${own}\n${state}`
}

function indented(text: string): string {
  return text
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n')
}

const nothingChanged = 'Nothing was changed.'
const changesMade = 'These changes were made and stay'

/** `Nothing was changed.`, or the changes that stay, for the second line of an error. */
export function stateText(changes: readonly string[]): string {
  if (changes.length === 0) return nothingChanged
  const shown = changes.slice(0, 12)
  const rest = changes.length - shown.length
  return [
    `${changesMade}; running again goes on from here:`,
    ...shown.map((line) => `- ${line}`),
    ...(rest > 0 ? [`- and ${rest} more (see the report)`] : [])
  ].join('\n')
}
