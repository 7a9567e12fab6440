import { isMap, type JsonMap } from '../../engine/json.js'
import type { DocumentFindings } from './findings.js'

/** Readers of one manifest's fields: what has the wrong shape is a problem, named by its path. */
export class Fields {
  readonly #value: JsonMap
  readonly #path: string
  readonly findings: DocumentFindings

  constructor(value: unknown, path: string, findings: DocumentFindings) {
    this.findings = findings
    this.#path = path
    if (value !== undefined && value !== null && !isMap(value)) findings.problem(`${path} is not a map`)
    this.#value = isMap(value) ? value : {}
  }

  /** Names of the fields that are there and not null. */
  names(): readonly string[] {
    return Object.keys(this.#value).filter((name) => this.#value[name] !== null)
  }

  has(name: string): boolean {
    return this.#value[name] !== undefined && this.#value[name] !== null
  }

  raw(name: string): unknown {
    return this.has(name) ? this.#value[name] : undefined
  }

  path(name: string): string {
    return `${this.#path}.${name}`
  }

  map(name: string): Fields {
    return new Fields(this.raw(name), this.path(name), this.findings)
  }

  list(name: string): readonly unknown[] {
    const value = this.raw(name)
    if (value === undefined) return []
    if (Array.isArray(value)) return value
    this.findings.problem(`${this.path(name)} is not a list`)
    return []
  }

  /** Text; a number, as YAML reads an unquoted one, is taken as its text. */
  text(name: string): string | undefined {
    return this.#textOf(this.raw(name), this.path(name))
  }

  /** A list of texts. */
  textList(name: string): readonly string[] {
    return this.list(name).flatMap(
      (value, index) => this.#textOf(value, `${this.path(name)}[${index}]`) ?? []
    )
  }

  /** `yes` is true as kubectl reads it, so that a boolean does not say what was written. */
  #textOf(value: unknown, path: string): string | undefined {
    if (typeof value === 'boolean') {
      this.findings.problem(`${path} is read as ${value}, not as a text: write it in quotes`)
      return String(value)
    }
    const text = textOf(value)
    if (value !== undefined && text === undefined) this.findings.problem(`${path} is not a text`)
    return text
  }

  /** A whole number that is not negative. */
  count(name: string): number | undefined {
    const value = this.raw(name)
    if (value === undefined) return undefined
    const number = typeof value === 'string' ? Number(value) : value
    if (typeof number === 'number' && Number.isSafeInteger(number) && number >= 0) return number
    this.findings.problem(`${this.path(name)}: ${JSON.stringify(value)} is not a whole number from 0 up`)
    return undefined
  }

  boolean(name: string): boolean | undefined {
    const value = this.raw(name)
    if (value === undefined || typeof value === 'boolean') return value
    this.findings.problem(
      `${this.path(name)}: ${JSON.stringify(value)} is not a boolean; write true or false`
    )
    return undefined
  }

  /** A map of texts. */
  texts(name: string): Readonly<Record<string, string>> {
    const own = this.map(name)
    return Object.fromEntries(
      own.names().flatMap((key) => {
        const text = own.text(key)
        return text === undefined ? [] : [[key, text]]
      })
    )
  }
}

/** The text of a text or number; undefined for everything else. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined
}
