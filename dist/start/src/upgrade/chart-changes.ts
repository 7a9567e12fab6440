import { canonical, isMap } from '../engine/json.js'
import { unknownValues, type ValueProblem, type Values } from '../helm/values.js'

/** What another version of the chart does to the values. */
export interface ChartChanges {
  /** Values of the user that the new chart does not have, and what became of them. */
  readonly dead: readonly (ValueProblem & { readonly given: 'in helm-values' | 'to the installed release' })[]
  /** New in the chart, with their defaults. */
  readonly added: readonly { readonly path: string; readonly value: unknown }[]
  /** No longer in the chart; only its default was in force. */
  readonly gone: readonly string[]
  /** Defaults that change where the user says nothing. */
  readonly defaults: readonly {
    readonly path: string
    readonly before: unknown
    readonly after: unknown
  }[]
}

export interface ChartFacts {
  /** values.yaml of the installed chart, as its release keeps it; undefined where that may not be read. */
  readonly installed: Values | undefined
  /** The values that the installed release was given. */
  readonly releaseValues: Values
  /** values.yaml of the new chart. */
  readonly chart: Values
  /** The user's own for this run. */
  readonly helmValues: Values
  /** All that the new release will be given. */
  readonly values: Values
}

/** The image goes with the version and is said with it. */
const withTheVersion = new Set(['controller.image.tag', 'controller.image.digest'])

export function chartChanges(facts: ChartFacts): ChartChanges {
  const { installed, releaseValues, chart, helmValues, values } = facts
  const given = unknownValues(helmValues, chart).map((one) => ({ ...one, given: 'in helm-values' as const }))
  const before = unknownValues(releaseValues, chart)
    .filter(({ path }) => !given.some((one) => one.path === path))
    .map((one) => ({ ...one, given: 'to the installed release' as const }))
  const compared = installed === undefined ? none : compare(installed, chart, [])
  return {
    dead: [...given, ...before],
    added: compared.added.map(({ path, after }) => ({ path: path.join('.'), value: after })),
    gone: compared.gone
      .map(({ path }) => path.join('.'))
      .filter((path) => !before.some((one) => one.path === path)),
    defaults: compared.changed
      .filter(({ path }) => !withTheVersion.has(path.join('.')) && !isSet(values, path))
      .map(({ path, before: was, after }) => ({ path: path.join('.'), before: was, after }))
  }
}

interface Place {
  readonly path: readonly string[]
  readonly before: unknown
  readonly after: unknown
}

interface Compared {
  readonly added: readonly Place[]
  readonly gone: readonly Place[]
  readonly changed: readonly Place[]
}

const none: Compared = { added: [], gone: [], changed: [] }

function compare(before: Values, after: Values, above: readonly string[]): Compared {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])]
  return keys
    .map((key): Compared => {
      const [was, is] = [before[key], after[key]]
      const path = [...above, key]
      const place = { path, before: was, after: is }
      if (!(key in before)) return { ...none, added: [place] }
      if (!(key in after)) return { ...none, gone: [place] }
      if (isMap(was) && isMap(is) && Object.keys(was).length > 0) return compare(was, is, path)
      return canonical(was) === canonical(is) ? none : { ...none, changed: [place] }
    })
    .reduce(
      (sum, one) => ({
        added: [...sum.added, ...one.added],
        gone: [...sum.gone, ...one.gone],
        changed: [...sum.changed, ...one.changed]
      }),
      none
    )
}

/** Whether values say anything at a path or put something else in a map's place above it. */
function isSet(values: Values, path: readonly string[]): boolean {
  let at: unknown = values
  for (const key of path) {
    if (!isMap(at)) return at !== undefined
    at = at[key]
  }
  return at !== undefined
}
