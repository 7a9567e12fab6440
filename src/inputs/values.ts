import { UserError } from '../engine/errors.js'

/** Collects what is wrong with inputs, so that one error lists it all. */
export class InputProblems {
  readonly #problems: string[] = []

  /** `input` is the name as in action.yml; `right` says what would be right. */
  add(input: string, wrong: string, right: string): void {
    this.#problems.push(`${input}: ${wrong}; ${right}`)
  }

  /** Throws one error for all problems. */
  throwIfAny(): void {
    const [first, ...others] = this.#problems
    if (first === undefined) return
    const [subject, ...rest] = first.split(': ')
    throw new UserError(
      subject ?? 'inputs',
      [rest.join(': '), ...others].join('\n'),
      this.#problems.length === 1
        ? 'Correct this input and run again.'
        : `Correct these ${this.#problems.length} inputs and run again.`,
      { state: 'No call was made and nothing was changed.' }
    )
  }
}

/** One of a fixed set of words; the first is assumed where the word is wrong, and the problem is noted. */
export function oneOf<T extends string>(
  problems: InputProblems,
  input: string,
  value: string,
  words: readonly [T, ...T[]]
): T {
  const found = words.find((word) => word === value)
  if (found !== undefined) return found
  problems.add(input, `"${value}" is not known`, `use ${listed(words)}`)
  return words[0]
}

/** YAML 1.2's booleans, as the toolkit reads them. */
export function booleanOf(problems: InputProblems, input: string, value: string): boolean {
  if (/^(true|True|TRUE)$/.test(value)) return true
  if (!/^(false|False|FALSE)$/.test(value))
    problems.add(input, `"${value}" is not a boolean`, 'use true or false')
  return false
}

export function integerOf(
  problems: InputProblems,
  input: string,
  value: string,
  least: number,
  most: number
): number {
  const number = Number(value)
  if (/^\d+$/.test(value) && number >= least && number <= most) return number
  problems.add(
    input,
    `"${value}" is not a whole number from ${least} to ${most}`,
    `use a number such as ${least}`
  )
  return least
}

/** `900`, `90s`, `15m` or `1h30m`, in seconds. */
export function secondsOf(
  problems: InputProblems,
  input: string,
  value: string,
  least: number,
  most: number
): number {
  const parts = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s?)?$/.exec(value)
  const [hours, minutes, seconds] = [parts?.[1], parts?.[2], parts?.[3]].map((part) => Number(part ?? 0))
  const total = (hours ?? 0) * 3600 + (minutes ?? 0) * 60 + (seconds ?? 0)
  if (value !== '' && parts !== null && total >= least && total <= most) return total
  problems.add(
    input,
    `"${value}" is not a duration from ${least}s to ${most}s`,
    'use seconds or a duration such as 15m'
  )
  return least
}

/** Comma- or line-separated, trimmed, without empty entries. */
export function listOf(value: string): string[] {
  return value
    .split(/[\n,]/)
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
}

export function matching(
  problems: InputProblems,
  input: string,
  value: string,
  pattern: RegExp,
  right: string
): string {
  if (!pattern.test(value)) problems.add(input, `"${value}" is not valid`, right)
  return value
}

export function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1) ?? ''}`
}
