import { UserError } from '../engine/errors.js'
import { oneLine } from '../engine/plain-text.js'

/** Collects what is wrong with inputs, so that one error lists it all. */
export class InputProblems {
  readonly #problems: { readonly input: string; readonly text: string }[] = []

  /** `input` is the name as in action.yml; `right` says what would be right. */
  add(input: string, wrong: string, right: string): void {
    this.#problems.push({ input, text: `${wrong}; ${right}` })
  }

  /** Throws one error for all problems. */
  throwIfAny(): void {
    const [first, ...others] = this.#problems
    if (first === undefined) return
    throw new UserError(
      first.input,
      [first.text, ...others.map(({ input, text }) => `${input}: ${text}`)].join('\n'),
      others.length === 0
        ? 'Correct this input and run again.'
        : `Correct these ${others.length + 1} inputs and run again.`,
      { state: 'No call was made and nothing was changed.' }
    )
  }
}

const longestShown = 200

/** Text from outside as an error shows it: on one line, and its beginning alone where it is long. */
export function shown(text: string): string {
  return oneLine(text.length > longestShown ? `${text.slice(0, longestShown)}...` : text)
}

export function quoted(value: string): string {
  return `"${shown(value)}"`
}
