import { adoptionText, countsText as adoptionCounts } from './adoption-notes.js'
import { findingsText } from './check-summary.js'
import { countsText } from './headline.js'
import {
  code,
  cut,
  fenced,
  joined,
  list,
  literal,
  markdown,
  seconds,
  shown,
  table,
  type Text
} from './markdown.js'
import { ignoredText } from './ignored-text.js'
import type { InstallPlan } from './install-plan.js'
import { planHeadline, planSections, sectionsText } from './plan-text.js'
import { removalText } from './removal-summary.js'
import type { Report, ReportedSmokeTest } from './report.js'
import { upgradeText } from './upgrade-lines.js'

/** GitHub drops a step's summary above 1 MiB whole (runner source, 2026); a summary for people is far below. */
const longestSummary = 200_000
const longestWarning = 1000
const longestPlan = 30_000

/** The job summary, as Markdown: the verdict first, then what was done, the new nodes, and where the time went. */
export function summaryText(report: Report): string {
  const parts = [
    `## Karpenter on ${shown(code(report.cluster.name))}: ${report.headline}`,
    verdict(report),
    ...(report.error === undefined ? [] : [fenced(report.error)]),
    facts(report),
    ...(report.upgrade === undefined ? [] : [upgradeText(report.upgrade)]),
    ...(report.plan === undefined ? [] : [planText(report.plan)]),
    changes(report),
    ...(report.findings === undefined || report.findings.length === 0 ? [] : [findingsText(report.findings)]),
    ...(report.ignored === undefined ? [] : [ignoredText(report.ignored)]),
    ...(report.adoption === undefined ? [] : [adoptionText(report.adoption)]),
    ...(report.removal === undefined ? [] : [removalText(report.removal)]),
    ...report.smokeTests.map(smokeTest),
    list(
      'Warnings',
      report.warnings.map((line) => cut(line, longestWarning)),
      20
    ),
    stageTimes(report)
  ].filter((part) => part !== '')
  const text = `${parts.join('\n\n')}\n`
  if (Buffer.byteLength(text) <= longestSummary) return text
  // A character takes four bytes at most. A row cut in the middle would spoil the whole table.
  const kept = text.slice(0, longestSummary / 4)
  return `${kept.slice(0, kept.lastIndexOf('\n'))}\n\n_Cut: the report has the rest._\n`
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

function planText(plan: InstallPlan): string {
  const { text, left } = sectionsText(planSections(plan), longestPlan)
  return left === 0 ? text : `${text}\n\nand ${left} more (see the report)`
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
  return `**Not installed by this action**: ${adoptionCounts(adoption)}. \`adopt: true\` takes it over as the table says. ${seconds(time)}.`
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
  return `${added} new nodes came in ${seconds(slowest)} and went`
}

function facts(report: Report): string {
  const rows: [string, string][] = [
    ['Cluster', `${report.cluster.name} (${report.cluster.region})`],
    ...(report.cluster.kubernetesVersion === undefined
      ? []
      : [['Kubernetes', report.cluster.kubernetesVersion] satisfies [string, string]]),
    ...Object.entries(report.choices)
  ]
  return table(['', ''], rows)
}

function changes(report: Report): string {
  const changed = report.resources.filter(
    (resource) => resource.changes.length > 0 || resource.result === 'failed'
  )
  if (changed.length === 0) return ''
  const rows = changed.map((resource): readonly Text[] => [
    resource.title,
    resource.result === 'failed' ? markdown('**failed**') : joined(resource.changes.slice(0, 8), '<br>'),
    seconds(resource.seconds)
  ])
  return `### What was done\n\n${table(['Resource', 'Change', 'Time'], rows)}`
}

function smokeTest(test: ReportedSmokeTest): string {
  const first = test.nodes.slice(0, 50)
  const nodes = table(
    ['Node', 'Type', 'Zone', 'Capacity'],
    first.map((node) => [code(node.name), node.instanceType, node.zone, node.capacityType])
  )
  const stages = Object.entries(test.stages).map(([stage, time]) => `${stage} ${seconds(time)}`)
  return [
    `### Smoke test of NodePool ${shown(code(test.nodePool))}`,
    `${test.nodesBefore} nodes before, ${test.nodesAfter} after, **${test.nodesAdded} added**; scaled down in ${seconds(test.scaleDownSeconds)}.`,
    nodes,
    ...(first.length < test.nodes.length
      ? [`and ${test.nodes.length - first.length} more nodes (see the report)`]
      : []),
    `Slowest node: ${stages.join(', ')}.`
  ].join('\n\n')
}

function stageTimes(report: Report): string {
  if (report.stages.length === 0) return ''
  const rows = report.stages.map((stage) => [stage.name, seconds(stage.seconds)])
  return `<details><summary>Where the time went</summary>\n\n${table(['Stage', 'Time'], rows)}\n\n${criticalPath(report)}${report.requests.total} requests.\n\n</details>`
}

function criticalPath({ criticalPath: path }: Report): string {
  if (path === undefined) return ''
  return `Critical path, ${seconds(path.seconds)}: ${shown(joined(path.ids.map(code), ' → '))}.\n\n`
}
