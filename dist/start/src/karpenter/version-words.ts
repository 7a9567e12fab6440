import {
  gradeOf,
  isOlderApi,
  newestTested,
  testedKubernetes,
  testedPatchOf,
  versionsFor
} from './tested-versions.js'
import type { Fact, KubernetesRange, VersionFacts } from './version-facts.js'
import { compareVersions, isBefore, kubernetesMinor, minorOf } from './versions.js'

/** Where the statements of the stack come from: of the version's own template, or of what the table has. */
export type StatementsOrigin = Fact<unknown>['origin']

/** `newer than 1.15, the newest that this release was tested with; ...`; empty for a tested version. */
function gradeText(facts: VersionFacts, statements: StatementsOrigin): string {
  const { version } = facts
  const tested = testedPatchOf(minorOf(version))
  switch (gradeOf(version)) {
    case 'tested':
      return ''
    case 'newer patch':
      return `newer than ${tested ?? ''}, the newest patch of ${minorOf(version)} that this release was tested with`
    case 'untested':
      return isOlderApi(version)
        ? 'older than 1.0, with which this release begins'
        : `newer than ${minorOf(newestTested)}, the newest that this release was tested with; ${factsText(facts, statements)}`
  }
}

/** `1.16.0 (asked for; newer than 1.15, ...)`. */
export function choiceText(reason: string, facts: VersionFacts, statements: StatementsOrigin): string {
  return `${facts.version} (${[reason, gradeText(facts, statements)].filter((part) => part !== '').join('; ')})`
}

/** The one warning of an install with an untested version; undefined for others. */
export function untestedWarning(facts: VersionFacts, statements: StatementsOrigin): string | undefined {
  if (gradeOf(facts.version) !== 'untested') return undefined
  const built =
    statements === 'newest row'
      ? `. The stack gets the statements of ${newestTested}, and keeps whatever it allows besides`
      : ''
  return `karpenter-version: ${facts.version} is ${gradeText(facts, statements)}${built}`
}

/** Said again where an untested version was not proved either. */
export function notProvedWarning(version: string): string {
  return `smoke-test: Karpenter ${version} is newer than ${minorOf(newestTested)}, the newest that this release was tested with, and no smoke test was made: nothing has proved that it scales on this cluster`
}

function factsText(facts: VersionFacts, statements: StatementsOrigin): string {
  const { version, kubernetes, nodeClassHash } = facts
  const all = [
    { name: 'Kubernetes range', origin: kubernetes.origin },
    { name: 'statements', origin: statements },
    { name: 'hash version', origin: nodeClassHash.origin }
  ]
  const from = (origin: StatementsOrigin): string =>
    listText(all.filter((one) => one.origin === origin).map(({ name }) => name))
  const unknown = [
    ...(kubernetes.origin === 'newest row' ? ['the newest Kubernetes that it supports'] : []),
    ...(nodeClassHash.origin === 'newest row' ? ['its hash version'] : [])
  ]
  const reason = kubernetes.reason ?? nodeClassHash.reason
  return [
    ...(from('tag') === '' ? [] : [`${from('tag')} read from upstream's v${version}`]),
    ...(from('record') === '' ? [] : [`${from('record')} as recorded by the last install`]),
    ...(statements === 'newest row' ? [`statements those of ${newestTested}`] : []),
    ...(unknown.length === 0
      ? []
      : [`${listText(unknown)} not known${reason === undefined ? '' : ` (${reason})`}`])
  ].join('; ')
}

function listText(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1) ?? ''}`
}

/** `1.26 to 1.37`, `1.26 and later`. */
export function rangeText({ least, most }: KubernetesRange): string {
  return most === undefined ? `1.${least} and later, as far as is known` : `1.${least} to 1.${most}`
}

export function isInRange({ least, most }: KubernetesRange, kubernetes: string): boolean {
  const minor = kubernetesMinor(kubernetes)
  return minor >= least && (most === undefined || minor <= most)
}

/** What stands in the way of an older version. */
export interface FixFacts {
  readonly version: string
  readonly range: KubernetesRange
  readonly kubernetes: string
  /** Newest of what runs and what is recorded; nothing older is proposed. */
  readonly before: string | undefined
}

/**
 * What to take in place of a version that does not support the cluster's Kubernetes. Proposes tested versions alone, never
 * one that an install would refuse as older, never an older one than an untested that is asked for, and no update of a
 * cluster that is newer than Karpenter.
 */
export function versionFix({ version, range, kubernetes, before }: FixFacts): string {
  const fitting = versionsFor(kubernetes)
  if (kubernetesMinor(kubernetes) < range.least) {
    const older =
      gradeOf(version) === 'untested'
        ? undefined
        : fitting.find((one) => before === undefined || compareVersions(one, before) >= 0)
    const update = `Update the cluster to Kubernetes 1.${range.least} or later`
    return older === undefined
      ? `${update}.`
      : `${update}, or pass \`karpenter-version: ${older}\`, the newest for Kubernetes ${kubernetes}.`
  }
  const newer = fitting.filter(
    (one) => compareVersions(one, version) > 0 && (before === undefined || compareVersions(one, before) >= 0)
  )
  const [newest] = newer
  if (newest === undefined) return waitText(kubernetes)
  return newer.length === 1
    ? `Pass \`karpenter-version: ${newest}\`, which supports Kubernetes ${kubernetes}.`
    : `Pass \`karpenter-version\` as one of ${newer.slice(0, 6).join(', ')}, which support Kubernetes ${kubernetes}.`
}

/** For a Kubernetes that is newer than all that is known. */
function waitText(kubernetes: string): string {
  return `Take a newer Karpenter as soon as one supports Kubernetes ${kubernetes}: \`karpenter-version: latest\` takes the newest there is.`
}

/** What to take where nothing was asked for and no tested version fits. */
export function noVersionFix(kubernetes: string): string {
  return kubernetesMinor(kubernetes) < testedKubernetes.least
    ? `Update the cluster to Kubernetes 1.${testedKubernetes.least} or later.`
    : waitText(kubernetes)
}

/**
 * What comes of a Kubernetes outside of the range: pkg/operator/operator.go at v1.1.1 wraps the check in lo.Must0, and at
 * v1.2.1 a controller of its own makes it (pkg/controllers/providers/version).
 */
export function pairConsequence(version: string): string {
  return pairIsFatal(version)
    ? 'its controller ends in a panic at its start'
    : 'its controller logs one error and goes on'
}

/** Whether the controller does not start at all on a Kubernetes outside of its range. */
export function pairIsFatal(version: string): boolean {
  return isBefore(version, '1.2.0')
}
