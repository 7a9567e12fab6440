import type { RouteTable, VpcEndpoint } from '@aws-sdk/client-ec2'
import type { Aws } from '../../aws/clients.js'
import { type SecurityGroup, securityGroupOf, type Subnet, subnetOf } from '../../aws/discover.js'
import { once } from '../../engine/once.js'
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
    })
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
