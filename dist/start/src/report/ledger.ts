import { criticalPathOf } from './critical-path.js'
import type { CallPath } from '../engine/calls.js'
import type { AdoptionEntry } from './adoption-entry.js'
import { countsOf, type Finding } from '../engine/findings.js'
import type { IgnoredField } from '../engine/ignore.js'
import type { Graph } from '../engine/graph.js'
import type { RemovalListing } from '../engine/removal-listing.js'
import type { Inspection } from '../engine/resource.js'
import { withoutSecrets } from '../engine/secret-values.js'
import type { Outcome, RemovalOutcome } from '../engine/walk.js'
import type { PreflightFinding } from '../preflight/finding.js'
import type { ClusterMode } from '../inputs/inputs.js'
import { headlineOf } from './headline.js'
import type { UpgradeNotes } from '../upgrade/notes.js'
import type { InstallPlan } from './install-plan.js'
import type { Report, ReportedRequests, ReportedSmokeTest, ReportedVersions } from './report.js'
import { reportSchema } from './report.js'
import { type NodeSpan, type TimedStage, timelineOf } from './timeline-bars.js'

/** One request of a run, whichever API it went to. */
export interface SentRequest {
  readonly service: string
  /** `GetRole`, `GET /api/v1/nodes`. */
  readonly name: string
  readonly write: boolean
}

/**
 * What a run knows so far. Filled as it goes, so that a run that fails or is cancelled reports just as much as one that
 * ends well.
 */
export class Ledger {
  readonly #mode: ClusterMode
  readonly #run: string
  readonly #startedAt: number
  readonly #stages: TimedStage[] = []
  readonly #choices: Record<string, string> = {}
  readonly #kept: Record<string, string> = {}
  readonly #recorded: string[] = []
  #cluster: Report['cluster']
  #versions: ReportedVersions | undefined
  #walk:
    { graph: Graph; inspections: ReadonlyMap<string, Inspection>; outcomes: readonly Outcome[] } | undefined
  #smokeTests: readonly ReportedSmokeTest[] = []
  #nodes: readonly NodeSpan[] = []
  #findings: readonly Finding[] | undefined
  #preflight: readonly PreflightFinding[] | undefined
  #upgrade: UpgradeNotes | undefined
  #ignored: readonly IgnoredField[] = []
  #plan: InstallPlan | undefined
  #adoption: readonly AdoptionEntry[] | undefined
  #removal:
    | {
        readonly graph: Graph
        readonly outcomes: readonly RemovalOutcome[]
        readonly listing: RemovalListing | undefined
      }
    | undefined

  constructor(mode: ClusterMode, run: string, cluster: { name: string; region: string }, startedAt: number) {
    this.#mode = mode
    this.#run = run
    this.#cluster = cluster
    this.#startedAt = startedAt
  }

  cluster(facts: Partial<Report['cluster']>): void {
    this.#cluster = { ...this.#cluster, ...facts }
  }

  karpenter(versions: ReportedVersions): void {
    this.#versions = versions
  }

  choice(name: string, text: string): void {
    this.#choices[name] = text
  }

  /** Milliseconds since the epoch. */
  stage(name: string, startedAt: number, endedAt: number): void {
    this.#stages.push({ name, startedAt, endedAt })
  }

  keep(name: string, text: string): void {
    this.#kept[name] = text
  }

  walk(graph: Graph, inspections: ReadonlyMap<string, Inspection>, outcomes: readonly Outcome[]): void {
    this.#walk = { graph, inspections, outcomes }
  }

  /** `spans`: when nodes came and went. */
  smokeTests(results: readonly ReportedSmokeTest[], spans: readonly NodeSpan[] = []): void {
    this.#smokeTests = results
    this.#nodes = spans
  }

  findings(found: readonly Finding[]): void {
    this.#findings = found
  }

  preflight(found: readonly PreflightFinding[]): void {
    this.#preflight = found
  }

  /** What the preflight has found, as far as it has come. */
  get preflighted(): readonly PreflightFinding[] {
    return this.#preflight ?? []
  }

  upgrade(notes: UpgradeNotes): void {
    this.#upgrade = notes
  }

  ignored(fields: readonly IgnoredField[]): void {
    this.#ignored = fields
  }

  plan(planned: InstallPlan): void {
    this.#plan = planned
  }

  adoption(entries: readonly AdoptionEntry[]): void {
    this.#adoption = entries
  }

  /** A line of what was changed beside the model's resources. */
  recorded(line: string): void {
    this.#recorded.push(line)
  }

  removal(graph: Graph, outcomes: readonly RemovalOutcome[], listing?: RemovalListing): void {
    this.#removal = { graph, outcomes, listing }
  }

  /** Every line of what was changed. */
  get changes(): readonly string[] {
    const outcomes = [...(this.#walk?.outcomes ?? []), ...(this.#removal?.outcomes ?? [])]
    return [...outcomes.flatMap(({ changes }) => changes), ...this.#recorded]
  }

  report(end: {
    readonly result: Report['result']
    readonly error?: string
    readonly at: number
    /** The chain of calls that the run could not be quicker than. */
    readonly path?: CallPath
    readonly requests: ReportedRequests
    readonly warnings: readonly string[]
  }): Report {
    const walk = this.#walk
    const graph = (walk ?? this.#removal)?.graph
    const path =
      end.path && criticalPathOf(end.path, (id) => graph?.resources.find((one) => one.id === id)?.layer)
    const report: Omit<Report, 'headline'> = {
      schema: reportSchema,
      mode: this.#mode,
      result: end.result,
      ...(end.error !== undefined && { error: end.error }),
      run: this.#run,
      startedAt: new Date(this.#startedAt).toISOString(),
      seconds: (end.at - this.#startedAt) / 1000,
      cluster: this.#cluster,
      ...(this.#versions !== undefined && {
        karpenterVersion: this.#versions.karpenter,
        versions: this.#versions
      }),
      changed: this.changes.length > 0,
      choices: this.#choices,
      ...(this.#preflight !== undefined && { preflight: this.#preflight }),
      ...(this.#upgrade !== undefined && { upgrade: this.#upgrade }),
      resources: (walk?.outcomes ?? []).map((outcome) => ({
        id: outcome.id,
        title: walk?.graph.get(outcome.id).title ?? outcome.id,
        layer: walk?.graph.get(outcome.id).layer ?? '',
        result: outcome.result,
        differences: (walk?.inspections.get(outcome.id)?.differences ?? []).map(withoutSecrets),
        changes: outcome.changes,
        seconds: (outcome.endedAt - outcome.startedAt) / 1000
      })),
      smokeTests: this.#smokeTests,
      ...(this.#findings !== undefined && {
        findings: this.#findings,
        counts: countsOf(this.#findings)
      }),
      ...(this.#ignored.length > 0 && { ignored: this.#ignored }),
      ...(this.#plan !== undefined && { plan: this.#plan }),
      ...(this.#adoption !== undefined && { adoption: this.#adoption }),
      ...(this.#removal?.listing !== undefined && { removal: this.#removal.listing }),
      stages: this.#stages.map(({ name, startedAt, endedAt }) => ({
        name,
        seconds: (endedAt - startedAt) / 1000
      })),
      ...(path !== undefined && { criticalPath: path }),
      timeline: timelineOf({
        startedAt: this.#startedAt,
        stages: this.#stages,
        walked: walk ?? this.#removal,
        nodes: this.#nodes,
        critical: path?.ids ?? []
      }),
      requests: end.requests,
      warnings: end.warnings,
      kept: this.#kept
    }
    return { ...report, headline: headlineOf(report) }
  }
}

/** Counts a run's requests. Reads that were sent twice are named: a run needs no read twice but while it waits. */
export function countRequests(sent: readonly SentRequest[], repeated: readonly string[]): ReportedRequests {
  const byService: Record<string, number> = {}
  for (const request of sent) byService[request.service] = (byService[request.service] ?? 0) + 1
  return { total: sent.length, writes: sent.filter((request) => request.write).length, repeated, byService }
}
