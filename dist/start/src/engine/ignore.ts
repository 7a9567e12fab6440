import { findingWithoutSecrets } from './secret-values.js'
import type { Finding } from './findings.js'
import type { Inspection, Layer } from './resource.js'
import { withoutSecrets } from './secret-values.js'
import { matches } from './wildcards.js'

/** Fields that are to be left as somebody else keeps them. */
export interface IgnoreEntry {
  /** Id or title of resources, with wildcards: `node-pool/*`, `NodePool default`. */
  readonly resource: string
  /** Field paths inside them, with wildcards: `spec.limits.*`. */
  readonly field: string
  readonly reason: string
  /** The last day on which it counts, `2026-12-31`, in UTC; undefined: for good. */
  readonly until: string | undefined
}

/** A difference that an entry takes in. */
export interface IgnoredField {
  readonly id: string
  readonly title: string
  readonly layer: Layer
  readonly path: string
  /** What differs, in a sentence. Nothing secret. */
  readonly difference: string
  /** The entry's. */
  readonly reason: string
  readonly until?: string
}

/** The entries on a day, and what they have taken in. */
export class IgnoreList {
  readonly #entries: readonly IgnoreEntry[]
  readonly #today: string
  readonly #used = new Set<IgnoreEntry>()

  /** `now`: milliseconds since the epoch. */
  constructor(entries: readonly IgnoreEntry[], now: number) {
    this.#entries = entries
    this.#today = new Date(now).toISOString().slice(0, 10)
  }

  /** The findings that are left, and the others. What does not work, or could not be read, is never ignored. */
  sift(findings: readonly Finding[]): {
    readonly left: readonly Finding[]
    readonly ignored: readonly IgnoredField[]
  } {
    const ignored: IgnoredField[] = []
    const left = findings.filter((finding) => {
      const { kind, id, title, layer, path } = finding
      const entry = kind === 'drift' || kind === 'pending' ? this.#entryOf(finding, path) : undefined
      if (entry === undefined) return true
      ignored.push(field({ id, title, layer }, path, findingWithoutSecrets(finding).reason, entry))
      return false
    })
    return { left, ignored }
  }

  /** The inspections without the differences that are ignored, which an install leaves as they are. */
  leave(inspections: ReadonlyMap<string, Inspection>): {
    readonly inspections: ReadonlyMap<string, Inspection>
    readonly ignored: readonly IgnoredField[]
    /** Fields that cannot be left alone, because their resource is written as a whole for another difference. */
    readonly overwritten: readonly IgnoredField[]
  } {
    const ignored: IgnoredField[] = []
    const overwritten: IgnoredField[] = []
    const left = [...inspections].map(([id, inspection]): readonly [string, Inspection] => {
      const { resource, differences, state } = inspection
      if (state !== 'differs') return [id, inspection]
      const taken = differences.flatMap((difference) => {
        const entry = this.#entryOf(resource, difference.path)
        return entry === undefined
          ? []
          : [field(resource, difference.path, withoutSecrets(difference).reason, entry)]
      })
      if (taken.length === 0) return [id, inspection]
      if (taken.length < differences.length && !resource.leavesFields) {
        overwritten.push(...taken)
        return [id, inspection]
      }
      ignored.push(...taken)
      const paths = new Set(taken.map(({ path }) => path))
      return [id, inspection.leaving((path) => paths.has(path))]
    })
    return { inspections: new Map(left), ignored, overwritten }
  }

  /** Entries that do nothing, in a line each. */
  notes(): readonly string[] {
    return this.#entries.flatMap((entry) => {
      const named = `ignore: ${entry.resource} ${entry.field}`
      if (this.#isOver(entry)) return [`${named} ended on ${entry.until ?? ''}, and is not used any more`]
      return this.#used.has(entry) ? [] : [`${named} matches nothing that differs now`]
    })
  }

  /** What is missing as a whole has no field to be left alone. */
  #entryOf(of: { readonly id: string; readonly title: string }, path: string): IgnoreEntry | undefined {
    if (path === '') return undefined
    const found = this.#entries.find(
      (entry) =>
        !this.#isOver(entry) &&
        (matches(entry.resource, of.id) || matches(entry.resource, of.title)) &&
        matches(entry.field, path)
    )
    if (found !== undefined) this.#used.add(found)
    return found
  }

  #isOver({ until }: IgnoreEntry): boolean {
    return until !== undefined && until < this.#today
  }
}

function field(
  { id, title, layer }: Pick<IgnoredField, 'id' | 'title' | 'layer'>,
  path: string,
  difference: string,
  { reason, until }: IgnoreEntry
): IgnoredField {
  return { id, title, layer, path, difference, reason, ...(until !== undefined && { until }) }
}
