import { createHash } from 'node:crypto'
import { countsOf, type Finding } from '../engine/findings.js'
import { bySeverity, countsText } from './check-summary.js'
import { cut, shown as textOf, type Text, value } from './markdown.js'

export interface IssueCluster {
  readonly name: string
  readonly region: string
  readonly arn: string
}

/** GitHub takes 65,536 characters. */
export const mostCharacters = 60_000
const mostInComment = 20
const mostInCell = 400

/** The line by which the issue of a cluster is known; nobody sees it. */
export function markerOf(arn: string): string {
  return `<!-- setup-karpenter: ${arn} -->`
}

/** Which findings there are, whatever their values: a value that swings must not notify anybody at each check. */
export function setOf(findings: readonly Finding[]): string {
  const keys = findings.map(({ kind, id, path }) => JSON.stringify([kind, id, path])).toSorted()
  return createHash('sha256').update(keys.join('\n')).digest('hex').slice(0, 16)
}

/** Which findings an issue's body speaks of; undefined where that line is gone. */
export function setIn(body: string): string | undefined {
  return /^<!-- findings: ([0-9a-f]{16}) -->\r?$/m.exec(body)?.[1]
}

/** Whether the body carries the marker on a line of its own; quoted in a sentence it is a person's. */
export function isOf(body: string, arn: string): boolean {
  return body.split(/\r?\n/).some((line) => line === markerOf(arn))
}

export function titleOf({ name, region }: IssueCluster, findings: readonly Finding[]): string {
  const { drift, unhealthy } = countsOf(findings)
  const verdict =
    unhealthy === 0 ? 'has drifted' : drift === 0 ? 'does not work' : 'has drifted and does not work'
  return `Karpenter on ${name} (${region}) ${verdict}`
}

/** The whole body: verdict, table, run, what to do. What does not fit is left to the run's report. */
export function bodyOf(cluster: IssueCluster, findings: readonly Finding[], run: string): string {
  const before = [
    verdictOf(cluster, findings),
    '',
    markerOf(cluster.arn),
    `<!-- findings: ${setOf(findings)} -->`,
    '',
    '| | Layer | Resource | Field | Wanted | Live | Who | Install would |',
    '|---|---|---|---|---|---|---|---|'
  ].join('\n')
  const after = [
    '',
    `Seen by ${run}, whose report has every detail.`,
    '',
    'To repair it, run the action with `mode: install` and the same inputs: it puts back what has drifted and changes nothing else. What is unhealthy is as installed and does not work: its row says what to do. Where the change was meant, put it into the inputs. This issue is closed by the first check that finds all well.'
  ].join('\n')
  const rows = bySeverity(findings).map(row)
  const room = mostCharacters - before.length - after.length - 200
  const fitting = rows.slice(0, rowsWithin(rows, room))
  const left = rows.length - fitting.length
  const more = left === 0 ? [] : ['', `and ${left} more, in the report of ${run}`]
  return [before, ...fitting, ...more, after].join('\n')
}

/** What has changed, for those who are notified. */
export function commentOf(cluster: IssueCluster, findings: readonly Finding[], run: string): string {
  const shown = bySeverity(findings).slice(0, mostInComment)
  const left = findings.length - shown.length
  return [
    verdictOf(cluster, findings),
    '',
    ...shown.map(
      ({ kind, title, path, install }) =>
        `- ${kind}: ${text(title)}${path === '' ? '' : ` ${textOf(value(path))}`}; install would ${text(install)}`
    ),
    ...(left > 0 ? [`- and ${left} more, above`] : []),
    '',
    `Seen by ${run}.`
  ].join('\n')
}

function verdictOf({ name, region }: IssueCluster, findings: readonly Finding[]): string {
  const { drift, unhealthy } = countsOf(findings)
  const verdict = drift === 0 && unhealthy > 0 ? 'does not work' : 'is not as it was installed'
  return `Karpenter on ${textOf(value(name))} in ${region} ${verdict}: ${countsText(countsOf(findings)) ?? 'nothing found'}.`
}

function row(finding: Finding): string {
  const { kind, layer, title, path, wanted, live, reason, missingPermission, by, install } = finding
  const who = by === undefined ? '' : [by.manager, by.time].filter((part) => part !== undefined).join(', ')
  const lacks = missingPermission === undefined ? '' : ` (missing: ${missingPermission})`
  const cells: readonly Text[] = [
    kind,
    layer,
    cut(title, mostInCell),
    path === '' ? '' : value(path),
    value(wanted),
    kind === 'unknown' || kind === 'unhealthy' ? cut(`${reason}${lacks}`, mostInCell) : value(live),
    cut(who, mostInCell),
    cut(install, mostInCell)
  ]
  return `| ${cells.map(textOf).join(' | ')} |`
}

function rowsWithin(rows: readonly string[], room: number): number {
  let used = 0
  const first = rows.findIndex((text) => (used += text.length + 1) > room)
  return first === -1 ? rows.length : first
}

function text(of: string): string {
  return textOf(cut(of, mostInCell))
}
