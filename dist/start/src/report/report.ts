import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { AdoptionEntry } from './adoption-entry.js'
import type { Difference } from '../engine/difference.js'
import type { Finding, FindingKind } from '../engine/findings.js'
import type { IgnoredField } from '../engine/ignore.js'
import type { Grade } from '../karpenter/tested-versions.js'
import type { FactOrigin } from '../karpenter/version-facts.js'
import type { InstallPlan } from './install-plan.js'
import type { ClusterMode } from '../inputs/inputs.js'
import type { PreflightFinding } from '../preflight/finding.js'
import type { RemovalListing } from '../engine/removal-listing.js'
import type { UpgradeNotes } from '../upgrade/notes.js'

/** Version of the report's shape: the number grows when a field changes its meaning or goes. */
export const reportSchema = 'setup-karpenter/report/v1'

export interface ReportedResource {
  readonly id: string
  readonly title: string
  readonly layer: string
  readonly result: 'as wanted' | 'applied' | 'failed' | 'not tried'
  readonly differences: readonly Difference[]
  readonly changes: readonly string[]
  readonly seconds: number
}

export interface ReportedNode {
  readonly name: string
  readonly instanceType: string
  readonly zone: string
  readonly capacityType: string
  readonly instanceId: string
}

export interface ReportedSmokeTest {
  /** Name of the NodePool that was tested. */
  readonly nodePool: string
  readonly nodesBefore: number
  readonly nodesAfter: number
  readonly nodesAdded: number
  readonly nodes: readonly ReportedNode[]
  /** Seconds of the slowest node by stage: launched, registered, initialized, pod running. */
  readonly stages: Readonly<Record<string, number>>
  readonly nodeReadySeconds: number
  readonly scaleDownSeconds: number
  /** All of its seconds by whom they were spent: Karpenter, EC2 with the nodes, this action. */
  readonly took: { readonly karpenter: number; readonly ec2: number; readonly ours: number }
  /** Karpenter's own events about the test's objects. */
  readonly events: readonly string[]
}

/** When something of a run was done: seconds since the run began. */
export interface TimelineBar {
  readonly part: 'stages' | 'resources' | 'nodes'
  readonly title: string
  readonly from: number
  readonly to: number
  /** The run would have ended earlier without it. */
  readonly critical: boolean
  readonly failed: boolean
}

/** A call on the longest chain of calls each of which needed the one before, or a wait for what was not ready. */
export interface PathCall {
  /** `iam GetRole blue-karpenter`, `GET /api/v1/nodes`, `helm upgrade`; of a wait what was waited for. */
  readonly name: string
  /** Stage or id of the resource that it was made for; empty between stages. */
  readonly in: string
  /** Seconds since the run began. */
  readonly from: number
  readonly seconds: number
  /** How many calls of that name, one after another. */
  readonly times: number
  /** Of a wait, whose time it was. */
  readonly waitedFor?: 'AWS' | 'Kubernetes' | 'Karpenter' | 'another run'
}

/** Where the chain stood still: the run worked at something that the chain did not need, or at nothing. */
export interface PathLoss {
  /** Seconds since the run began. */
  readonly from: number
  readonly seconds: number
  /** Stage or id of the resource that went on afterwards; empty between stages. */
  readonly in: string
  /** The call that came next; left out after the last one, and for pauses between calls of one name. */
  readonly before?: string
}

/** What the run could not be quicker than, with calls as quick as they were. */
export interface CriticalPath {
  /** Of the calls and waits alone. */
  readonly seconds: number
  /** What the run took beyond them. */
  readonly lost: number
  /** Stages and ids of resources that it goes through, in order. */
  readonly ids: readonly string[]
  /** In order; the longest 200 of a path that has more. */
  readonly calls: readonly PathCall[]
  /** Where the run lost most, in order of time: at most 20 places. */
  readonly losses: readonly PathLoss[]
}

export interface ReportedVersions {
  readonly karpenter: string
  /** `tested`; `newer patch` of a tested minor; or `untested`, of a minor that the table does not have. */
  readonly grade: Grade
  /** The newest version that this release of the action was tested with. */
  readonly newestTested: string
  /** Where what holds for the version was taken from: this release's table, upstream's tag, the record, or the newest row. */
  readonly facts?: {
    readonly kubernetes: FactOrigin
    readonly statements: FactOrigin
    readonly nodeClassHash: FactOrigin
    readonly upgradeNotes: FactOrigin
  }
}

export interface ReportedRequests {
  readonly total: number
  readonly writes: number
  /** Reads with the same input that were sent twice, as `service:Action`. */
  readonly repeated: readonly string[]
  readonly byService: Readonly<Record<string, number>>
}

/** The JSON report of a run. Times in seconds. Holds no secret. */
export interface Report {
  readonly schema: typeof reportSchema
  /** What the run was asked to do. */
  readonly mode: ClusterMode
  readonly result: 'succeeded' | 'failed' | 'cancelled'
  /** Whether all is well, in a few words: `installed`, `2 drift, 1 unhealthy`. */
  readonly headline: string
  readonly error?: string
  readonly run: string
  readonly startedAt: string
  readonly seconds: number
  readonly cluster: {
    readonly name: string
    readonly region: string
    readonly account?: string
    readonly kubernetesVersion?: string
  }
  readonly karpenterVersion?: string
  /** How far this release of the action knows that version. */
  readonly versions?: ReportedVersions
  readonly changed: boolean
  /** What was chosen for the user, and why. */
  readonly choices: Readonly<Record<string, string>>
  /** What was found before the first write; its errors refused the run. */
  readonly preflight?: readonly PreflightFinding[]
  /** What a change of version brings, and the nodes that Karpenter replaces because of the run; said before it is done. */
  readonly upgrade?: UpgradeNotes
  /** Differences that `ignore` takes in: left as they are. */
  readonly ignored?: readonly IgnoredField[]
  /** Mode plan: what an install would do. */
  readonly plan?: InstallPlan
  readonly resources: readonly ReportedResource[]
  /** Every NodePool that passed, in the order in which they were tested. */
  readonly smokeTests: readonly ReportedSmokeTest[]
  /** Mode check: every place where record, wanted and live state do not agree. */
  readonly findings?: readonly Finding[]
  readonly counts?: Readonly<Record<FindingKind, number>>
  /** Of an installation that somebody else made, where this run looked at it or took it over. */
  readonly adoption?: readonly AdoptionEntry[]
  /** Mode uninstall: what became of it, and what is left. */
  readonly removal?: RemovalListing
  readonly stages: readonly { readonly name: string; readonly seconds: number }[]
  /** Stages, resources that were changed, and nodes that came and went, in order of time within each part. */
  readonly timeline?: readonly TimelineBar[]
  readonly criticalPath?: CriticalPath
  readonly requests: ReportedRequests
  readonly warnings: readonly string[]
  /** Texts kept before they were changed, such as aws-auth's mapRoles. */
  readonly kept: Readonly<Record<string, string>>
}

/**
 * Where the report of a run goes: `setup-karpenter-blue-install-1.json`, of the run's second attempt `-2`. A step that does
 * the same as an earlier one of its job gets a name of its own.
 */
export function reportPath(
  folder: string,
  { cluster, mode }: Pick<Report, 'cluster' | 'mode'>,
  attempt: string
): string {
  const name = `setup-karpenter-${cluster.name}-${mode}-${attempt.replaceAll(/\D/g, '')}`
  for (let step = 1; ; step += 1) {
    const path = join(folder, step === 1 ? `${name}.json` : `${name}.step-${step}.json`)
    if (!existsSync(path)) return path
  }
}

/** Writes the report and returns its path. */
export function writeReport(report: Report, path: string): string {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, `${JSON.stringify(report, null, 2)}\n`, { mode: 0o600 })
  return path
}
