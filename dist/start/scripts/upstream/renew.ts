import semver from 'semver'
import type { Release } from '../../src/karpenter/releases.js'
import { upstreamPath } from '../../src/karpenter/template.js'
import { hashVersionIn, kubernetesIn, tagPaths } from '../../src/karpenter/tag-constants.js'
import { changesOf, type ReadVersion } from './changes.js'
import { type DigestRow, digestsOf } from './digests.js'
import {
  digestRows,
  digestsAt,
  newestPatches,
  type ReleaseFacts,
  releaseRows,
  type TemplateDigests
} from './rows.js'
import type { Source } from './sources.js'

/** What the generated files hold. */
export interface Generated {
  readonly releases: readonly Release[]
  readonly testedPatches: readonly string[]
  readonly digests: readonly DigestRow[]
}

/** Which versions are to be read. */
export interface Task {
  /** Not in the table yet, or all of them. */
  readonly compared: readonly string[]
  /** Those, and the ones whose digests were not made of their own tag. */
  readonly read: readonly string[]
  /** Each of `compared` with the version before it; undefined where there is none. */
  readonly predecessors: ReadonlyMap<string, string | undefined>
}

export function taskOf(published: readonly string[], kept: Generated, all: boolean): Task {
  const isNew = (version: string): boolean =>
    !kept.testedPatches.some(
      (patch) =>
        semver.major(patch) === semver.major(version) &&
        semver.minor(patch) === semver.minor(version) &&
        semver.gte(patch, version)
    )
  const compared = published.filter((version) => all || isNew(version))
  const unread = kept.digests.filter(({ from, source }) => source !== `v${from}`).map(({ from }) => from)
  const before = (version: string, among: readonly string[]): string | undefined =>
    among.findLast((other) => semver.lt(other, version))
  return {
    compared,
    read: published.filter((version) => compared.includes(version) || unread.includes(version)),
    predecessors: new Map(
      compared.map((version) => [version, before(version, published) ?? before(version, kept.testedPatches)])
    )
  }
}

/** What a version changes in the one before it. */
export interface VersionChanges {
  readonly version: string
  readonly after: string | undefined
  readonly lines: readonly string[]
}

/** Reads what the task asks for, and brings the rows up to it. Throws Error that names the tag and the file it cannot read. */
export async function renewed(
  source: Source,
  task: Task,
  kept: Generated,
  isSound: (version: string) => boolean
): Promise<{ readonly generated: Generated; readonly changes: readonly VersionChanges[] }> {
  const facts = new Map<string, ReleaseFacts>()
  const templates = new Map<string, TemplateDigests>()
  for (const version of task.read) {
    const own = await factsOf(source, version)
    if (own !== undefined) facts.set(version, own)
    const template = await source.read(version, upstreamPath)
    if (template !== undefined)
      templates.set(version, {
        source: `v${version}`,
        digests: {
          aws: digestsOf(template, 'aws'),
          'aws-cn': digestsOf(template, 'aws-cn'),
          'aws-us-gov': digestsOf(template, 'aws-us-gov')
        }
      })
  }
  const known = [...kept.testedPatches, ...task.read]
  const generated: Generated = {
    releases: releaseRows(kept.releases, facts, known),
    testedPatches: newestPatches([...kept.testedPatches, ...task.compared], isSound),
    digests: digestRows(kept.digests, templates, known)
  }
  const stateOf = (version: string): ReadVersion => ({
    version,
    facts: facts.get(version) ?? generated.releases.findLast(({ from }) => semver.lte(from, version)),
    digests: templates.get(version)?.digests.aws ?? digestsAt(generated.digests, version).aws
  })
  const changes: VersionChanges[] = []
  for (const version of task.compared) {
    const after = task.predecessors.get(version)
    const lines =
      after === undefined
        ? []
        : source.versions.includes(after)
          ? await changesOf(source, stateOf(after), stateOf(version))
          : [`not compared: ${source.name} does not have ${after}`]
    changes.push({ version, after, lines })
  }
  return { generated, changes }
}

async function factsOf(source: Source, version: string): Promise<ReleaseFacts | undefined> {
  const [range, hash] = await Promise.all([
    source.read(version, tagPaths.kubernetes),
    source.read(version, tagPaths.nodeClassHash)
  ])
  if (range === undefined || hash === undefined) return undefined
  return {
    kubernetes: at(version, tagPaths.kubernetes, () => kubernetesIn(range)),
    nodeClassHash: at(version, tagPaths.nodeClassHash, () => hashVersionIn(hash))
  }
}

function at<T>(version: string, path: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw new Error(`v${version}: ${path}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error
    })
  }
}
