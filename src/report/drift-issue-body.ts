import { countsOf, type Finding } from '../engine/findings.js'
import { bySeverity } from './check-summary.js'
import { countsText } from './headline.js'
import { markerOf, mostCharacters, rowsWithin, setLine } from './kept-issue.js'
import { cut, shown as textOf, type Text, value } from './markdown.js'

export interface IssueCluster {
  readonly name: string
  readonly region: string
  readonly arn: string
}

const mostInComment = 20
const mostInCell = 400

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
    setLine(findings.map(({ kind, id, path }) => [kind, id, path])),
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
  const fitting = rowsWithin(rows, room)
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

export function closingOf(findings: readonly Finding[], run: string): string {
  const { pending } = countsOf(findings)
  const rest = pending === 0 ? '' : ` ${pending} pending: the next \`mode: install\` applies it.`
  return `Nothing drifts any more, and what is installed works, as ${run} has seen.${rest}`
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

function text(of: string): string {
  return textOf(cut(of, mostInCell))
}
