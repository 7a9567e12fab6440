import { byText } from '../engine/order.js'
import type { Step } from '../engine/resource.js'
import { deleteInstanceProfile } from './iam-late.js'
import type { Filter } from '@aws-sdk/client-ec2'
import type { IAMClient, InstanceProfile } from '@aws-sdk/client-iam'
import type { Aws } from './clients.js'
import { tagsOf } from './discover.js'
import { isNotFound } from './errors.js'
import { clusterFilters, nodeClassTag, nodePoolTag } from './karpenter-instances.js'

/** A thing that Karpenter made in AWS beside its instances. */
export interface LaunchThing {
  readonly kind: 'launch template' | 'instance profile' | 'network interface' | 'volume'
  /** What it is deleted by: an id, or the profile's name. */
  readonly id: string
  /** Roles in an instance profile. */
  readonly roles: readonly string[]
  /** Undefined where its tags name none. */
  readonly nodeClass: string | undefined
  readonly nodePool: string | undefined
  /** Tagged by Karpenter for this cluster (and region, for what has none). */
  readonly ofCluster: boolean
}

type Tags = Readonly<Record<string, string>>

/**
 * Launch templates: `eks:eks-cluster-name` since 1.1, `kubernetes.io/cluster/<cluster>` and `karpenter.k8s.aws/cluster`
 * before (Karpenter's launch template provider). Those of managed node groups carry none of Karpenter's tags.
 */
export async function launchTemplates(aws: Aws, clusterName: string): Promise<readonly LaunchThing[]> {
  const { paginateDescribeLaunchTemplates } = await import('./sdk/ec2.js')
  const client = await aws.ec2()
  const filters: readonly Filter[][] = [
    ...clusterFilters(clusterName, nodeClassTag),
    [{ Name: 'tag:karpenter.k8s.aws/cluster', Values: [clusterName] }]
  ]
  const found = await Promise.all(
    filters.map(async (Filters) => {
      const things: LaunchThing[] = []
      for await (const page of paginateDescribeLaunchTemplates({ client }, { Filters })) {
        for (const one of page.LaunchTemplates ?? [])
          things.push(thing('launch template', one.LaunchTemplateId, tagsOf(one.Tags)))
      }
      return things
    })
  )
  return withoutRepeats(found.flat())
}

/** Network interfaces that hang on nothing, tagged as Karpenter's instances are. */
export async function looseInterfaces(aws: Aws, clusterName: string): Promise<readonly LaunchThing[]> {
  const { paginateDescribeNetworkInterfaces } = await import('./sdk/ec2.js')
  const client = await aws.ec2()
  const found = await Promise.all(
    clusterFilters(clusterName, nodePoolTag).map(async (filters) => {
      const Filters = [...filters, { Name: 'status', Values: ['available'] }]
      const things: LaunchThing[] = []
      for await (const page of paginateDescribeNetworkInterfaces({ client }, { Filters })) {
        for (const one of page.NetworkInterfaces ?? [])
          things.push(thing('network interface', one.NetworkInterfaceId, tagsOf(one.TagSet)))
      }
      return things
    })
  )
  return withoutRepeats(found.flat())
}

/** Volumes that hang on nothing, tagged as Karpenter's instances are; volumes of PersistentVolumeClaims are not. */
export async function looseVolumes(aws: Aws, clusterName: string): Promise<readonly LaunchThing[]> {
  const { paginateDescribeVolumes } = await import('./sdk/ec2.js')
  const client = await aws.ec2()
  const found = await Promise.all(
    clusterFilters(clusterName, nodePoolTag).map(async (filters) => {
      const Filters = [...filters, { Name: 'status', Values: ['available'] }]
      const things: LaunchThing[] = []
      for await (const page of paginateDescribeVolumes({ client }, { Filters })) {
        for (const one of page.Volumes ?? []) things.push(thing('volume', one.VolumeId, tagsOf(one.Tags)))
      }
      return things
    })
  )
  return withoutRepeats(found.flat())
}

/**
 * Instance profiles of Karpenter for the cluster, each with what its tags say: those under its path (from 1.7 on), and
 * those of the name that it gave them up to 1.6, `<cluster>_<hash>`. Also others that hold the node role, which are
 * nobody's but their makers'.
 */
export async function instanceProfiles(
  aws: Aws,
  of: { readonly clusterName: string; readonly region: string; readonly nodeRoleName: string }
): Promise<readonly LaunchThing[]> {
  const sdk = await import('./sdk/iam.js')
  const client = await aws.iam()
  const path = `/karpenter/${of.region}/${of.clusterName}/`
  const named = new RegExp(`^${of.clusterName}_\\d+$`)
  const names = new Set<string>()
  const others: LaunchThing[] = []
  const sort = ({ InstanceProfileName: name = '', Path = '' }: InstanceProfile): boolean => {
    const looksKarpenters = Path.startsWith(path) || named.test(name)
    if (looksKarpenters) names.add(name)
    return looksKarpenters
  }
  for await (const page of sdk.paginateListInstanceProfiles({ client }, {}))
    for (const profile of page.InstanceProfiles ?? []) sort(profile)
  try {
    const RoleName = of.nodeRoleName
    for await (const page of sdk.paginateListInstanceProfilesForRole({ client }, { RoleName }))
      for (const profile of page.InstanceProfiles ?? [])
        if (!sort(profile)) {
          const foreign = thing('instance profile', profile.InstanceProfileName, {})
          others.push({ ...foreign, roles: [RoleName], ofCluster: false })
        }
  } catch (error) {
    // Without the role no profile holds it.
    if (!isNotFound(error)) throw error
  }
  const found = await Promise.all([...names].map(async (name) => profileWithTags(client, name, of)))
  return [...found.flatMap((profile) => profile ?? []), ...others]
}

/** Undefined when it is gone by now: lists lag. */
async function profileWithTags(
  iam: IAMClient,
  InstanceProfileName: string,
  { clusterName, region }: { readonly clusterName: string; readonly region: string }
): Promise<LaunchThing | undefined> {
  const { GetInstanceProfileCommand } = await import('./sdk/iam.js')
  try {
    const { InstanceProfile } = await iam.send(new GetInstanceProfileCommand({ InstanceProfileName }))
    const tags = tagsOf(InstanceProfile?.Tags)
    const made = thing('instance profile', InstanceProfileName, tags)
    const isClusters =
      tags['eks:eks-cluster-name'] === clusterName || tags[`kubernetes.io/cluster/${clusterName}`] === 'owned'
    return {
      ...made,
      roles: (InstanceProfile?.Roles ?? []).map(({ RoleName = '' }) => RoleName),
      // IAM has no regions: a cluster of the same name in another one has its own.
      ofCluster: isClusters && [undefined, region].includes(tags['topology.kubernetes.io/region'])
    }
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}

function thing(kind: LaunchThing['kind'], id: string | undefined, tags: Tags): LaunchThing {
  return {
    kind,
    id: id ?? '',
    roles: [],
    nodeClass: tags[nodeClassTag],
    nodePool: tags[nodePoolTag],
    ofCluster: true
  }
}

function withoutRepeats(things: readonly LaunchThing[]): readonly LaunchThing[] {
  return [...new Map(things.map((one) => [one.id, one])).values()].sort(byText(({ id }) => id))
}

/** Deletes one of them; what is gone already is no error. Rejects as AWS does. */
export async function deleteLaunchThing(
  aws: Aws,
  { kind, id, roles }: LaunchThing,
  step: Step
): Promise<void> {
  try {
    if (kind === 'instance profile') await deleteInstanceProfile(aws, { name: id, roles }, step)
    else {
      const sdk = await import('./sdk/ec2.js')
      const ec2 = await aws.ec2()
      if (kind === 'launch template')
        await ec2.send(new sdk.DeleteLaunchTemplateCommand({ LaunchTemplateId: id }))
      else if (kind === 'volume') await ec2.send(new sdk.DeleteVolumeCommand({ VolumeId: id }))
      else await ec2.send(new sdk.DeleteNetworkInterfaceCommand({ NetworkInterfaceId: id }))
    }
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}
