import { brokenReleases, discouragedReleases } from '../karpenter/broken-releases.js'
import { isNextMajor, newestTested, testedPatchOf } from '../karpenter/tested-versions.js'
import type { Fact, FactOrigin, KubernetesRange } from '../karpenter/version-facts.js'
import { isInRange, pairConsequence, rangeText, versionFix } from '../karpenter/version-words.js'
import { baseOf, compareVersions, isBefore, newerBefore } from '../karpenter/versions.js'
import type { Concern } from './finding.js'

interface VersionPairFacts {
  /** The version that is to be installed. */
  readonly version: string
  /** Which Kubernetes it supports. */
  readonly range: Fact<KubernetesRange>
  /** The version that runs; undefined when none does. */
  readonly installed: string | undefined
  /** The version of the last install that ended well. */
  readonly recorded: string | undefined
  readonly allowDowngrade: boolean
  readonly kubernetes: string
}

/** Karpenter with the cluster's Kubernetes, releases to keep away from, and the way from the version that runs. */
export function versionPair(facts: VersionPairFacts): readonly Concern[] {
  return [...nextMajor(facts.version), ...pair(facts), ...release(facts), ...way(facts), ...downgrade(facts)]
}

/** Said before anything of such a version is downloaded. */
export function nextMajor(version: string): readonly Concern[] {
  if (!isNextMajor(version)) return []
  return [
    {
      level: 'error',
      subject: 'karpenter-version',
      problem: `${version} is of another major version, whose API and upgrade nobody has tried with this action`,
      evidence: `this release was tested up to ${newestTested}`,
      fix: 'Take a release of this action that knows it.',
      override: 'next-major'
    }
  ]
}

function pair({ version, range, installed, recorded, kubernetes }: VersionPairFacts): Concern[] {
  if (isInRange(range.value, kubernetes)) return []
  return [
    {
      level: 'error',
      subject: 'karpenter-version',
      problem: `${version} does not support Kubernetes ${kubernetes}: ${pairConsequence(version)}`,
      evidence: `it is for Kubernetes ${rangeText(range.value)}${originText(version, range.origin)}`,
      fix: versionFix({ version, range: range.value, kubernetes, before: newestOf(installed, recorded) }),
      override: 'version-pair'
    }
  ]
}

function originText(version: string, origin: FactOrigin): string {
  switch (origin) {
    case 'table':
      return ''
    case 'tag':
      return `, by upstream's v${version}`
    case 'record':
      return ', as recorded'
    case 'newest row':
      return `, as far as ${newestTested} tells`
  }
}

/** Of what runs and what is recorded. */
export function newestOf(installed: string | undefined, recorded: string | undefined): string | undefined {
  if (installed === undefined || recorded === undefined) return installed ?? recorded
  return compareVersions(installed, recorded) < 0 ? recorded : installed
}

function release({ version }: VersionPairFacts): Concern[] {
  const [broken, discouraged] = [brokenReleases[baseOf(version)], discouragedReleases[baseOf(version)]]
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
  const runs = installed === undefined ? '0.0.0' : baseOf(installed)
  if (runs === '0.0.0') return []
  const finding = (level: Concern['level'], problem: string, fix: string): Concern => ({
    level,
    subject: 'karpenter-version',
    problem,
    evidence: `Karpenter ${runs} runs`,
    fix
  })
  if (isBefore(runs, '0.37.0')) {
    return [
      finding(
        'error',
        `${version} cannot follow ${runs} at once: its objects must be brought to v1beta1 and v1 first`,
        "Follow Karpenter's upgrade guide to 0.37 and 1.0, or remove that installation, then run again."
      )
    ]
  }
  if (isBefore(runs, '1.0.0') && !isBefore(version, '1.1.0')) {
    return [
      finding(
        'error',
        `${version} serves v1 only, and ${runs} keeps its objects as v1beta1`,
        `Install ${testedPatchOf('1.0') ?? '1.0'} first, which converts them; then run again with the version you want.`
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
