import { UserError } from '../../engine/errors.js'

/** Where in the user's text something is said. */
export interface Place {
  /** The path of the file, or `node-pools`. */
  readonly source: string
  /** From 1. */
  readonly document: number
  /** From 1. */
  readonly line: number
}

/** Problems and warnings of a whole text, each with its place, so that one error lists all. */
export class ManifestFindings {
  readonly warnings: string[] = []
  readonly #problems: { readonly where: string; readonly text: string }[] = []

  at(place: Place, what: string): DocumentFindings {
    const where = `${place.source}: document ${place.document} (line ${place.line})${what === '' ? '' : `, ${what}`}`
    return {
      warn: (text) => void this.warnings.push(`${where}: ${text}`),
      problem: (text) => void this.#problems.push({ where, text })
    }
  }

  throwIfAny(): void {
    const [first, ...others] = this.#problems
    if (first === undefined) return
    const rest = others.map(({ where, text }) => `${where}: ${text}`)
    const count = this.#problems.length
    throw new UserError(
      first.where,
      [first.text, ...rest].join('\n'),
      count === 1 ? 'Correct the manifest and run again.' : `Correct these ${count} places and run again.`,
      { state: 'Nothing was changed.' }
    )
  }
}

/** What is found in one document. */
export interface DocumentFindings {
  /** Something that is not as it was: a lossy step. */
  warn(text: string): void
  /** Something that cannot go on. */
  problem(text: string): void
}
