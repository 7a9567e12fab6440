import type { Author, Difference, Severity } from './difference.js'
import type { Graph } from './graph.js'
import type { Health } from './health.js'
import { isMap } from './json.js'
import type { InstallRecord } from './record.js'
import type { AnyResource, Inspection, Layer } from './resource.js'

/**
 * What a difference is: `drift`, the live state is not as it was installed (or, without a record, not as wanted);
 * `pending`, the wanted state has moved since the install; `unknown`, it could not be read; `unhealthy`, it is there and does
 * not do its work.
 */
export type FindingKind = 'drift' | 'unhealthy' | 'pending' | 'unknown'

/** Id of the one finding that stands for an installation that is not there. */
export const notInstalledId = 'installation'

/** One place in which record, wanted state and live state do not agree. */
export interface Finding {
  readonly kind: FindingKind
  /** Of the resource. */
  readonly id: string
  readonly title: string
  readonly layer: Layer
  /** Field path inside the resource; empty for the resource as a whole. */
  readonly path: string
  readonly wanted: unknown
  /** What the record of the last install has there; undefined without a record. */
  readonly recorded: unknown
  readonly live: unknown
  readonly severity: Severity
  /** What depends on it, where a rule says so: reads on after the severity. */
  readonly effect?: string
  /** One sentence. */
  readonly reason: string
  /** What mode install would do about it, in a sentence. */
  readonly install: string
  /** Who made it so, where that can be known. */
  readonly by?: Author
  /** For `unknown`: the action or verb that the caller lacks. */
  readonly missingPermission?: string
}

/** Compares every resource three ways. The order is the graph's; what only the record has comes last. */
export function findingsOf(
  graph: Graph,
  inspections: ReadonlyMap<string, Inspection>,
  record: InstallRecord | undefined
): readonly Finding[] {
  const modelled = graph.resources.flatMap((resource) => {
    const inspection = inspections.get(resource.id)
    return inspection === undefined ? [] : resourceFindings(inspection, record)
  })
  return [...modelled, ...noLongerWanted(graph, record)]
}

/** How many findings there are of each kind. */
export function countsOf(findings: readonly Finding[]): Readonly<Record<FindingKind, number>> {
  const count = (kind: FindingKind): number => findings.filter((finding) => finding.kind === kind).length
  return {
    drift: count('drift'),
    unhealthy: count('unhealthy'),
    pending: count('pending'),
    unknown: count('unknown')
  }
}

/** The findings of something that is not well, or whose health cannot be told. */
export function healthFindings(
  of: Pick<AnyResource, 'id' | 'title' | 'layer'>,
  { ailments, unread }: Health
): readonly Finding[] {
  const { id, title, layer } = of
  return [
    ...ailments.map(({ install = 'not mend it', fix, ...said }): Finding => ({
      kind: 'unhealthy',
      id,
      title,
      layer,
      recorded: undefined,
      ...said,
      install: `${install}. ${fix}`
    })),
    ...unread.map(({ reason, missingPermission }): Finding => ({
      kind: 'unknown',
      id,
      title,
      layer,
      path: '',
      wanted: undefined,
      recorded: undefined,
      live: undefined,
      severity: 'cosmetic',
      reason: `whether it works cannot be told: ${reason}`,
      install: 'go on without it',
      missingPermission
    }))
  ]
}

function resourceFindings(inspection: Inspection, record: InstallRecord | undefined): readonly Finding[] {
  const { resource, differences, unreadable } = inspection
  if (unreadable !== undefined) return [unknown(resource, unreadable)]
  const recorded = record?.resources[resource.id]?.wanted
  if (recorded === undefined) {
    // A record that lacks the resource is of an install that did not want it yet, or that did not come so far.
    const kind = record === undefined ? 'drift' : 'pending'
    return differences.map((difference) => finding(inspection, kind, difference, undefined))
  }
  const drift = inspection.against(recorded)
  const drifted = new Set(drift.map(({ path }) => path))
  const today = new Map(differences.map((difference) => [difference.path, difference]))
  return [
    ...drift.map((difference) => {
      const now = today.get(difference.path)
      if (now !== undefined) return finding(inspection, 'drift', now, difference.wanted)
      return {
        ...finding(inspection, 'drift', difference, difference.wanted),
        wanted: difference.live,
        install: 'leave it, because it is as the inputs want it now'
      }
    }),
    // Where the record has no quarrel with it, the live value is the one that was installed.
    ...differences
      .filter(({ path }) => !drifted.has(path))
      .map((difference) => finding(inspection, 'pending', difference, difference.live))
  ]
}

function identity({ id, title, layer }: AnyResource): Pick<Finding, 'id' | 'title' | 'layer'> {
  return { id, title, layer }
}

function finding(
  inspection: Inspection,
  kind: 'drift' | 'pending',
  difference: Difference,
  recorded: unknown
): Finding {
  const { path, wanted, live, severity, effect, reason, by } = difference
  return {
    ...identity(inspection.resource),
    kind,
    path,
    wanted,
    recorded,
    live,
    severity,
    reason,
    install: whatInstallDoes(inspection, kind, difference),
    ...(effect !== undefined && { effect }),
    ...(by !== undefined && { by })
  }
}

function unknown(
  resource: AnyResource,
  { reason, missingPermission }: NonNullable<Inspection['unreadable']>
): Finding {
  return {
    ...identity(resource),
    kind: 'unknown',
    path: '',
    wanted: undefined,
    recorded: undefined,
    live: undefined,
    severity: 'cosmetic',
    reason,
    install: 'end before its first write, because it cannot compare this',
    ...(missingPermission !== undefined && { missingPermission })
  }
}

/** What the last install had and today's inputs no longer ask for. */
function noLongerWanted(graph: Graph, record: InstallRecord | undefined): readonly Finding[] {
  if (record === undefined) return []
  const modelled = new Set(graph.resources.map(({ id }) => id))
  return Object.entries(record.resources).flatMap(([id, { wanted }]): Finding[] =>
    modelled.has(id) || wanted === undefined
      ? []
      : [
          {
            id,
            title: id,
            layer: 'karpenter',
            kind: 'pending',
            path: '',
            wanted: undefined,
            recorded: wanted,
            live: undefined,
            severity: 'cosmetic',
            reason: `was installed on ${record.time} and is no longer asked for`,
            install: 'leave it as it is; mode uninstall removes it'
          }
        ]
  )
}

function whatInstallDoes(
  { state, refusal }: Inspection,
  kind: 'drift' | 'pending',
  { wanted, live, install }: Difference
): string {
  if (refusal !== undefined) return `refuse: ${refusal.message}`
  if (install !== undefined) return install
  if (state === 'absent' || live === undefined)
    return wanted === undefined ? 'leave it' : state === 'absent' ? 'create it' : `set it${to(wanted)}`
  if (wanted === undefined) return 'remove it'
  return kind === 'drift' ? `change it back${to(wanted)}` : `change it${to(wanted)}`
}

/** ` to 1000`; nothing for what is too long for a sentence. */
function to(wanted: unknown): string {
  if (isMap(wanted) || Array.isArray(wanted)) return ''
  const text = typeof wanted === 'string' ? wanted : JSON.stringify(wanted)
  return text.length > 120 || text.includes('\n') ? '' : ` to ${text}`
}
