import semver from 'semver'

/** From this version on, up to but without that one. */
export interface Span {
  readonly from?: string
  readonly before?: string
}

/**
 * A version as what it is a release of: `1.14.1` of `v1.14.1-rc.0`. A pre-release is what its release will be, and semver
 * alone has it before that. `0.0.0` for what is no version, such as the image tag `latest`.
 */
export function baseOf(version: string): string {
  return semver.coerce(version)?.version ?? '0.0.0'
}

/** Whether the one is of an older release than the other; pre-releases by their base. */
export function isBefore(version: string, other: string): boolean {
  return semver.lt(baseOf(version), baseOf(other))
}

export function inSpan(version: string, span: Span): boolean {
  return (
    (span.from === undefined || !isBefore(version, span.from)) &&
    (span.before === undefined || isBefore(version, span.before))
  )
}

/** `1.14` of `1.14.3`. */
export function minorOf(version: string): string {
  return baseOf(version).split('.').slice(0, 2).join('.')
}

/** Minor of `1.32` or `1.32+`. */
export function kubernetesMinor(version: string): number {
  return Number(/^1\.(\d+)/.exec(version)?.[1] ?? Number.NaN)
}

/** Exactly the version, its pre-release too, without a leading v; undefined for what is none. */
export function exactVersion(version: string | undefined): string | undefined {
  return semver.parse(version)?.version
}

/** Ascending, pre-releases before their release; what is no version comes first. */
export function compareVersions(one: string, other: string): number {
  return semver.compare(exactVersion(one) ?? baseOf(one), exactVersion(other) ?? baseOf(other))
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
  const installed = readable(before.installed)
  const recorded = readable(before.recorded)
  if (
    installed !== undefined &&
    compareVersions(installed, version) > 0 &&
    (recorded === undefined || compareVersions(installed, recorded) >= 0)
  )
    return { version: installed, says: 'runs' }
  if (recorded === undefined || compareVersions(recorded, version) <= 0) return undefined
  return { version: recorded, says: 'is recorded' }
}

function readable(version: string | undefined): string | undefined {
  if (version === undefined) return undefined
  return exactVersion(version) ?? semver.coerce(version)?.version
}
