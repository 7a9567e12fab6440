import { isBadRelease } from './broken-releases.js'
import { type Release, releases, testedPatches } from './releases.js'
import { baseOf, compareVersions, inSpan, isBefore, kubernetesMinor, minorOf } from './versions.js'

/**
 * How far this release of the action knows a version. `tested`: its minor was tested, and its patch is none after that.
 * `newer patch`: of a tested minor. `untested`: every other. It says what was tried and keeps nothing away.
 */
export type Grade = 'tested' | 'newer patch' | 'untested'

export function gradeOf(version: string): Grade {
  const tested = testedPatchOf(minorOf(version))
  if (tested === undefined) return 'untested'
  return isBefore(tested, version) ? 'newer patch' : 'tested'
}

/** Newest tested patch of a minor such as `1.14`. */
export function testedPatchOf(minor: string): string | undefined {
  return testedPatches.find((version) => minorOf(version) === minor)
}

/** One a minor, newest first. */
export const testedVersions: readonly string[] = testedPatches.toSorted(compareVersions).toReversed()

export const newestTested: string = testedVersions[0] ?? '0.0.0'

/** Before 1.0, whose API is another one. */
export function isOlderApi(version: string): boolean {
  return isBefore(version, '1.0.0')
}

/** Of a major that nobody has seen yet. */
export function isNextMajor(version: string): boolean {
  return inSpan(version, { from: '2.0.0' })
}

/** The row of a version; of one that is outside of the table the nearest one. */
export function rowOf(version: string): Release {
  const row = releases.findLast(({ from }) => !isBefore(version, from)) ?? releases[0]
  if (row === undefined) throw new Error('src/karpenter/releases.ts has no rows')
  return row
}

/** Whether the table has a Karpenter, and that for a Kubernetes. */
export function supports(karpenter: string, kubernetes: string): boolean {
  const minor = kubernetesMinor(kubernetes)
  const { least, most } = rowOf(karpenter).kubernetes
  return gradeOf(karpenter) !== 'untested' && minor >= least && minor <= most
}

/** Tested versions that support a Kubernetes, newest first. */
export function versionsFor(kubernetes: string): readonly string[] {
  return testedVersions.filter((version) => supports(version, kubernetes))
}

/** Kubernetes 1.x that any tested version supports. */
export const testedKubernetes: { readonly least: number; readonly most: number } = {
  least: Math.min(...releases.map(({ kubernetes }) => kubernetes.least)),
  most: Math.max(...releases.map(({ kubernetes }) => kubernetes.most))
}

/** Whether a release works and upstream does not advise against it; only such are chosen or proposed. */
export function isSound(version: string): boolean {
  return !isBadRelease(baseOf(version))
}

/** Long-term minors by SUPPORT.md of aws/karpenter-provider-aws, ascending; `lts` takes the last. */
export const longTermMinors: readonly string[] = ['1.9']
