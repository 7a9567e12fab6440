import { byText } from '../engine/order.js'
import type { DescribeClusterCommandOutput } from '@aws-sdk/client-eks'
import type { RouteTable, SecurityGroup as Ec2SecurityGroup, Subnet as Ec2Subnet } from '@aws-sdk/client-ec2'
import { UserError } from '../engine/errors.js'
import type { Cluster } from './environment.js'
import { joined } from '../engine/calls.js'
import type { Aws, Clients } from './clients.js'
import { awsProblem, codeOf, isNotFound } from './errors.js'

type Tags = Readonly<Record<string, string>>

export type SubnetsInput =
  | { readonly kind: 'cluster' }
  | { readonly kind: 'private' }
  | { readonly kind: 'ids'; readonly ids: readonly string[] }
  | { readonly kind: 'tag'; readonly key: string; readonly value: string }

export type SecurityGroupsInput =
  { readonly kind: 'cluster' } | { readonly kind: 'ids'; readonly ids: readonly string[] }

export interface Subnet {
  readonly id: string
  readonly vpcId: string
  readonly availabilityZone: string
  /** use1-az1: the same place in every account. */
  readonly availabilityZoneId?: string
  readonly availableAddresses: number
  /** Its IPv4 block: 10.0.0.0/19. */
  readonly cidr?: string
  /** Whether what is launched in it gets a public address unless it is said otherwise. */
  readonly publicAddresses: boolean
  readonly tags: Tags
}

export interface SecurityGroup {
  readonly id: string
  readonly name: string
  readonly vpcId: string
  readonly tags: Tags
}

/** Throws UserError when there is no such cluster (with the clusters that there are), or it may not be described. */
export async function discoverCluster(aws: Aws, name: string): Promise<Cluster> {
  const answer = await joined(aws.described?.(name) ?? describeCluster(aws, name)).catch(
    async (error: unknown) => {
      if (!isNotFound(error))
        throw awsProblem(`cluster-name: ${name}`, 'the cluster could not be read', error)
      throw new UserError(
        'cluster-name',
        `there is no EKS cluster "${name}" in ${aws.account.region} of account ${aws.account.id}`,
        await otherClusters(aws),
        { state: 'Nothing was changed.', cause: error }
      )
    }
  )
  const cluster = answer.cluster ?? {}
  const network = cluster.resourcesVpcConfig ?? {}
  return {
    name,
    arn: cluster.arn ?? '',
    kubernetesVersion: cluster.version ?? '',
    status: cluster.status ?? '',
    endpoint: cluster.endpoint ?? '',
    endpointAccess: {
      publicly: network.endpointPublicAccess ?? true,
      privately: network.endpointPrivateAccess ?? false,
      cidrs: network.publicAccessCidrs ?? []
    },
    certificateAuthority: Buffer.from(cluster.certificateAuthority?.data ?? '', 'base64').toString('utf8'),
    authenticationMode: cluster.accessConfig?.authenticationMode ?? 'CONFIG_MAP',
    oidcIssuer: cluster.identity?.oidc?.issuer ?? '',
    vpcId: network.vpcId ?? '',
    subnetIds: network.subnetIds ?? [],
    clusterSecurityGroupId: network.clusterSecurityGroupId ?? '',
    autoMode: cluster.computeConfig?.enabled ?? false,
    ...(cluster.kubernetesNetworkConfig?.ipFamily !== undefined && {
      ipFamily: cluster.kubernetesNetworkConfig.ipFamily
    }),
    tags: cluster.tags ?? {}
  }
}

/** Rejects as EKS does. */
export async function describeCluster(
  clients: Pick<Clients, 'eks'>,
  name: string
): Promise<DescribeClusterCommandOutput> {
  const [{ DescribeClusterCommand }, eks] = await Promise.all([import('./sdk/eks.js'), clients.eks()])
  return eks.send(new DescribeClusterCommand({ name }))
}

async function otherClusters(aws: Aws): Promise<string> {
  const { ListClustersCommand } = await import('./sdk/eks.js')
  const eks = await aws.eks()
  try {
    const { clusters = [] } = await eks.send(new ListClustersCommand({}))
    return clusters.length === 0
      ? `There is no cluster at all in ${aws.account.region}: check \`region\` and the account of \`role-to-assume\`.`
      : `Clusters in ${aws.account.region}: ${clusters.join(', ')}. Pass one of them, or the region of the one you mean.`
  } catch {
    return 'Check `cluster-name`, `region`, and the account of `role-to-assume`.'
  }
}

/**
 * The subnets that nodes are to run in, by one DescribeSubnets (and one DescribeRouteTables for `private`: those whose
 * route table leads to no internet gateway). Throws UserError when there are none, or one is of another VPC.
 */
export async function discoverSubnets(
  aws: Aws,
  cluster: Cluster,
  input: SubnetsInput
): Promise<readonly Subnet[]> {
  const { DescribeSubnetsCommand, paginateDescribeRouteTables, paginateDescribeSubnets } =
    await import('./sdk/ec2.js')
  const ec2 = await aws.ec2()
  const found: Ec2Subnet[] = []
  try {
    if (input.kind === 'tag') {
      const filters = [
        { Name: `tag:${input.key}`, Values: [input.value] },
        { Name: 'vpc-id', Values: [cluster.vpcId] }
      ]
      for await (const page of paginateDescribeSubnets({ client: ec2 }, { Filters: filters })) {
        found.push(...(page.Subnets ?? []))
      }
    } else {
      const ids = input.kind === 'ids' ? input.ids : cluster.subnetIds
      const page = await ec2.send(new DescribeSubnetsCommand({ SubnetIds: [...ids] }))
      found.push(...(page.Subnets ?? []))
    }
  } catch (error) {
    throw codeOf(error) === 'InvalidSubnetID.NotFound' || codeOf(error) === 'InvalidSubnetID.Malformed'
      ? awsProblem(
          'subnets',
          `not all of them are in ${aws.account.region}`,
          error,
          "Pass ids of subnets of the cluster's VPC."
        )
      : awsProblem('subnets', 'could not be read', error)
  }
  let subnets = found.map(subnetOf)
  if (input.kind === 'private') {
    const ofVpc = { Filters: [{ Name: 'vpc-id', Values: [cluster.vpcId] }] }
    const tables: RouteTable[] = []
    try {
      for await (const page of paginateDescribeRouteTables({ client: ec2 }, ofVpc)) {
        tables.push(...(page.RouteTables ?? []))
      }
    } catch (error) {
      throw awsProblem('subnets', 'which of them are private could not be read', error)
    }
    subnets = subnets.filter((subnet) => !isPublic(subnet.id, tables))
  }
  checkSubnets(subnets, cluster, input)
  return subnets.toSorted(byText(({ id }) => id))
}

function checkSubnets(subnets: readonly Subnet[], cluster: Cluster, input: SubnetsInput): void {
  if (subnets.length === 0) {
    throw new UserError(
      'subnets',
      input.kind === 'private'
        ? `none of the cluster's subnets is private: every route table leads to an internet gateway`
        : input.kind === 'tag'
          ? `none in ${cluster.vpcId} is tagged ${input.key}=${input.value}`
          : 'there are none',
      "Pass `subnets: cluster`, or ids of subnets of the cluster's VPC.",
      { state: 'Nothing was changed.' }
    )
  }
  const foreign = subnets.filter((subnet) => subnet.vpcId !== cluster.vpcId)
  if (foreign.length > 0) {
    throw new UserError(
      'subnets',
      `${foreign.map((subnet) => subnet.id).join(', ')} is not in the cluster's VPC ${cluster.vpcId}`,
      'Pass subnets of that VPC: nodes elsewhere cannot join.',
      { state: 'Nothing was changed.' }
    )
  }
}

/** Whether the route table leads to an internet gateway. */
export function isPublic(subnetId: string, tables: readonly RouteTable[]): boolean {
  const routes = routeTableOf(subnetId, tables)?.Routes ?? []
  return routes.some((route) => route.GatewayId?.startsWith('igw-') === true)
}

/** A subnet without a table of its own uses the VPC's main one. */
export function routeTableOf(subnetId: string, tables: readonly RouteTable[]): RouteTable | undefined {
  const own = tables.find((table) => table.Associations?.some((one) => one.SubnetId === subnetId))
  return own ?? tables.find((each) => each.Associations?.some((one) => one.Main === true))
}

/** The security groups that nodes are to have, by one DescribeSecurityGroups. */
export async function discoverSecurityGroups(
  aws: Aws,
  cluster: Cluster,
  input: SecurityGroupsInput
): Promise<readonly SecurityGroup[]> {
  const ids = input.kind === 'ids' ? input.ids : [cluster.clusterSecurityGroupId]
  const groups = await readSecurityGroups(aws, ids)
  const foreign = groups.filter((group) => group.vpcId !== cluster.vpcId)
  if (foreign.length > 0) {
    throw new UserError(
      'security-groups',
      `${foreign.map((group) => group.id).join(', ')} is not in the cluster's VPC ${cluster.vpcId}`,
      'Pass security groups of that VPC.',
      { state: 'Nothing was changed.' }
    )
  }
  return groups
}

export async function readSubnets(aws: Aws, ids: readonly string[]): Promise<readonly Subnet[]> {
  const { DescribeSubnetsCommand } = await import('./sdk/ec2.js')
  const ec2 = await aws.ec2()
  const { Subnets = [] } = await ec2.send(new DescribeSubnetsCommand({ SubnetIds: [...ids] }))
  return Subnets.map(subnetOf)
}

export async function readSecurityGroups(
  aws: Aws,
  ids: readonly string[]
): Promise<readonly SecurityGroup[]> {
  const { DescribeSecurityGroupsCommand } = await import('./sdk/ec2.js')
  const ec2 = await aws.ec2()
  const { SecurityGroups = [] } = await ec2
    .send(new DescribeSecurityGroupsCommand({ GroupIds: [...ids] }))
    .catch((error: unknown) => {
      throw awsProblem(
        'security-groups',
        'could not be read',
        error,
        "Pass ids of security groups of the cluster's VPC."
      )
    })
  return SecurityGroups.map(securityGroupOf).toSorted(byText(({ id }) => id))
}

export function subnetOf(subnet: Ec2Subnet): Subnet {
  return {
    id: subnet.SubnetId ?? '',
    vpcId: subnet.VpcId ?? '',
    availabilityZone: subnet.AvailabilityZone ?? '',
    ...(subnet.AvailabilityZoneId !== undefined && { availabilityZoneId: subnet.AvailabilityZoneId }),
    availableAddresses: subnet.AvailableIpAddressCount ?? 0,
    ...(subnet.CidrBlock !== undefined && { cidr: subnet.CidrBlock }),
    publicAddresses: subnet.MapPublicIpOnLaunch === true,
    tags: tagsOf(subnet.Tags)
  }
}

export function securityGroupOf(group: Ec2SecurityGroup): SecurityGroup {
  return {
    id: group.GroupId ?? '',
    name: group.GroupName ?? '',
    vpcId: group.VpcId ?? '',
    tags: tagsOf(group.Tags)
  }
}

/** EC2's, IAM's and CloudFormation's lists of tags. */
export function tagsOf(
  tags: readonly { readonly Key?: string | undefined; readonly Value?: string | undefined }[] | undefined
): Tags {
  return Object.fromEntries((tags ?? []).map((tag) => [tag.Key ?? '', tag.Value ?? '']))
}

/** Hands out what is known already once, and reads from then on: discovery and a resource's first read share a call. */
export function knownFirst<T>(known: T | undefined, read: () => Promise<T>): () => Promise<T> {
  let next = known
  return async () => {
    const value = next
    next = undefined
    return value ?? read()
  }
}
