import { setDifference, subsetDifferences } from '../engine/compare.js'
import type { Difference } from '../engine/difference.js'
import { isMap } from '../engine/json.js'
import type { Judgement } from '../engine/severity.js'
import { additionsTo } from './additions.js'
import { authorOf, removerOf, writerOf, type ManagedEntry } from './managed-fields.js'
import { contentOf, field, type Manifest } from './manifest.js'
import { isController, isNoise, type Owners } from './noise.js'
import { ourName } from '../engine/owner.js'

/** How much a difference at a path matters. */
export type SeverityOf = (path: string, found: Pick<Difference, 'wanted' | 'live'>) => Judgement

/**
 * Where the live object is not as its manifest says, what others put into it that is ours alone, and what an earlier run
 * put there that the manifest no longer has; each with who wrote it, as far as metadata.managedFields know.
 */
export function manifestDifferences(
  wanted: Manifest,
  live: unknown,
  severity: SeverityOf,
  owners: Owners,
  prefix = ''
): readonly Difference[] {
  const difference = (
    found: Pick<Difference, 'path' | 'wanted' | 'live'>,
    reason: string,
    writer: ManagedEntry | undefined
  ): Difference => ({
    path: nameOf(prefix, found.path),
    wanted: found.wanted,
    live: found.live,
    reason: `${nameOf(prefix, found.path)} ${reason}`,
    ...severity(found.path, found),
    ...(writer !== undefined && { by: authorOf(writer) })
  })
  const changed = subsetDifferences(contentOf(wanted), live).flatMap((found) => {
    const writer =
      found.live === undefined
        ? removerOf(live, found.path, owners.own, isController)
        : writerOf(live, found.path, owners.own)
    return isNoise({ ...found, wanted, added: false, writer })
      ? []
      : [difference(found, changeOf(found), writer)]
  })
  const added = additionsTo(wanted, live, owners).map(({ path, live: value, writer }) =>
    difference({ path, wanted: undefined, live: value }, `is ${shown(value)}, and was not installed`, writer)
  )
  const surplus = appliedPaths(live)
    .filter((path) => field(wanted, ...path) === undefined && field(live, ...path) !== undefined)
    .map((path) =>
      difference(
        { path: path.join('.'), wanted: undefined, live: field(live, ...path) },
        'was set by an earlier run and is no longer wanted',
        undefined
      )
    )
  const known = new Set(added.map(({ path }) => path))
  return [...changed, ...added, ...surplus.filter(({ path }) => !known.has(path))]
}

function nameOf(prefix: string, path: string): string {
  return [prefix, path].filter((part) => part !== '').join('.')
}

function changeOf({ path, wanted, live }: Pick<Difference, 'path' | 'wanted' | 'live'>): string {
  if (live === undefined) return 'is not set'
  if (Array.isArray(wanted) && Array.isArray(live)) {
    const { lacking, surplus } = setDifference(wanted, live, path)
    const parts = [
      ...(lacking.length > 0 ? [`lacks ${lacking.map(shown).join(', ')}`] : []),
      ...(surplus.length > 0 ? [`has ${surplus.map(shown).join(', ')} besides`] : [])
    ]
    if (parts.length > 0) return parts.join(' and ')
  }
  return `is ${shown(live)}, not ${shown(wanted)}`
}

/** The leaves that our own server-side apply set; who owns the object and which run made it are no part of a manifest. */
function appliedPaths(live: unknown): readonly (readonly string[])[] {
  const managed = field(live, 'metadata', 'managedFields')
  const ours = (Array.isArray(managed) ? managed : []).filter(
    (entry: unknown) => field(entry, 'manager') === ourName && field(entry, 'operation') === 'Apply'
  )
  const walk = (node: unknown, path: readonly string[]): readonly (readonly string[])[] => {
    const inner = isMap(node) ? Object.entries(node).filter(([key]) => key.startsWith('f:')) : []
    // Entries of keyed lists (k:, v:) are compared as part of their list.
    if (inner.length === 0) return path.length === 0 ? [] : [path]
    return inner.flatMap(([key, value]) => walk(value, [...path, key.slice(2)]))
  }
  return ours
    .flatMap((entry: unknown) => walk(field(entry, 'fieldsV1'), []))
    .filter((path) => path.at(-1) !== runAnnotation && path.at(-1) !== ownerLabel)
}

export const ownerLabel = 'app.kubernetes.io/managed-by'
export const runAnnotation = 'setup-karpenter/run'

/** A value for a sentence. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value)
  return text.length > 120 ? `${text.slice(0, 117)}...` : text
}
