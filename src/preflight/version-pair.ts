import semver from 'semver'
import { brokenReleases, discouragedReleases } from '../karpenter/broken-releases.js'
import { newerBefore, supports, versionFix } from '../karpenter/versions.js'
import type { Facts } from './facts.js'
import type { Concern } from './finding.js'

type VersionPairFacts = Pick<Facts, 'version' | 'installed' | 'recorded' | 'allowDowngrade' | 'kubernetes'>

/** Karpenter with the cluster's Kubernetes, releases to keep away from, and the way from the version that runs. */
export function versionPair(facts: VersionPairFacts): readonly Concern[] {
  return [...pair(facts), ...release(facts), ...way(facts), ...downgrade(facts)]
}

function pair({ version, kubernetes }: VersionPairFacts): Concern[] {
  if (supports(version, kubernetes)) return []
  return [
    {
      level: 'error',
      subject: 'karpenter-version',
      problem: `${version} does not support Kubernetes ${kubernetes}`,
      evidence: "Karpenter's compatibility matrix",
      fix: versionFix(kubernetes),
      override: 'version-pair'
    }
  ]
}

function release({ version }: VersionPairFacts): Concern[] {
  const [broken, discouraged] = [brokenReleases[version], discouragedReleases[version]]
  const bad = broken ?? discouraged
  if (bad === undefined) return []
  return [
    {
      level: broken === undefined ? 'warning' : 'error',
      subject: 'karpenter-version',
      problem: `${version} is ${broken === undefined ? 'better skipped' : 'broken'}: ${bad.flaw}`,
      evidence: '',
      fix: `Pass \`karpenter-version: ${bad.take}\`.`,
      ...(broken !== undefined && { override: 'broken-release' })
    }
  ]
}

function way({ version, installed }: VersionPairFacts): Concern[] {
  const runs = installed === undefined ? null : semver.coerce(installed)
  if (runs === null) return []
  const finding = (level: Concern['level'], problem: string, fix: string): Concern => ({
    level,
    subject: 'karpenter-version',
    problem,
    evidence: `Karpenter ${runs.version} runs`,
    fix
  })
  if (semver.lt(runs, '0.37.0')) {
    return [
      finding(
        'error',
        `${version} cannot follow ${runs.version} at once: its objects must be brought to v1beta1 and v1 first`,
        "Follow Karpenter's upgrade guide to 0.37 and 1.0, or remove that installation, then run again."
      )
    ]
  }
  if (semver.lt(runs, '1.0.0') && semver.gte(version, '1.1.0')) {
    return [
      finding(
        'error',
        `${version} serves v1 only, and ${runs.version} keeps its objects as v1beta1`,
        'Install 1.0.8 first, which converts them; then run again with the version you want.'
      )
    ]
  }
  return []
}

function downgrade({ version, installed, recorded, allowDowngrade }: VersionPairFacts): Concern[] {
  const newer = newerBefore(version, { installed, recorded })
  if (newer === undefined) return []
  return [
    {
      level: allowDowngrade ? 'warning' : 'error',
      subject: 'karpenter-version',
      problem: allowDowngrade
        ? `${version} follows ${newer.version}, as allow-downgrade allows: the chart goes back first and the CRDs after it, and those that only ${newer.version} has stay`
        : `${version} is older than ${newer.version}`,
      evidence:
        newer.says === 'runs'
          ? `Karpenter ${newer.version} runs`
          : `the record of the last install has ${newer.version}`,
      fix: allowDowngrade
        ? 'Look at the group Upgrade of the log: it says which nodes are replaced.'
        : `Pass \`karpenter-version: ${newer.version}\` to keep it, or \`allow-downgrade: true\`.`
    }
  ]
}
