import { discoveryTag } from '../../karpenter/names.js'
import { knownFirst } from '../../aws/discover.js'
import type { Aws } from '../../aws/clients.js'
import { awsProblem, liveOf } from '../../aws/errors.js'
import { poll } from '../../aws/poll.js'
import type { Difference } from '../../engine/difference.js'
import { UserError } from '../../engine/errors.js'
import { isMap } from '../../engine/json.js'
import { resource, type AnyResource, type Removal, type Step } from '../../engine/resource.js'

export interface Tagged {
  readonly id: string
  readonly tags: Readonly<Record<string, string>>
}

export interface DiscoveryTagsWanted {
  readonly clusterName: string
  readonly ids: readonly string[]
}

export interface DiscoveryTagsPorts {
  readonly aws: Aws
  /** As discovery found them; the first read is spared. */
  readonly discovered?: readonly Tagged[]
}

/** The two kinds of thing that are tagged. */
export interface TaggedKind {
  readonly id: string
  readonly title: string
  /** The input that chooses them. */
  readonly input: 'subnets' | 'security-groups'
  readonly read: (aws: Aws, ids: readonly string[]) => Promise<readonly Tagged[]>
}

type Live = readonly Tagged[]

/**
 * A tag that names another cluster: one thing cannot belong to two. Undefined when there is none. Usable before the first
 * write.
 */
export function discoveryTagConflicts(
  input: TaggedKind['input'],
  clusterName: string,
  things: readonly Tagged[]
): UserError | undefined {
  const taken = things.filter((thing) => ![undefined, '', clusterName].includes(thing.tags[discoveryTag]))
  const first = taken[0]
  if (first === undefined) return undefined
  const free = things.filter((thing) => !taken.includes(thing)).map((thing) => thing.id)
  const others = [...new Set(taken.map((thing) => thing.tags[discoveryTag] ?? ''))]
  const subject = taken.length === 1 ? `${first.id} is` : `${taken.map((thing) => thing.id).join(', ')} are`
  return new UserError(
    input,
    `${subject} tagged ${discoveryTag}=${others.join(' or ')}, so cluster "${clusterName}" cannot have ${taken.length === 1 ? 'it' : 'them'}.`,
    `Where both clusters use ${taken.length === 1 ? 'it' : 'them'}, pass \`discovery: ids\`: EC2NodeClasses name what they use, and no tag is touched. Else pass \`${input}: ${free.length > 0 ? free.join(',') : 'ids of others'}\`.`,
    { state: 'Nothing was changed.' }
  )
}

export function discoveryTags(
  kind: TaggedKind,
  wanted: DiscoveryTagsWanted,
  ports: DiscoveryTagsPorts
): AnyResource {
  const read = knownFirst(ports.discovered, async () => kind.read(ports.aws, wanted.ids))
  /** A record may have ids that are no longer chosen, and so are not read. */
  const asRead = (want: DiscoveryTagsWanted): DiscoveryTagsWanted => ({
    ...want,
    ids: want.ids.filter((id) => wanted.ids.includes(id))
  })
  const missing = (live: Live): readonly string[] =>
    wanted.ids.filter(
      (id) => live.find((thing) => thing.id === id)?.tags[discoveryTag] !== wanted.clusterName
    )

  return resource<DiscoveryTagsWanted, Live>(
    {
      id: kind.id,
      layer: 'network',
      title: kind.title,
      dependsOn: [],
      wanted,
      read: async () => liveOf<Live>(kind.title, read),
      compare: (want, live) => differencesOf(asRead(want), live),
      absent: (want) => differencesOf(asRead(want), []),
      refusal: (live) => discoveryTagConflicts(kind.input, wanted.clusterName, live),
      apply: async (live, _differences, step) => {
        const found = live.state === 'present' ? live.value : []
        const conflict = discoveryTagConflicts(kind.input, wanted.clusterName, found)
        if (conflict !== undefined) throw conflict
        const ids = missing(found)
        await createTags(ids, step)
        await poll(
          step,
          {
            what: `tags of ${ids.join(', ')}`,
            timeoutMilliseconds: 60_000,
            giveUp: () =>
              new UserError(
                kind.title,
                `${discoveryTag} was set, and does not show a minute later`,
                'Run again; look for something that takes tags away (a tag policy, another tool).'
              )
          },
          async () => (missing(await kind.read(ports.aws, wanted.ids)).length === 0 ? true : undefined)
        )
      },
      // A tag does not say who set it.
      sign: { by: 'record' },
      present: (live) => ofCluster(live).map(nameOf),
      remove
    },
    isWanted
  )

  async function createTags(ids: readonly string[], step: Step): Promise<void> {
    const { CreateTagsCommand } = await import('../../aws/sdk/ec2.js')
    const ec2 = await ports.aws.ec2()
    await ec2
      .send(
        new CreateTagsCommand({
          Resources: [...ids],
          Tags: [{ Key: discoveryTag, Value: wanted.clusterName }]
        })
      )
      .catch((error: unknown) => {
        throw awsProblem(kind.title, `${ids.join(', ')} could not be tagged`, error)
      })
    step.changed(`tagged ${ids.join(', ')} ${discoveryTag}=${wanted.clusterName}`)
  }

  function ofCluster(live: Live): readonly string[] {
    return live.filter((one) => one.tags[discoveryTag] === wanted.clusterName).map(({ id }) => id)
  }

  async function remove(live: Live, step: Step, names: readonly string[]): Promise<Removal> {
    const ids = ofCluster(live).filter((id) => names.includes(nameOf(id)))
    const { DeleteTagsCommand } = await import('../../aws/sdk/ec2.js')
    const ec2 = await ports.aws.ec2()
    const Tags = [{ Key: discoveryTag, Value: wanted.clusterName }]
    await ec2.send(new DeleteTagsCommand({ Resources: ids, Tags })).catch((error: unknown) => {
      throw awsProblem(kind.title, `the tags of ${ids.join(', ')} could not be removed`, error)
    })
    step.changed(`removed ${discoveryTag} from ${ids.join(', ')}`)
    return { outcome: 'removed' }
  }
}

/** As the record and the proof of a removal call it. */
function nameOf(id: string): string {
  return `tag ${discoveryTag} on ${id}`
}

function differencesOf(wanted: DiscoveryTagsWanted, live: Live): readonly Difference[] {
  return wanted.ids.flatMap((id): Difference[] => {
    const value = live.find((thing) => thing.id === id)?.tags[discoveryTag]
    if (value === wanted.clusterName) return []
    return [
      {
        path: `${id}.tags.${discoveryTag}`,
        wanted: wanted.clusterName,
        live: value,
        reason:
          value === undefined
            ? `${id} is not tagged, so Karpenter does not find it`
            : `${id} is tagged for ${value === '' ? 'no cluster' : `cluster "${value}"`}`,
        severity: 'breaks scaling'
      }
    ]
  })
}

function isWanted(value: unknown): value is DiscoveryTagsWanted {
  return isMap(value) && typeof value['clusterName'] === 'string' && Array.isArray(value['ids'])
}
