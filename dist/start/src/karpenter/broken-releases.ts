import semver from 'semver'
import { testedPatches } from './releases.js'

interface BadRelease {
  readonly flaw: string
  /** Version to take instead: the newest patch of its minor that was tested. */
  readonly take: string
}

const reservations =
  'its controller panics when an EC2NodeClass selects a capacity reservation of which EC2 does not say whether it is interruptible (upstream issue 9079)'

/** Releases that work for nobody. */
export const brokenReleases = badReleases({
  '1.8.0': 'its chart renders an empty feature gate and the controller panics (upstream issue 8608)'
})

/** Releases that work in some clusters and not in others, or that upstream itself advises against. */
export const discouragedReleases = badReleases({
  '1.3.0':
    'in an account without a default VPC no EC2NodeClass becomes ready, since its trial of RunInstances names no subnet (upstream issue 7834)',
  '1.7.0':
    'its disruption controller can panic, and then no node is consolidated or replaced (upstream issue 8496)',
  '1.8.4': 'it has a regression in topology spread, and its own documentation says to skip it',
  '1.10.0': reservations,
  '1.11.0': reservations,
  '1.11.1': reservations
})

/** Whether a release is known to be bad: such a one is never proposed. */
export function isBadRelease(version: string): boolean {
  return Object.hasOwn(brokenReleases, version) || Object.hasOwn(discouragedReleases, version)
}

function badReleases(flaws: Readonly<Record<string, string>>): Readonly<Record<string, BadRelease>> {
  return Object.fromEntries(
    Object.entries(flaws).map(([version, flaw]) => [version, { flaw, take: replacementOf(version) }])
  )
}

function replacementOf(version: string): string {
  return testedPatches.find((patch) => semver.satisfies(patch, `~${version}`)) ?? testedPatches.at(-1) ?? ''
}
