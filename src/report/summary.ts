import { adoptionText, countsText as adoptionCounts } from './adoption-notes.js'
import { criticalPathText } from './critical-path-text.js'
import { findingsText } from './check-summary.js'
import { countsText } from './headline.js'
import { ignoredText } from './ignored-text.js'
import type { InstallPlan } from './install-plan.js'
import { bold, code, joined, literal, markdown, moreThan, prose, seconds, shown, table } from './markdown.js'
import { noteSections } from './note-sections.js'
import { planHeadline, planSections } from './plan-text.js'
import { adviceText, errorQuote } from './prose.js'
import { removalText } from './removal-summary.js'
import type { Report, ReportedResource, ReportedSmokeTest } from './report.js'
import { fitting, folded, opening } from './sections.js'
import { timelineText } from './timeline.js'
import { upgradeText } from './upgrade-lines.js'

/** GitHub drops a step's summary above 1 MiB whole (runner source, 2026); a summary for people is far below. */
const longestSummary = 200_000
const mostWarnings = 20
/** Bytes of a part. */
const longestPlan = 30_000
const longestChanges = 30_000
/** The first of a list are open, the others folded. */
const mostOpen = 12
/** Lines of what was changed of one resource. */
const mostLines = 8
const mostNodes = 50

/** The job summary, as Markdown: the verdict first, then what it speaks of, and where the time went. */
export function summaryText(report: Report): string {
  const parts = [
    `## Karpenter on ${shown(code(report.cluster.name))}: ${report.headline}`,
    verdict(report),
    ...(report.error === undefined || isSaidBelow(report, report.error) ? [] : [errorQuote(report.error)]),
    timelineText(report),
    ...(report.adoption === undefined ? [] : [adoptionText(report.adoption, report.mode === 'install')]),
    ...(report.plan === undefined ? [] : [fitting(planSections(report.plan), longestPlan)]),
    ...(report.findings === undefined || report.findings.length === 0 ? [] : [findingsText(report.findings)]),
    ...(report.ignored === undefined ? [] : [ignoredText(report.ignored)]),
    ...(report.upgrade === undefined ? [] : [upgradeText(report.upgrade, report.mode)]),
    changes(report),
    ...(report.removal === undefined ? [] : [removalText(report.removal)]),
    ...report.smokeTests.map(smokeTest),
    warnings(report),
    fitting(noteSections(report.preflight ?? []), longestPlan),
    facts(report),
    stageTimes(report)
  ].filter((part) => part !== '')
  return within(parts, longestSummary)
}

/** Whether an error is what the findings, or the refusals of a plan, say in more words. */
function isSaidBelow({ findings = [], plan, result }: Report, error: string): boolean {
  if (result === 'cancelled') return false
  const told = (text: string): boolean => error.includes(text)
  return (
    findings.some(({ title, reason }) => told(`${title}: ${reason}`)) ||
    (plan !== undefined && plan.refusals.length > 0)
  )
}

/** The job summary of a run that has ended before it knew its inputs, or anything else. */
export function failureText(cluster: string, error: string): string {
  const on = cluster === '' ? '' : ` on ${shown(code(cluster))}`
  return `## Karpenter${on}: failed\n\n**Failed** before anything was looked at.\n\n${errorQuote(error)}\n`
}

/** Whole parts, as many as so many bytes take: one that is cut in the middle would spoil what comes after it. */
function within(parts: readonly string[], most: number): string {
  let used = 0
  const kept = parts.filter((part) => {
    const size = Buffer.byteLength(part) + 2
    if (used + size > most) return false
    used += size
    return true
  })
  const cut = kept.length < parts.length ? ['_Cut: the report has the rest._'] : []
  return `${[...kept, ...cut].join('\n\n')}\n`
}

function verdict(report: Report): string {
  const done = report.resources.filter((resource) => resource.result === 'applied').length
  if (report.result === 'cancelled')
    return `**Cancelled** after ${seconds(report.seconds)}; ${done} resources were changed and stay.`
  if (report.plan !== undefined) return planVerdict(report, report.plan)
  if (report.findings !== undefined) {
    const found = countsText(report.counts)
    if (report.adoption !== undefined) return notAdopted(report)
    const facts = `Karpenter ${literal(report.karpenterVersion ?? '')}, ${seconds(report.seconds)}`
    if (found === undefined) return `**All as installed**: ${facts}.`
    return `**Found**: ${found}${report.result === 'failed' ? '' : '; `fail-on` lets it pass'}. ${facts}.`
  }
  if (report.result === 'failed') return `**Failed** after ${seconds(report.seconds)}.`
  const version = literal(report.karpenterVersion ?? '')
  if (report.removal !== undefined) {
    const { removed, kept } = report.removal
    return removed.length === 0
      ? `**Nothing to remove**: nothing of ours was there${keptText(kept.length)}, ${seconds(report.seconds)}.`
      : `**Removed**: ${removed.length} resources were removed and read as gone, ${kept.length} kept, ${seconds(report.seconds)}.`
  }
  if (report.mode === 'smoke-test')
    return `**Scales**: Karpenter ${version}, ${proved(report.smokeTests)} again, ${seconds(report.seconds)}.`
  if (report.adoption !== undefined) return adopted(report, done)
  if (!report.changed)
    return `**All as wanted**: Karpenter ${version}, nothing changed, ${seconds(report.seconds)}.`
  const proof = report.smokeTests.length === 0 ? '' : `, ${proved(report.smokeTests)}`
  return `**Installed**: Karpenter ${version}, ${done} resources changed${proof}, ${seconds(report.seconds)}.`
}

function planVerdict({ seconds: time, karpenterVersion = '' }: Report, plan: InstallPlan): string {
  const { installed, wanted } = plan.karpenter
  const version =
    installed === undefined || installed === wanted
      ? literal(karpenterVersion)
      : `${literal(installed)} to ${literal(wanted)}`
  return `**Plan**: ${planHeadline(plan)}; nothing was written. Karpenter ${version}, ${seconds(time)}.`
}

function notAdopted({ adoption = [], seconds: time }: Report): string {
  return `**Not installed by this action**: ${adoptionCounts(adoption)}. \`adopt: true\` takes it over as the list says. ${seconds(time)}.`
}

/** Of a removal that leaves all that there is, as one of an adopted installation does. */
function keptText(kept: number): string {
  return kept === 0 ? '' : `; ${kept} kept, for the reasons below`
}

function adopted({ karpenterVersion, resources, smokeTests, seconds: time }: Report, done: number): string {
  const proof = smokeTests.length === 0 ? '' : `, ${proved(smokeTests)}`
  return `**Adopted**: Karpenter ${literal(karpenterVersion ?? '')}, ${resources.length - done} resources as they were, ${done} changed${proof}, ${seconds(time)}.`
}

function proved(tests: readonly ReportedSmokeTest[]): string {
  const added = tests.reduce((sum, test) => sum + test.nodesAdded, 0)
  const slowest = Math.max(...tests.map((test) => test.nodeReadySeconds))
  return `${added} new ${added === 1 ? 'node' : 'nodes'} came in ${seconds(slowest)} and went`
}

function facts({ cluster, choices }: Report): string {
  const lines = Object.entries(choices).map(([name, text]) => `- ${bold(name)}: ${prose(text)}`)
  const { name, region, kubernetesVersion: version } = cluster
  const where = `${literal(name)} (${literal(region)})${version === undefined ? '' : `, Kubernetes ${literal(version)}`}`
  if (lines.length === 0) return `Cluster ${where}.`
  return folded(`Cluster ${where}: what was chosen, and why`, lines.join('\n'))
}

function changes({ resources }: Report): string {
  const changed = resources.filter(({ changes: lines, result }) => lines.length > 0 || result === 'failed')
  if (changed.length === 0) return ''
  return `### What was done\n\n${fitting(opening(changed.map(changeBlock), mostOpen), longestChanges)}`
}

function changeBlock({ title, result, changes: lines, seconds: time }: ReportedResource): string {
  const failed = result === 'failed' ? ': **failed**' : ''
  const more = lines.length - mostLines
  return [
    `- ${bold(title)}${failed}, ${seconds(time)}`,
    ...lines.slice(0, mostLines).map((line) => `  - ${prose(line)}`),
    ...(more > 0 ? [`  - and ${more} more (see the report)`] : [])
  ].join('\n')
}

function warnings({ warnings: all }: Report): string {
  if (all.length === 0) return ''
  const points = all.slice(0, mostWarnings).map((line) => `- ${adviceText(line)}`)
  return ['### Warnings', '', ...points, ...moreThan(points.length, all.length)].join('\n')
}

function smokeTest(test: ReportedSmokeTest): string {
  const points = test.nodes
    .slice(0, mostNodes)
    .map(({ name, instanceType, zone, capacityType }) =>
      shown(
        joined(
          [
            markdown(`- ${shown(code(name))}`),
            [instanceType, zone, capacityType].filter((one) => one !== '').join(', ')
          ],
          ': '
        )
      )
    )
  const left = test.nodes.length - points.length
  const stages = Object.entries(test.stages).map(([stage, time]) => `${stage} ${seconds(time)}`)
  return [
    `### Smoke test of NodePool ${shown(code(test.nodePool))}`,
    `${test.nodesBefore} nodes before, ${test.nodesAfter} after, **${test.nodesAdded} added**; scaled down in ${seconds(test.scaleDownSeconds)}.`,
    `Slowest node: ${stages.join(', ')}.`,
    `Waited for Karpenter to decide ${seconds(test.took.karpenter)}, for EC2 and the nodes ${seconds(test.took.ec2)}; this action's own ${seconds(test.took.ours)}.`,
    fitting(opening(points, mostOpen), longestChanges),
    ...(left > 0 ? [`and ${left} more nodes`] : [])
  ].join('\n\n')
}

function stageTimes(report: Report): string {
  if (report.stages.length === 0) return ''
  const rows = report.stages.map((stage) => [stage.name, seconds(stage.seconds)])
  return `<details><summary>Where the time went</summary>\n\n${table(['Stage', 'Time'], rows)}\n\n${criticalPath(report)}${report.requests.total} requests.\n\n</details>`
}

function criticalPath({ criticalPath: path }: Report): string {
  if (path === undefined) return ''
  return `${criticalPathText(path)}\n\n`
}
