import { compareText } from '../engine/order.js'
import type { ExpectedCluster } from '../inputs/cluster-list.js'
import { messageOf } from '../engine/errors.js'
import { isMap, mapAt } from '../engine/json.js'
import { reportSchema } from './report.js'

/** Version of the shape of what several reports come to. */
export const clustersSchema = 'setup-karpenter/clusters/v1'

/** A cluster in the table: what its run has reported, or that it has not. Times in seconds. */
export interface ClusterRow {
  readonly name: string
  readonly region: string
  readonly state: 'no report' | 'failed' | 'unhealthy' | 'drift' | 'unknown' | 'pending' | 'well'
  /** The run's own, in a few words, or why there is none. */
  readonly headline: string
  readonly mode?: string
  readonly karpenter?: string
  readonly kubernetes?: string
  /** Of a check. */
  readonly counts?: {
    readonly drift: number
    readonly unhealthy: number
    readonly pending: number
    readonly unknown: number
  }
  /** Of a smoke test. */
  readonly nodesAdded?: number
  readonly seconds?: number
  /** URL of the run. */
  readonly run?: string
  /** The first line of what the run failed with. */
  readonly error?: string
}

/** What is looked at first, first. */
const worstFirst: readonly ClusterRow['state'][] = [
  'no report',
  'failed',
  'unhealthy',
  'drift',
  'unknown',
  'pending',
  'well'
]

/** Whether somebody has to look at it: the next install applies what is pending. */
export function needsALook({ state }: ClusterRow): boolean {
  return state !== 'pending' && state !== 'well'
}

/** A row for each report and for each cluster that was expected and has none, worst first. */
export function clusterRows(
  texts: readonly { readonly source: string; readonly text: string }[],
  expected: readonly ExpectedCluster[]
): readonly ClusterRow[] {
  const reported = newest(texts.map(({ source, text }) => rowOf(source, text)))
  const missing = expected.filter(
    (one) => !reported.some(({ name, region }) => name === one.name && region === one.region)
  )
  const rows = [
    ...reported,
    ...missing.map(({ name, region }): ClusterRow => ({
      name,
      region,
      state: 'no report',
      headline: 'no report',
      error: 'its job ended before this action wrote a report; see the log of that job'
    }))
  ]
  const rank = ({ state }: ClusterRow): number => worstFirst.indexOf(state)
  return rows.toSorted(
    (a, b) => rank(a) - rank(b) || compareText(a.name, b.name) || compareText(a.region, b.region)
  )
}

/** With the moment at which the run began; empty where nobody knows. */
interface Dated {
  readonly row: ClusterRow
  readonly startedAt: string
}

/** Of several reports of one cluster and mode the last: a job that was run again. */
function newest(all: readonly Dated[]): readonly ClusterRow[] {
  const byKey = new Map<string, Dated>()
  for (const dated of all) {
    const { name, region, mode } = dated.row
    const key = JSON.stringify([name, region, mode])
    const known = byKey.get(key)
    if (known === undefined || known.startedAt <= dated.startedAt) byKey.set(key, dated)
  }
  return [...byKey.values()].map(({ row }) => row)
}

/** Reports of any release are read: what one lacks is left out, and a text that is none says so in its row. */
function rowOf(source: string, text: string): Dated {
  const unread = (reason: string): Dated => ({
    row: { name: source, region: '', state: 'no report', headline: 'report cannot be read', error: reason },
    startedAt: ''
  })
  let report: unknown
  try {
    report = JSON.parse(text)
  } catch (error) {
    return unread(`it is no JSON: ${messageOf(error)}`)
  }
  const { name, region, kubernetesVersion } = mapAt(report, 'cluster')
  if (!isMap(report) || typeof name !== 'string' || typeof region !== 'string')
    return unread('it is no report of this action')
  if (report['schema'] !== reportSchema)
    return unread(`its schema is ${String(report['schema'])}, and this release reads ${reportSchema}`)
  const { mode, result, headline, karpenterVersion, seconds, run, startedAt } = report
  const counts = countsIn(report)
  const nodesAdded = nodesAddedIn(report)
  // The run's own error begins with the name of the action, which says nothing here.
  const error = textIn(report['error'])
    ?.split('\n')[0]
    ?.replace(/^setup-karpenter: /, '')
  return {
    row: {
      name,
      region,
      state: stateOf(textIn(result), counts, numberIn(mapAt(report, 'plan')['changes'])),
      headline: textIn(headline) ?? textIn(result) ?? '',
      ...given('mode', textIn(mode)),
      ...given('karpenter', textIn(karpenterVersion)),
      ...given('kubernetes', textIn(kubernetesVersion)),
      ...given('counts', counts),
      ...given('nodesAdded', nodesAdded),
      ...given('seconds', numberIn(seconds)),
      ...given('run', textIn(run)),
      ...given('error', error)
    },
    startedAt: textIn(startedAt) ?? ''
  }
}

/** Findings say more than that the run failed because of them. `planned`: changes that a plan has found. */
function stateOf(
  result: string | undefined,
  counts: ClusterRow['counts'],
  planned: number | undefined
): ClusterRow['state'] {
  const failed = result === 'succeeded' ? undefined : 'failed'
  if (counts === undefined) return failed ?? ((planned ?? 0) > 0 ? 'pending' : 'well')
  const found = (['unhealthy', 'drift', 'unknown', 'pending'] as const).find((kind) => counts[kind] > 0)
  return found ?? failed ?? 'well'
}

function countsIn(report: unknown): ClusterRow['counts'] {
  const counts = mapAt(report, 'counts')
  if (Object.keys(counts).length === 0) return undefined
  const count = (kind: string): number => numberIn(counts[kind]) ?? 0
  return {
    drift: count('drift'),
    unhealthy: count('unhealthy'),
    pending: count('pending'),
    unknown: count('unknown')
  }
}

function nodesAddedIn(report: Readonly<Record<string, unknown>>): number | undefined {
  const tests: readonly unknown[] = Array.isArray(report['smokeTests']) ? report['smokeTests'] : []
  if (tests.length === 0) return undefined
  return tests.reduce<number>((sum, test) => sum + (numberIn(isMap(test) ? test['nodesAdded'] : 0) ?? 0), 0)
}

function given<K extends keyof ClusterRow>(key: K, value: ClusterRow[K] | undefined): Partial<ClusterRow> {
  return value === undefined ? {} : { [key]: value }
}

function textIn(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function numberIn(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}
