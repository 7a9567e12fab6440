import type { UpgradeNotes } from '../upgrade/notes.js'
import type { IgnoredField } from '../engine/ignore.js'
import { ignoredSection } from './ignored-text.js'
import type { InstallPlan } from './install-plan.js'
import { code, shown } from './markdown.js'
import type { PreflightFinding } from '../preflight/finding.js'
import { noteSections } from './note-sections.js'
import { planHeadline, planSections } from './plan-text.js'
import { errorQuote } from './prose.js'
import { type Section, sectionsText } from './sections.js'
import { upgradeText } from './upgrade-lines.js'

/** Whose plan it is: one comment each. */
export interface PlanCluster {
  readonly account: string
  readonly region: string
  readonly name: string
}

/** What a plan came to; it may have failed before anything could be compared. */
export type PlanSaid =
  | {
      readonly kind: 'plan'
      readonly plan: InstallPlan
      readonly upgrade: UpgradeNotes | undefined
      readonly ignored: readonly IgnoredField[]
      /** Of the preflight: what an install would say and go on. */
      readonly notes: readonly PreflightFinding[]
    }
  | { readonly kind: 'failure'; readonly error: string }

/** GitHub takes 65,536 characters. */
const mostCharacters = 60_000

/** The line by which the comment of a cluster is known; nobody sees it. */
export function planMarker({ account, region, name }: PlanCluster): string {
  return `<!-- setup-karpenter plan: ${account} ${region} ${name} -->`
}

/** Whether a comment carries the marker on a line of its own; quoted in a sentence it is a person's. */
export function isPlanOf(body: string, cluster: PlanCluster): boolean {
  return body.split(/\r?\n/).some((line) => line === planMarker(cluster))
}

/** Whether there is nothing to say: no change, and no reason why an install would not go on. */
export function isEmpty(said: PlanSaid): boolean {
  return said.kind === 'plan' && said.plan.changes === 0 && said.plan.refusals.length === 0
}

/** The whole comment. What does not fit is cut between two resources, and said. */
export function planComment(cluster: PlanCluster, said: PlanSaid, run: string): string {
  const verdict = said.kind === 'plan' ? planHeadline(said.plan) : 'the plan failed'
  const before = `${headOf(cluster, verdict)}\n\n`
  const after = `\n\nNothing was written. Seen by ${run}, whose summary and report have every detail.\n`
  const room = mostCharacters - before.length - after.length - 200
  const { text, left } = sectionsText(sectionsOf(said), room)
  const more = left === 0 ? '' : `\n\n**Cut**: ${left} more do not fit into a comment.`
  return `${before}${text}${more}${after}`
}

/** What is left of it when a later commit changes nothing. */
export function struckOut(cluster: PlanCluster, run: string): string {
  return `${headOf(cluster, 'nothing to change')}\n\n~~What an earlier commit of this pull request would have changed.~~ Seen by ${run}.\n`
}

function headOf(cluster: PlanCluster, verdict: string): string {
  return `### Karpenter on ${shown(code(cluster.name))} (${cluster.region}): ${verdict}\n${planMarker(cluster)}`
}

function sectionsOf(said: PlanSaid): readonly Section[] {
  if (said.kind === 'failure') return [{ blocks: [errorQuote(said.error)] }]
  const upgrade = said.upgrade === undefined ? '' : upgradeText(said.upgrade, 'plan')
  return [
    ...planSections(said.plan),
    ...ignoredSection(said.ignored),
    ...noteSections(said.notes),
    ...(upgrade === '' ? [] : [{ title: 'What the upgrade brings, and its nodes', blocks: [upgrade] }])
  ]
}
