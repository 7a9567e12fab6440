import semver from 'semver'
import { UserError } from '../engine/errors.js'

/** From this version on, up to but without that one. */
export interface Span {
  readonly from?: string
  readonly before?: string
}

export function inSpan(version: string, span: Span): boolean {
  return (
    (span.from === undefined || semver.gte(version, span.from)) &&
    (span.before === undefined || semver.lt(version, span.before))
  )
}

/** Which Kubernetes a Karpenter supports. */
interface CompatibilityRow {
  /** Semver range of Karpenter versions. */
  readonly karpenter: string
  readonly least: number
  readonly most: number
  /** Newest patch that this table was checked against, taken when nothing is asked for. */
  readonly newest: string
}

/**
 * Kubernetes minors by Karpenter minor. Source: hack/docs/compatibilitymatrix_gen/compatibility.yaml at v1.14.1 of
 * aws/karpenter-provider-aws.
 */
const compatibility: readonly CompatibilityRow[] = [
  { karpenter: '>=1.0.0 <1.0.5', least: 25, most: 30, newest: '1.0.4' },
  { karpenter: '>=1.0.5 <1.1.0', least: 25, most: 31, newest: '1.0.8' },
  { karpenter: '~1.1.0', least: 25, most: 31, newest: '1.1.1' },
  { karpenter: '~1.2.0', least: 25, most: 32, newest: '1.2.1' },
  { karpenter: '~1.3.0', least: 25, most: 32, newest: '1.3.0' },
  { karpenter: '~1.4.0', least: 25, most: 32, newest: '1.4.0' },
  { karpenter: '~1.5.0', least: 26, most: 33, newest: '1.5.0' },
  { karpenter: '~1.6.0', least: 26, most: 34, newest: '1.6.2' },
  { karpenter: '~1.7.0', least: 26, most: 34, newest: '1.7.0' },
  { karpenter: '~1.8.0', least: 26, most: 34, newest: '1.8.6' },
  { karpenter: '~1.9.0', least: 26, most: 35, newest: '1.9.3' },
  { karpenter: '~1.10.0', least: 26, most: 35, newest: '1.10.0' },
  { karpenter: '~1.11.0', least: 26, most: 35, newest: '1.11.1' },
  { karpenter: '~1.12.0', least: 26, most: 35, newest: '1.12.0' },
  { karpenter: '~1.13.0', least: 26, most: 36, newest: '1.13.1' },
  { karpenter: '~1.14.0', least: 26, most: 36, newest: '1.14.1' }
]

export interface ChosenVersion {
  readonly version: string
  /** `asked for`, `installed`, `newest that supports Kubernetes 1.35`. */
  readonly reason: string
}

/** Minor of `1.32` or `1.32+`. */
export function kubernetesMinor(version: string): number {
  return Number(/^1\.(\d+)/.exec(version)?.[1] ?? Number.NaN)
}

export function supports(karpenter: string, kubernetes: string): boolean {
  const minor = kubernetesMinor(kubernetes)
  const row = compatibility.find((each) => semver.satisfies(karpenter, each.karpenter))
  return row !== undefined && minor >= row.least && minor <= row.most
}

/** Newest versions, one a minor; newest first. */
export function knownVersions(): readonly string[] {
  return compatibility.map((row) => row.newest).toReversed()
}

/** Those of them that support a Kubernetes. */
export function versionsFor(kubernetes: string): readonly string[] {
  return knownVersions().filter((version) => supports(version, kubernetes))
}

/**
 * The version: the one asked for, else the installed one, else the newest of the table for the cluster. Throws UserError
 * where there is none, and for versions that the table does not have at all; whether the cluster suits it is preflight's.
 */
export function chooseVersion(facts: {
  readonly requested: string | undefined
  readonly installed: string | undefined
  readonly kubernetes: string
}): ChosenVersion {
  const { requested, installed, kubernetes } = facts
  const good = versionsFor(kubernetes)
  const version = requested ?? installed ?? good[0]
  if (version === undefined) {
    throw new UserError(
      'karpenter-version',
      `no Karpenter version that this action knows supports Kubernetes ${kubernetes}`,
      'Update the cluster, or take a newer version of this action.',
      { state: 'Nothing was changed.' }
    )
  }
  const reason =
    requested !== undefined
      ? 'asked for'
      : installed !== undefined
        ? 'installed'
        : `newest that supports Kubernetes ${kubernetes}`
  if (!compatibility.some((row) => semver.satisfies(version, row.karpenter))) {
    throw new UserError(
      'karpenter-version',
      `${version} (${reason}) is not among the versions that this action knows, 1.0.0 to ${compatibility.at(-1)?.newest ?? ''}`,
      versionFix(kubernetes),
      { state: 'Nothing was changed.' }
    )
  }
  return { version, reason }
}

/** What an older version would follow: the version that runs, or the last one that an install ended well with. */
export interface NewerBefore {
  readonly version: string
  readonly says: 'runs' | 'is recorded'
}

/** The newest of what was there before, where it is newer than the version; undefined where it is not. */
export function newerBefore(
  version: string,
  before: { readonly installed: string | undefined; readonly recorded: string | undefined }
): NewerBefore | undefined {
  const installed = semver.coerce(before.installed)
  const recorded = semver.coerce(before.recorded)
  if (
    installed !== null &&
    semver.gt(installed, version) &&
    (recorded === null || semver.gte(installed, recorded))
  )
    return { version: installed.version, says: 'runs' }
  if (recorded === null || !semver.gt(recorded, version)) return undefined
  return { version: recorded.version, says: 'is recorded' }
}

/** What to take on a cluster of this Kubernetes. */
export function versionFix(kubernetes: string): string {
  const good = versionsFor(kubernetes)
  return good.length === 0
    ? 'Update the cluster.'
    : `Pass \`karpenter-version\` as one of ${good.slice(0, 6).join(', ')}, which support Kubernetes ${kubernetes}.`
}
