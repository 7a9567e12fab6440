import { messageOf } from '../engine/errors.js'
import { isMap } from '../engine/json.js'
import { hashVersionIn, kubernetesIn, tagPaths } from './tag-constants.js'
import { gradeOf, newestTested, rowOf } from './tested-versions.js'
import { type BreakingChange, breakingChanges } from './upgrade-guide.js'
import { upstreamFileUrl, upstreamTemplateUrl } from './template.js'
import { baseOf, exactVersion } from './versions.js'

/** Kubernetes 1.x; `most` undefined: not known. */
export interface KubernetesRange {
  readonly least: number
  readonly most: number | undefined
}

/** `table`: of a minor that was tested. `tag`: upstream's files. `record`: the same, read at the last install. `newest row`: of
 * the newest version that was tested, because nothing is known of this one. */
export type FactOrigin = 'table' | 'tag' | 'record' | 'newest row'

export interface Fact<T> {
  readonly value: T
  readonly origin: FactOrigin
  /** Why it is the newest row's. */
  readonly reason?: string
}

/** What differs between versions and is not in the chart. */
export interface VersionFacts {
  readonly version: string
  readonly kubernetes: Fact<KubernetesRange>
  /** EC2NodeClassHashVersion; undefined: not known. */
  readonly nodeClassHash: Fact<string | undefined>
  /** The template that upstream publishes for it; undefined where the table's is meant. */
  readonly template: Fact<string | undefined>
  /** What the upgrade guide calls breaking, of versions after the newest that was tested. */
  readonly upgradeNotes: Fact<readonly BreakingChange[]>
}

/** What a record keeps, so that later runs need not ask. */
export interface RecordedFacts {
  readonly version: string
  readonly kubernetes?: KubernetesRange
  readonly nodeClassHash?: string
  readonly upgradeNotes?: readonly BreakingChange[]
}

export interface FactsPorts {
  /** The body of a 200 answer; rejects for everything else. Undefined: nothing of upstream is to be asked. */
  readonly fetchText: ((url: string) => Promise<string>) | undefined
  /** Why it is not, for the words. */
  readonly notAsked?: string
  readonly recorded?: RecordedFacts | undefined
  /** Whether its template is needed as well. */
  readonly template?: boolean
}

/**
 * What holds for a version: of the table for every patch of a tested minor, else what the record has, else what upstream has
 * at the version's tag, all of it asked for at once. What cannot be had, or is not what it is expected to be, is the newest
 * row's, its upper Kubernetes and its hash unknown. Never throws.
 */
export async function factsOf(version: string, ports: FactsPorts): Promise<VersionFacts> {
  if (gradeOf(version) !== 'untested') return tableFacts(version)
  const recorded = ports.recorded?.version === version ? ports.recorded : undefined
  const file = async <T>(
    url: string,
    known: T | undefined,
    otherwise: T,
    parse: (text: string) => T
  ): Promise<Fact<T>> => {
    if (known !== undefined) return { value: known, origin: 'record' }
    if (ports.fetchText === undefined)
      return {
        value: otherwise,
        origin: 'newest row',
        ...(ports.notAsked !== undefined && { reason: ports.notAsked })
      }
    try {
      return { value: parse(await ports.fetchText(url)), origin: 'tag' }
    } catch (error) {
      return { value: otherwise, origin: 'newest row', reason: `${url}: ${messageOf(error)}` }
    }
  }
  const at = (path: string): string => upstreamFileUrl(version, path)
  const { least } = rowOf(newestTested).kubernetes
  const [kubernetes, nodeClassHash, upgradeNotes, template] = await Promise.all([
    file<KubernetesRange>(
      at(tagPaths.kubernetes),
      recorded?.kubernetes,
      { least, most: undefined },
      kubernetesIn
    ),
    file<string | undefined>(at(tagPaths.nodeClassHash), recorded?.nodeClassHash, undefined, hashVersionIn),
    file<readonly BreakingChange[]>(at(tagPaths.upgradeNotes), recorded?.upgradeNotes, [], (text) =>
      breakingChanges(text, newestTested, baseOf(version))
    ),
    ports.template === true
      ? file<string | undefined>(upstreamTemplateUrl(version), undefined, undefined, (text) => text)
      : { value: undefined, origin: 'newest row' as const }
  ])
  return { version, kubernetes, nodeClassHash, template, upgradeNotes }
}

/** The table's row alone, for what needs no more than that a version is compared with something. */
export function tableFacts(version: string): VersionFacts {
  const { kubernetes, nodeClassHash } = rowOf(version)
  const origin = gradeOf(version) === 'untested' ? 'newest row' : 'table'
  const known = origin === 'table'
  return {
    version,
    kubernetes: { value: { ...kubernetes, ...(!known && { most: undefined }) }, origin },
    nodeClassHash: { value: known ? nodeClassHash : undefined, origin },
    template: { value: undefined, origin },
    upgradeNotes: { value: [], origin }
  }
}

/** Hash of a version that need not be asked for: of the table or the record. */
export function knownHash(
  version: string | undefined,
  recorded: RecordedFacts | undefined
): string | undefined {
  if (exactVersion(version) === undefined || version === undefined) return undefined
  if (gradeOf(version) !== 'untested') return rowOf(version).nodeClassHash
  return recorded?.version === version ? recorded.nodeClassHash : undefined
}

/** What of the facts is worth keeping: what the table does not have and upstream said. */
export function factsToRecord(facts: VersionFacts): RecordedFacts | undefined {
  const { version, kubernetes, nodeClassHash, upgradeNotes } = facts
  const read = ({ origin }: Fact<unknown>): boolean => origin === 'tag' || origin === 'record'
  if (![kubernetes, nodeClassHash, upgradeNotes].some(read)) return undefined
  return {
    version,
    ...(read(kubernetes) && { kubernetes: kubernetes.value }),
    ...(read(nodeClassHash) && nodeClassHash.value !== undefined && { nodeClassHash: nodeClassHash.value }),
    ...(read(upgradeNotes) && { upgradeNotes: upgradeNotes.value })
  }
}

/** Of what a record has; undefined for anything else. */
export function parseFacts(value: unknown): RecordedFacts | undefined {
  if (!isMap(value) || typeof value['version'] !== 'string') return undefined
  const { version, kubernetes, nodeClassHash, upgradeNotes } = value
  const [least, most] = isMap(kubernetes) ? [kubernetes['least'], kubernetes['most']] : []
  return {
    version,
    ...(typeof least === 'number' && typeof most === 'number' && { kubernetes: { least, most } }),
    ...(typeof nodeClassHash === 'string' && { nodeClassHash }),
    ...(Array.isArray(upgradeNotes) && { upgradeNotes: upgradeNotes.flatMap(breakingChangeOf) })
  }
}

function breakingChangeOf(value: unknown): readonly BreakingChange[] {
  if (!isMap(value)) return []
  const { version, text } = value
  return typeof version === 'string' && typeof text === 'string' ? [{ version, text }] : []
}
