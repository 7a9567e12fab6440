import { UserError } from '../engine/errors.js'
import type { PublishedVersions } from '../helm/chart-tags.js'
import type { VersionInput } from '../inputs/inputs.js'
import {
  gradeOf,
  isNextMajor,
  isOlderApi,
  isSound,
  longTermMinors,
  newestTested,
  supports,
  testedKubernetes,
  testedPatchOf,
  versionsFor
} from '../karpenter/tested-versions.js'
import type { KubernetesRange } from '../karpenter/version-facts.js'
import { isInRange, noVersionFix } from '../karpenter/version-words.js'
import { compareVersions, exactVersion, kubernetesMinor, minorOf } from '../karpenter/versions.js'

export interface ChosenVersion {
  readonly version: string
  /** `asked for`, `installed`, `newest that supports Kubernetes 1.35`. */
  readonly reason: string
  /** What could not be had on the way, for the log. */
  readonly notes: readonly string[]
}

export interface ChoiceFacts {
  readonly requested: VersionInput | undefined
  /** As the controller that runs says it; undefined when none does. */
  readonly installed: string | undefined
  readonly recorded: string | undefined
  readonly kubernetes: string
  /** Asked only where nothing exact is asked for and nothing installed decides. */
  readonly published: () => Promise<PublishedVersions>
  /** Which Kubernetes an untested version supports. */
  readonly rangeOf: (version: string) => Promise<KubernetesRange>
}

/** Of so many untested minors it is asked which Kubernetes they support. */
const mostMinors = 3

/**
 * The version: the one that is asked for, else the installed one, else the newest tested one for the cluster's Kubernetes, and
 * an untested one only where no tested one fits. `refuses`: throws UserError where there is none, or none that this action
 * can install; a run that only looks or removes goes by what is there. Whether the cluster suits it is preflight's.
 */
export async function chooseVersion(facts: ChoiceFacts, refuses: boolean): Promise<ChosenVersion> {
  try {
    const chosen = await choice(facts)
    if (refuses && isOlderApi(chosen.version)) throw olderApi(chosen)
    return chosen
  } catch (error) {
    if (refuses || !(error instanceof UserError)) throw error
    return { ...whatIsThere(facts), notes: [error.message.replace(/^karpenter-version: /, '')] }
  }
}

async function choice(facts: ChoiceFacts): Promise<ChosenVersion> {
  const { requested, installed } = facts
  switch (requested?.kind) {
    case 'exact':
      return { version: requested.version, reason: 'asked for', notes: [] }
    case 'minor':
      return newestPatch(facts, requested.minor, `newest patch of ${requested.minor}, which is asked for`)
    case 'lts': {
      const minor = longTermMinors.at(-1) ?? ''
      return newestPatch(facts, minor, `newest patch of ${minor}, the newest long-term minor`)
    }
    case 'latest':
      return latest(facts)
    case undefined:
      if (installed === undefined) return newestFor(facts)
      return { version: readableVersion(installed), reason: 'installed', notes: [] }
  }
}

/** Of a removal, which needs none: nothing is asked for it. */
export function versionToRemove(
  facts: Pick<ChoiceFacts, 'requested' | 'installed' | 'recorded'>
): ChosenVersion {
  const { requested } = facts
  return requested?.kind === 'exact'
    ? { version: requested.version, reason: 'asked for', notes: [] }
    : { ...whatIsThere(facts), notes: [] }
}

function whatIsThere({
  installed,
  recorded
}: Pick<ChoiceFacts, 'installed' | 'recorded'>): Omit<ChosenVersion, 'notes'> {
  const runs = exactVersion(installed)
  if (runs !== undefined) return { version: runs, reason: 'installed' }
  if (recorded !== undefined) return { version: recorded, reason: 'recorded' }
  return { version: newestTested, reason: 'newest that this release was tested with' }
}

/** An image may be tagged with anything. */
function readableVersion(installed: string): string {
  const version = exactVersion(installed)
  if (version !== undefined) return version
  throw new UserError(
    'karpenter-version',
    `the controller that runs says that it is "${installed}", which is no version`,
    'Pass `karpenter-version`: the one that runs, or a newer one.',
    { state: 'Nothing was changed.' }
  )
}

function olderApi({ version, reason }: ChosenVersion): UserError {
  return new UserError(
    'karpenter-version',
    `${version} (${reason}) is older than 1.0, with which this action begins`,
    "Follow Karpenter's upgrade guide to 1.0 with the tool that installed it, or pass a `karpenter-version` of 1.0 or later.",
    { state: 'Nothing was changed.' }
  )
}

async function newestPatch(facts: ChoiceFacts, minor: string, reason: string): Promise<ChosenVersion> {
  const published = await facts.published()
  const ofMinor = (version: string): boolean => minorOf(version) === minor
  if (published.kind === 'listed') {
    const version = releasesIn(published).find(ofMinor)
    if (version !== undefined) return { version, reason, notes: [] }
    throw new UserError(
      'karpenter-version',
      `${published.where} has no release of ${minor}`,
      'Pass one that is there, `latest`, or leave karpenter-version out.',
      { state: 'Nothing was changed.' }
    )
  }
  const notes = notesOf(published)
  if (published.kind === 'local' && ofMinor(published.version))
    return { version: published.version, reason: `${reason}, as the chart is`, notes }
  const version = newestOf([testedPatchOf(minor), notOlder(facts.installed, ofMinor)])
  if (version !== undefined) return { version, reason, notes }
  throw new UserError(
    'karpenter-version',
    `the newest patch of ${minor} is not known${published.kind === 'unlisted' ? `: ${published.reason}` : ''}`,
    `Pass a whole version, such as ${minor}.0.`,
    { state: 'Nothing was changed.' }
  )
}

async function latest(facts: ChoiceFacts): Promise<ChosenVersion> {
  const published = await facts.published()
  if (published.kind === 'local')
    return { version: published.version, reason: "latest, which is the chart's own", notes: [] }
  const [newest] = published.kind === 'listed' ? releasesIn(published).filter(isOfThisMajor) : []
  if (newest !== undefined)
    return { version: newest, reason: 'latest, the newest that is published', notes: [] }
  // What runs may be newer than all that is known here.
  const version = newestOf([newestTested, notOlder(facts.installed, isOfThisMajor)]) ?? newestTested
  return { version, reason: 'latest, the newest that is known here', notes: notesOf(published) }
}

async function newestFor(facts: ChoiceFacts): Promise<ChosenVersion> {
  const { kubernetes } = facts
  const published = await facts.published()
  if (published.kind === 'local') return { version: published.version, reason: "the chart's own", notes: [] }
  const reason = `newest that supports Kubernetes ${kubernetes}`
  const listed = published.kind === 'listed' ? releasesIn(published).filter(isOfThisMajor) : []
  const notes = notesOf(published)
  const version =
    listed.find((one) => supports(one, kubernetes)) ??
    (await untestedFor(facts, listed)) ??
    versionsFor(kubernetes)[0]
  if (version !== undefined) return { version, reason, notes }
  throw new UserError(
    'karpenter-version',
    `no Karpenter that is known here supports Kubernetes ${kubernetes}${published.kind === 'unlisted' ? `, and ${published.reason}` : ''}`,
    noVersionFix(kubernetes),
    { state: 'Nothing was changed.' }
  )
}

/** Only where the cluster is newer than every tested version. */
async function untestedFor(
  { kubernetes, rangeOf }: ChoiceFacts,
  listed: readonly string[]
): Promise<string | undefined> {
  if (kubernetesMinor(kubernetes) <= testedKubernetes.most) return undefined
  const untested = listed.filter((version) => gradeOf(version) === 'untested')
  const newest = untested.filter(
    (version, index) => untested.findIndex((one) => minorOf(one) === minorOf(version)) === index
  )
  for (const version of newest.slice(0, mostMinors)) {
    if (isInRange(await rangeOf(version), kubernetes)) return version
  }
  return undefined
}

/** Releases that work, newest first; no pre-release and nothing that is no version. */
function releasesIn({ versions }: { readonly versions: readonly string[] }): readonly string[] {
  return [...new Set(versions)]
    .filter((version) => /^\d+\.\d+\.\d+$/.test(version) && !isOlderApi(version) && isSound(version))
    .toSorted(compareVersions)
    .toReversed()
}

function isOfThisMajor(version: string): boolean {
  return !isNextMajor(version)
}

function notOlder(installed: string | undefined, fits: (version: string) => boolean): string | undefined {
  const version = exactVersion(installed)
  return version !== undefined && fits(version) ? version : undefined
}

function newestOf(versions: readonly (string | undefined)[]): string | undefined {
  return versions
    .filter((version) => version !== undefined)
    .toSorted(compareVersions)
    .at(-1)
}

function notesOf(published: PublishedVersions): readonly string[] {
  return published.kind === 'unlisted'
    ? [`${published.reason}; the newest of this release's table is taken`]
    : []
}
