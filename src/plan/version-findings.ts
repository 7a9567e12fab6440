import type { Finding } from '../engine/findings.js'
import type { InstallRecord } from '../engine/record.js'
import { gradeOf } from '../karpenter/tested-versions.js'
import {
  type KubernetesRange,
  parseFacts,
  tableFacts,
  type VersionFacts
} from '../karpenter/version-facts.js'
import { isInRange, pairConsequence, pairIsFatal, rangeText, versionFix } from '../karpenter/version-words.js'
import type { Concern } from '../preflight/finding.js'
import { newestOf, versionPair } from '../preflight/version-pair.js'

export interface VersionFindingFacts {
  /** What install would install. */
  readonly version: string
  readonly facts: VersionFacts
  readonly installed: string | undefined
  readonly record: InstallRecord | undefined
  readonly kubernetes: string
  readonly allowDowngrade: boolean
  /** Overrides of `preflight-allow`. */
  readonly allowed: readonly string[]
}

export interface VersionFindings {
  readonly findings: readonly Finding[]
  /** Why install would refuse the version at all. */
  readonly refusal: string | undefined
}

/** What a check says of the version itself: the pair with the cluster's Kubernetes, and what install would refuse of it. */
export function versionFindings(facts: VersionFindingFacts): VersionFindings {
  const { version, installed, record, kubernetes, allowDowngrade, allowed } = facts
  const refused = versionPair({
    version,
    range: facts.facts.kubernetes,
    installed,
    recorded: record?.karpenterVersion,
    allowDowngrade,
    kubernetes
  })
  const errors = refused.filter(
    ({ level, override }) => level === 'error' && (override === undefined || !allowed.includes(override))
  )
  const pair = runningPair(facts)
  // Of the version that runs the pair is said once.
  const others = errors.filter(({ override }) => override !== 'version-pair' || installed !== version)
  const [first] = errors
  return {
    findings: [...pair, ...others.map((error) => refusedFinding(error, facts)), ...movedCluster(facts)],
    refusal: first && `${first.subject}: ${first.problem}`
  }
}

/** As install would end before it does any of that. */
export function withRefusal(finding: Finding, refusal: string | undefined): Finding {
  return refusal === undefined || finding.kind === 'unknown'
    ? finding
    : { ...finding, install: `refuse: ${refusal}` }
}

function runningPair(now: VersionFindingFacts): readonly Finding[] {
  const { version, installed, record, kubernetes, allowed } = now
  if (installed === undefined || allowed.includes('version-pair')) return []
  const range = rangeOf(installed, now)
  if (isInRange(range, kubernetes)) return []
  const better = isInRange(now.facts.kubernetes.value, kubernetes)
  const fix = versionFix({
    version: installed,
    range,
    kubernetes,
    before: newestOf(installed, record?.karpenterVersion)
  })
  return [
    {
      kind: 'unhealthy',
      id: 'version-pair',
      title: `Karpenter ${installed}`,
      layer: 'karpenter',
      path: 'kubernetes',
      wanted: rangeText(range),
      recorded: record?.kubernetesVersion,
      live: kubernetes,
      severity: pairIsFatal(installed) ? 'breaks scaling' : 'cosmetic',
      reason: `does not support Kubernetes ${kubernetes} (it is for ${rangeText(range)}): ${pairConsequence(installed)}. ${better ? `Karpenter ${version} supports it.` : fix}`,
      install: better ? `change it to ${version}` : 'refuse it, unless preflight-allow has version-pair'
    }
  ]
}

/** Of the version that runs, as far as table and record know it. */
function rangeOf(installed: string, { version, facts, record }: VersionFindingFacts): KubernetesRange {
  if (installed === version) return facts.kubernetes.value
  const recorded = parseFacts(record?.facts)
  if (
    gradeOf(installed) === 'untested' &&
    recorded?.version === installed &&
    recorded.kubernetes !== undefined
  )
    return recorded.kubernetes
  return tableFacts(installed).kubernetes.value
}

function refusedFinding({ problem, evidence, fix }: Concern, now: VersionFindingFacts): Finding {
  return {
    kind: 'pending',
    id: 'karpenter-version',
    title: 'karpenter-version',
    layer: 'karpenter',
    path: '',
    wanted: now.version,
    recorded: now.record?.karpenterVersion,
    live: now.installed,
    severity: 'cosmetic',
    reason: evidence === '' ? problem : `${problem} (${evidence})`,
    install: `refuse it. ${fix}`
  }
}

/** Whether the cluster runs another Kubernetes than at the last install. */
export function clusterMoved(record: InstallRecord | undefined, kubernetes: string): boolean {
  return record?.kubernetesVersion !== undefined && record.kubernetesVersion !== kubernetes
}

function movedCluster({ record, kubernetes }: VersionFindingFacts): readonly Finding[] {
  if (record === undefined || !clusterMoved(record, kubernetes)) return []
  return [
    {
      kind: 'pending',
      id: 'kubernetes-version',
      title: 'Kubernetes',
      layer: 'kubernetes',
      path: 'version',
      wanted: kubernetes,
      recorded: record.kubernetesVersion,
      live: kubernetes,
      severity: 'cosmetic',
      reason: `is ${kubernetes}, and was ${record.kubernetesVersion ?? ''} at the install on ${record.time}`,
      install: 'record it, and prove again that nodes come and go'
    }
  ]
}
