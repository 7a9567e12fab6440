import type { Finding } from '../engine/findings.js'
import { discoveryTag } from '../karpenter/names.js'
import { listField, type Manifest, textField } from '../kubernetes/manifest.js'
import type { Decisions } from './decisions.js'
import type { Discovery } from './discovery.js'
import { idOf } from '../resources/ids.js'

type Found = Pick<Discovery, 'cluster' | 'network' | 'subnets' | 'securityGroups'>

/** What Karpenter finds by its tag besides what was chosen. */
interface AlsoTagged {
  readonly id: string
  readonly vpcId: string
  readonly input: 'subnets' | 'security-groups'
}

/** What could not be read is undefined, with the action that the caller lacks. */
async function alsoTagged(found: Found): Promise<{
  readonly things: readonly AlsoTagged[]
  readonly denied: readonly string[]
}> {
  const [subnets, groups] = await Promise.all([
    found.network.taggedSubnets(),
    found.network.taggedSecurityGroups()
  ])
  const chosen = new Set([...found.subnets, ...found.securityGroups].map(({ id }) => id))
  return {
    things: [
      ...(subnets.state === 'read' ? subnets.items : []).map((one) => ({
        ...one,
        input: 'subnets' as const
      })),
      ...(groups.state === 'read' ? groups.items : []).map((one) => ({
        ...one,
        input: 'security-groups' as const
      }))
    ]
      .filter(({ id }) => !chosen.has(id))
      .map(({ id, vpcId, input }) => ({ id, vpcId, input })),
    denied: [subnets, groups].flatMap((read) => (read.state === 'denied' ? [read.action] : []))
  }
}

/** Ids, for the record of an install; undefined when they could not be read. */
export async function alsoTaggedIds(found: Found): Promise<readonly string[] | undefined> {
  const { things, denied } = await alsoTagged(found)
  return denied.length > 0 ? undefined : things.map(({ id }) => id)
}

export interface TagFindings {
  readonly findings: readonly Finding[]
  /** What was so at the last install, or nobody knows since when. */
  readonly notes: readonly string[]
}

/**
 * The discovery tag on a subnet or security group that nobody chose: nodes go there all the same. One that came after the
 * install is drift; one that was there, or of which no record knows, is a note.
 */
export async function tagFindings(
  found: Found & Pick<Discovery, 'record'>,
  { nodeClasses }: Pick<Decisions, 'nodeClasses'>
): Promise<TagFindings> {
  const { cluster, record } = found
  const inputs = (['subnets', 'security-groups'] as const).filter((input) =>
    nodeClasses.some((manifest) => selectsByTag(manifest, input, cluster.name))
  )
  if (inputs.length === 0) return { findings: [], notes: [] }
  const { things, denied } = await alsoTagged(found)
  const relevant = things.filter(({ input }) => inputs.includes(input))
  const known = record?.alsoTagged
  const isNew = ({ id }: AlsoTagged): boolean => known !== undefined && !known.includes(id)
  return {
    findings: [...relevant.filter(isNew).map((thing) => findingOf(thing, cluster)), ...denied.map(unread)],
    notes: relevant
      .filter((thing) => !isNew(thing))
      .map(
        ({ id, input }) =>
          `note: Karpenter uses ${id} as well, which \`${input}\` does not name: it is tagged ${discoveryTag}=${cluster.name}, ${known === undefined ? 'and no record says since when' : 'as it was at the last install'}`
      )
  }
}

function selectsByTag(manifest: Manifest, input: AlsoTagged['input'], clusterName: string): boolean {
  const name = input === 'subnets' ? 'subnetSelectorTerms' : 'securityGroupSelectorTerms'
  return listField(manifest, 'spec', name).some((term) =>
    [clusterName, '*'].includes(textField(term, 'tags', discoveryTag) ?? '')
  )
}

function findingOf({ id, vpcId, input }: AlsoTagged, cluster: Discovery['cluster']): Finding {
  const elsewhere =
    vpcId === cluster.vpcId ? '' : `, of another VPC (${vpcId}) than the cluster's, where no node can join`
  const consequence = input === 'subnets' ? 'nodes are put into it' : 'nodes get it'
  const [resource, title] =
    input === 'subnets' ? [idOf.subnetTags, 'Subnet tags'] : [idOf.securityGroupTags, 'Security group tags']
  return {
    kind: 'drift',
    id: resource,
    title,
    layer: 'network',
    path: `${id}.tags.${discoveryTag}`,
    wanted: undefined,
    recorded: undefined,
    live: cluster.name,
    severity: input === 'subnets' ? 'breaks scaling' : 'weakens security',
    reason: `${id} was tagged ${discoveryTag}=${cluster.name} since the install, so ${consequence}${elsewhere}; \`${input}\` does not name it`,
    install: `leave the tag, which this action did not set. If it is not meant: aws ec2 delete-tags --resources ${id} --tags Key=${discoveryTag}; if it is, name it in \`${input}\``
  }
}

function unread(action: string): Finding {
  return {
    kind: 'unknown',
    id: 'discovery/also-tagged',
    title: 'subnets and security groups with the tag',
    layer: 'network',
    path: '',
    wanted: undefined,
    recorded: undefined,
    live: undefined,
    severity: 'cosmetic',
    reason: `whether others are tagged ${discoveryTag} as well: the run's role may not call ${action}`,
    install: 'go on without it',
    missingPermission: action
  }
}
