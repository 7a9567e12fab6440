import { isRecord, optionalText, type Input } from '../../input.js'
import { items, type MotoClient } from '../client.js'
import type { Records } from './records.js'

export interface Instance {
  readonly id: string
  readonly state: 'pending' | 'running' | 'shutting-down' | 'terminated' | 'stopping' | 'stopped'
  readonly type: string
  readonly zone: string
  readonly subnetId: string
  readonly privateIp: string
  readonly privateDnsName: string
  readonly imageId: string
  readonly spot: boolean
  /** Milliseconds since the epoch. */
  readonly launchedAt: number
  readonly securityGroups: readonly string[]
  readonly tags: Readonly<Record<string, string>>
  /** Name or ARN of the instance profile, as it was launched with. */
  readonly profile?: string
  /** Decoded. */
  readonly userData: string
}

/** Every instance of the region, terminated ones too. */
export async function listInstances(
  moto: MotoClient,
  records: Records,
  region: string
): Promise<readonly Instance[]> {
  const described = await moto.ec2Object(region, 'DescribeInstances', {})
  return items(described['reservationSet']).flatMap((reservation) =>
    items(reservation['instancesSet']).map((instance) => instanceOf(instance, records))
  )
}

export interface NodegroupInstanceOrder {
  readonly region: string
  readonly type: string
  readonly imageId: string
  readonly subnetId: string
  readonly securityGroupId: string
  /** Name or ARN. */
  readonly profile: string
  readonly tags: Readonly<Record<string, string>>
}

/** An instance of a managed node group, as EKS launches it. Asks no permissions. */
export async function runNodegroupInstance(
  moto: MotoClient,
  records: Records,
  order: NodegroupInstanceOrder
): Promise<Instance> {
  const run = await moto.ec2Object(order.region, 'RunInstances', {
    ImageId: order.imageId,
    InstanceType: order.type,
    MinCount: 1,
    MaxCount: 1,
    SubnetId: order.subnetId,
    SecurityGroupId: [order.securityGroupId],
    TagSpecification: [
      { ResourceType: 'instance', Tag: Object.entries(order.tags).map(([Key, Value]) => ({ Key, Value })) }
    ]
  })
  const id = optionalText(items(run['instancesSet'])[0] ?? {}, 'instanceId')
  if (id === undefined) throw new Error('moto: RunInstances answered no instance')
  records.launched.set(id, { profile: order.profile, userData: '' })
  const launched = (await listInstances(moto, records, order.region)).find((instance) => instance.id === id)
  if (launched === undefined) throw new Error(`moto: ${id} was launched and is not described`)
  return launched
}

function instanceOf(instance: Input, records: Records): Instance {
  const read = (name: string, from: unknown = instance): string =>
    isRecord(from) ? (optionalText(from, name) ?? '') : ''
  const id = read('instanceId')
  const launched = records.launched.get(id)
  return {
    id,
    state: stateOf(read('name', instance['instanceState'])),
    type: read('instanceType'),
    zone: read('availabilityZone', instance['placement']),
    subnetId: read('subnetId'),
    privateIp: read('privateIpAddress'),
    privateDnsName: read('privateDnsName'),
    imageId: read('imageId'),
    spot: read('instanceLifecycle') === 'spot',
    launchedAt: Date.parse(read('launchTime')),
    securityGroups: items(instance['groupSet']).map((group) => read('groupId', group)),
    tags: Object.fromEntries(items(instance['tagSet']).map((tag) => [read('key', tag), read('value', tag)])),
    ...(launched?.profile === undefined ? {} : { profile: launched.profile }),
    userData: launched?.userData ?? ''
  }
}

function stateOf(name: string): Instance['state'] {
  switch (name) {
    case 'pending':
    case 'running':
    case 'shutting-down':
    case 'terminated':
    case 'stopping':
    case 'stopped':
      return name
    default:
      throw new Error(`moto: an instance in the state "${name}"`)
  }
}
