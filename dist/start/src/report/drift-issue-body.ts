import { countsOf, type Finding } from '../engine/findings.js'
import type { IgnoredField } from '../engine/ignore.js'
import { bySeverity, findingPoint, findingSections } from './finding-block.js'
import { countsText } from './headline.js'
import { ignoredSection } from './ignored-text.js'
import { markerOf, mostCharacters, setLine } from './kept-issue.js'
import { shown as textOf, value } from './markdown.js'
import { sectionsText } from './sections.js'

export interface IssueCluster {
  readonly name: string
  readonly region: string
  readonly arn: string
}

const mostInComment = 20

/** What an issue tells of. */
export interface IssueFindings {
  readonly findings: readonly Finding[]
  readonly ignored: readonly IgnoredField[]
}

export function titleOf({ name, region }: IssueCluster, findings: readonly Finding[]): string {
  const { drift, unhealthy } = countsOf(findings)
  const verdict =
    unhealthy === 0 ? 'has drifted' : drift === 0 ? 'does not work' : 'has drifted and does not work'
  return `Karpenter on ${name} (${region}) ${verdict}`
}

/** The whole body: verdict, findings, what is ignored, run, what to do. What does not fit is left to the run's report. */
export function bodyOf(cluster: IssueCluster, { findings, ignored }: IssueFindings, run: string): string {
  const before = [
    verdictOf(cluster, findings),
    '',
    markerOf(cluster.arn),
    setLine(findings.map(({ kind, id, path }) => [kind, id, path])),
    '',
    ''
  ].join('\n')
  const after = [
    '',
    '',
    `Seen by ${run}, whose report has every detail.`,
    '',
    'To repair it, run the action with `mode: install` and the same inputs: it puts back what has drifted and changes nothing else. What is unhealthy is as installed and does not work: each says what to do. Where the change was meant, put it into the inputs. This issue is closed by the first check that finds all well.'
  ].join('\n')
  const room = mostCharacters - before.length - after.length - 200
  const { text, left } = sectionsText([...findingSections(findings), ...ignoredSection(ignored)], room)
  const more = left === 0 ? '' : `\n\nand ${left} more, in the report of ${run}`
  return `${before}${text}${more}${after}`
}

/** What has changed, for those who are notified. */
export function commentOf(cluster: IssueCluster, findings: readonly Finding[], run: string): string {
  const shown = bySeverity(findings).slice(0, mostInComment)
  const left = findings.length - shown.length
  return [
    verdictOf(cluster, findings),
    '',
    ...shown.map(findingPoint),
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
