import type { Instance, RouteTable, SecurityGroup as GroupWithRules, VpcEndpoint } from '@aws-sdk/client-ec2'
import type { Aws } from '../../aws/clients.js'
import { type SecurityGroup, securityGroupOf, type Subnet, subnetOf } from '../../aws/discover.js'
import { once, onceEach } from '../../engine/once.js'
import { discoveryTag } from '../../karpenter/names.js'
import { type Read, readOrDenied } from './denied-read.js'

/** What EC2 knows of a cluster's network. Errors other than a denial are UserErrors. */
export interface NetworkReads {
  /** ec2:DescribeRouteTables, of the cluster's VPC. */
  readonly routeTables: () => Promise<Read<RouteTable>>
  /** ec2:DescribeVpcEndpoints, of the cluster's VPC. */
  readonly endpoints: () => Promise<Read<VpcEndpoint>>
  /** All in the account and region that Karpenter finds by its tag for this cluster, whoever set it. */
  readonly taggedSubnets: () => Promise<Read<Subnet>>
  readonly taggedSecurityGroups: () => Promise<Read<SecurityGroup>>
  /** ec2:DescribeInstances of at most 200 ids; those that are gone are left out. */
  readonly nodeInstances: (ids: readonly string[]) => Promise<Read<NodeInstance>>
  /** ec2:DescribeSecurityGroups; those that are gone are left out. */
  readonly securityGroupRules: (ids: readonly string[]) => Promise<Read<GroupWithRules>>
}

/** What EC2 knows of the network of an instance. */
export interface NodeInstance {
  readonly id: string
  /** Empty when it has none yet. */
  readonly privateIp: string
  /** Ids of its security groups. */
  readonly groups: readonly string[]
}

export function networkReads(
  aws: Aws,
  cluster: { readonly name: string; readonly vpcId: string }
): NetworkReads {
  const ofVpc = { Filters: [{ Name: 'vpc-id', Values: [cluster.vpcId] }] }
  const tagged = { Filters: [{ Name: `tag:${discoveryTag}`, Values: [cluster.name] }] }
  return {
    routeTables: once(async () => {
      const { paginateDescribeRouteTables } = await import('../../aws/sdk/ec2.js')
      const pages = paginateDescribeRouteTables({ client: await aws.ec2() }, ofVpc)
      return all('route tables', pages, ({ RouteTables }) => RouteTables)
    }),
    endpoints: once(async () => {
      const { paginateDescribeVpcEndpoints } = await import('../../aws/sdk/ec2.js')
      const pages = paginateDescribeVpcEndpoints({ client: await aws.ec2() }, ofVpc)
      return all('VPC endpoints', pages, ({ VpcEndpoints }) => VpcEndpoints)
    }),
    taggedSubnets: once(async () => {
      const { paginateDescribeSubnets } = await import('../../aws/sdk/ec2.js')
      const pages = paginateDescribeSubnets({ client: await aws.ec2() }, tagged)
      return all('subnets', pages, ({ Subnets }) => Subnets?.map(subnetOf))
    }),
    taggedSecurityGroups: once(async () => {
      const { paginateDescribeSecurityGroups } = await import('../../aws/sdk/ec2.js')
      const pages = paginateDescribeSecurityGroups({ client: await aws.ec2() }, tagged)
      return all('security groups', pages, ({ SecurityGroups }) => SecurityGroups?.map(securityGroupOf))
    }),
    nodeInstances: onceEach(async (ids: readonly string[]) => {
      const { paginateDescribeInstances } = await import('../../aws/sdk/ec2.js')
      // A filter, not InstanceIds: one id that is gone would fail the whole call.
      const filters = [{ Name: 'instance-id', Values: [...ids] }]
      const pages = paginateDescribeInstances({ client: await aws.ec2() }, { Filters: filters })
      return all('instances', pages, ({ Reservations }) =>
        Reservations?.flatMap(({ Instances = [] }) => Instances.map(nodeInstance))
      )
    }),
    securityGroupRules: onceEach(async (ids: readonly string[]) => {
      const { paginateDescribeSecurityGroups } = await import('../../aws/sdk/ec2.js')
      const filters = [{ Name: 'group-id', Values: [...ids] }]
      const pages = paginateDescribeSecurityGroups({ client: await aws.ec2() }, { Filters: filters })
      return all('security groups', pages, ({ SecurityGroups }) => SecurityGroups)
    })
  }
}

function nodeInstance({ InstanceId, PrivateIpAddress, SecurityGroups = [] }: Instance): NodeInstance {
  return {
    id: InstanceId ?? '',
    privateIp: PrivateIpAddress ?? '',
    groups: SecurityGroups.flatMap(({ GroupId }) => GroupId ?? [])
  }
}

async function all<Page, T>(
  what: string,
  pages: AsyncIterable<Page>,
  itemsOf: (page: Page) => readonly T[] | undefined
): Promise<Read<T>> {
  return readOrDenied('subnets', `the ${what} of their VPC`, async () => {
    const items: T[] = []
    for await (const page of pages) items.push(...(itemsOf(page) ?? []))
    return items
  })
}
