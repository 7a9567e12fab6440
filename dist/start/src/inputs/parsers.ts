import { quoted } from './problems.js'

/** What a parser is given besides the text: where to say what is wrong, and the workspace. */
export interface Reading {
  problem(wrong: string, right: string): void
  /** Text of a file of the workspace; throws when it cannot be read. */
  readFile(path: string): string
  /** Paths of the workspace's files that a glob matches, in order. */
  findFiles(glob: string): readonly string[]
}

/** Never throws: what is wrong is said as a problem, and any value will do then. */
export type Parser<T> = (text: string, reading: Reading) => T

export function text(): Parser<string> {
  return (value) => value
}

export function matching(pattern: RegExp, right: string): Parser<string> {
  return (value, reading) => {
    if (!pattern.test(value)) reading.problem(`${quoted(value)} is not valid`, right)
    return value
  }
}

/** Undefined where nothing is given. */
export function optional<T>(parser: Parser<T>): Parser<T | undefined> {
  return (value, reading) => (value === '' ? undefined : parser(value, reading))
}

/** One of a fixed set of words. */
export function word<T extends string>(...words: readonly [T, ...T[]]): Parser<T> {
  return (value, reading) => {
    const found = words.find((one) => one === value)
    if (found === undefined) reading.problem(`${quoted(value)} is not known`, `use ${listed(words)}`)
    return found ?? words[0]
  }
}

/** YAML 1.2's booleans, as the toolkit reads them. */
export function boolean(): Parser<boolean> {
  return (value, reading) => {
    if (/^(true|True|TRUE)$/.test(value)) return true
    if (!/^(false|False|FALSE)$/.test(value))
      reading.problem(`${quoted(value)} is not a boolean`, 'use true or false')
    return false
  }
}

export function integer(least: number, most: number): Parser<number> {
  return (value, reading) => {
    const number = Number(value)
    if (/^\d+$/.test(value) && number >= least && number <= most) return number
    reading.problem(
      `${quoted(value)} is not a whole number from ${least} to ${most}`,
      `use a number such as ${least}`
    )
    return least
  }
}

/** `900`, `90s`, `15m` or `1h30m`, in seconds. */
export function duration(least: number, most: number): Parser<number> {
  return (value, reading) => {
    const parts = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s?)?$/.exec(value)
    const [hours = 0, minutes = 0, seconds = 0] = [1, 2, 3].map((index) => Number(parts?.[index] ?? 0))
    const total = hours * 3600 + minutes * 60 + seconds
    if (value !== '' && parts !== null && total >= least && total <= most) return total
    reading.problem(
      `${quoted(value)} is not a duration from ${least}s to ${most}s`,
      'use seconds or a duration such as 15m'
    )
    return least
  }
}

/** Entries, each once. */
export function list<T>(entry: Parser<T>): Parser<readonly T[]> {
  return (value, reading) => [...new Set(entriesOf(value))].map((one) => entry(one, reading))
}

/** Comma- or line-separated, trimmed, without empty entries. */
export function entriesOf(value: string): readonly string[] {
  return value
    .split(/[\n,]/)
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
}

function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1) ?? ''}`
}
