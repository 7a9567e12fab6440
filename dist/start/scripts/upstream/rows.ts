import semver from 'semver'
import type { Release } from '../../src/karpenter/releases.js'
import { type DigestRow, type Digests, type Partition, partitions } from './digests.js'

/** What was read of versions, by version. */
export type Read<T> = ReadonlyMap<string, T>

/** Facts of one version. */
export type ReleaseFacts = Omit<Release, 'from'>

/** Digests of one version's template. */
export interface TemplateDigests {
  readonly source: string
  readonly digests: Readonly<Record<Partition, Digests>>
}

/**
 * The rows with what was read in them: each version that was read is as it was read, every other one as the rows had it. A row
 * begins where something changes.
 */
export function releaseRows(
  rows: readonly Release[],
  read: Read<ReleaseFacts>,
  known: readonly string[]
): readonly Release[] {
  const all = boundaries([...rows.map(({ from }) => from), ...known, ...read.keys()])
  return all.reduce<readonly Release[]>((made, from) => {
    const facts = read.get(from) ?? rowAt(rows, from)
    const before = made.at(-1)
    if (facts === undefined || (before !== undefined && sameFacts(before, facts))) return made
    return [...made, { from, kubernetes: facts.kubernetes, nodeClassHash: facts.nodeClassHash }]
  }, [])
}

/** The same for the digests of templates. */
export function digestRows(
  rows: readonly DigestRow[],
  read: Read<TemplateDigests>,
  known: readonly string[]
): readonly DigestRow[] {
  const all = boundaries([...rows.map(({ from }) => from), ...known, ...read.keys()])
  let before: TemplateDigests['digests'] = { aws: {}, 'aws-cn': {}, 'aws-us-gov': {} }
  return all.flatMap((from): readonly DigestRow[] => {
    const now = read.get(from)
    const row = rowAt(rows, from)
    if (now === undefined && row === undefined) return []
    const digests = now?.digests ?? digestsAt(rows, from)
    const changes = changesBetween(before, digests)
    before = digests
    return Object.keys(changes).length === 0
      ? []
      : [{ from, source: now?.source ?? row?.source ?? '', changes }]
  })
}

/** What the rows come to at a version. */
export function digestsAt(rows: readonly DigestRow[], version: string): TemplateDigests['digests'] {
  const changes = rows.filter(({ from }) => semver.lte(from, version)).map((row) => row.changes)
  const of = (partition: Partition): Digests => {
    const digests = new Map<string, string>()
    for (const [part, digest] of changes.flatMap((one) => Object.entries(one))) {
      if (digest === null) digests.delete(part)
      else digests.set(part, digest[partition])
    }
    return Object.fromEntries(digests)
  }
  return { aws: of('aws'), 'aws-cn': of('aws-cn'), 'aws-us-gov': of('aws-us-gov') }
}

/** The newest patch of each minor, ascending; a release that is known to be bad is none. */
export function newestPatches(
  versions: readonly string[],
  isSound: (version: string) => boolean
): readonly string[] {
  const newest = new Map<string, string>()
  for (const version of versions.filter(isSound).toSorted(semver.compare))
    newest.set(minorOf(version), version)
  return [...newest.values()]
}

function minorOf(version: string): string {
  return `${semver.major(version)}.${semver.minor(version)}`
}

function changesBetween(
  before: TemplateDigests['digests'],
  after: TemplateDigests['digests']
): DigestRow['changes'] {
  const parts = [...new Set([...Object.keys(before.aws), ...Object.keys(after.aws)])]
  return Object.fromEntries(
    parts
      .filter((part) => partitions.some((partition) => before[partition][part] !== after[partition][part]))
      .toSorted()
      .map((part) => {
        const [aws, china, gov] = partitions.map((partition) => after[partition][part])
        const gone = aws === undefined || china === undefined || gov === undefined
        return [part, gone ? null : { aws, 'aws-cn': china, 'aws-us-gov': gov }]
      })
  )
}

/** In order, with the first version of each minor: what one minor's last patch changes does not hold for the next minor. */
function boundaries(versions: readonly string[]): readonly string[] {
  return [...new Set([...versions, ...versions.map((version) => `${minorOf(version)}.0`)])].toSorted(
    semver.compare
  )
}

function rowAt<T extends { readonly from: string }>(rows: readonly T[], version: string): T | undefined {
  return rows.findLast(({ from }) => semver.lte(from, version))
}

function sameFacts(one: ReleaseFacts, other: ReleaseFacts): boolean {
  return (
    one.kubernetes.least === other.kubernetes.least &&
    one.kubernetes.most === other.kubernetes.most &&
    one.nodeClassHash === other.nodeClassHash
  )
}
