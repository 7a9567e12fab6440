import { createHash } from 'node:crypto'
import { isRecord, optionalText } from '../../input.js'
import type { MotoClient } from '../client.js'
import { zones } from './service.js'

export interface VpcOrder {
  readonly region: string
  readonly clusterName: string
  /** How many, spread over the region's zones in turn. */
  readonly publicSubnets: number
  readonly privateSubnets: number
  /** How many zones are used; all of the first three when absent. */
  readonly zones?: number
}

export interface Subnet {
  readonly id: string
  readonly zone: string
  readonly public: boolean
  readonly cidr: string
}

export interface Vpc {
  readonly id: string
  readonly cidr: string
  readonly subnets: readonly Subnet[]
  /** The cluster security group that EKS makes: what has it reaches what has it. */
  readonly clusterSecurityGroupId: string
}

/** A cluster's network: subnets with their routes, and the security group that EKS makes for it. Asks no permissions. */
export async function createVpc(moto: MotoClient, order: VpcOrder): Promise<Vpc> {
  const { region, clusterName } = order
  const cidr = '10.0.0.0/16'
  const call = (action: string, input: object): Promise<Readonly<Record<string, unknown>>> =>
    moto.ec2Object(region, action, input)
  const tagged = (type: string, tags: Readonly<Record<string, string>>): object => ({
    TagSpecification: [
      { ResourceType: type, Tag: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) }
    ]
  })
  const vpcId = idIn(
    await call('CreateVpc', { CidrBlock: cidr, ...tagged('vpc', { Name: `${clusterName}/VPC` }) }),
    'vpc',
    'vpcId'
  )
  const gateway = idIn(await call('CreateInternetGateway', {}), 'internetGateway', 'internetGatewayId')
  await call('AttachInternetGateway', { InternetGatewayId: gateway, VpcId: vpcId })
  const names = (await zones(moto, region)).map(({ name }) => name).slice(0, order.zones ?? 3)
  const subnets: Subnet[] = []
  const routeTable = async (name: string): Promise<string> =>
    idIn(
      await call('CreateRouteTable', { VpcId: vpcId, ...tagged('route-table', { Name: name }) }),
      'routeTable',
      'routeTableId'
    )
  const publicRoutes = await routeTable(`${clusterName}/Public`)
  await call('CreateRoute', {
    RouteTableId: publicRoutes,
    DestinationCidrBlock: '0.0.0.0/0',
    GatewayId: gateway
  })
  for (let index = 0; index < order.publicSubnets + order.privateSubnets; index += 1) {
    const isPublic = index < order.publicSubnets
    const zone = names[(isPublic ? index : index - order.publicSubnets) % names.length] ?? ''
    const block = blockOf(index, order.publicSubnets + order.privateSubnets)
    const role = isPublic ? 'kubernetes.io/role/elb' : 'kubernetes.io/role/internal-elb'
    const created = await call('CreateSubnet', {
      VpcId: vpcId,
      CidrBlock: block,
      AvailabilityZone: zone,
      ...tagged('subnet', {
        Name: `${clusterName}/Subnet${isPublic ? 'Public' : 'Private'}${zone}`,
        [role]: '1'
      })
    })
    const id = idIn(created, 'subnet', 'subnetId')
    if (isPublic)
      await call('ModifySubnetAttribute', { SubnetId: id, MapPublicIpOnLaunch: { Value: 'true' } })
    await call('AssociateRouteTable', {
      SubnetId: id,
      RouteTableId: isPublic ? publicRoutes : await privateRoutes(routeTable, call, subnets, zone)
    })
    subnets.push({ id, zone, public: isPublic, cidr: block })
  }
  // EKS ends the group's name with a number.
  const number = createHash('sha256').update(clusterName).digest().readUInt32BE()
  const groupName = `eks-cluster-sg-${clusterName}-${number}`
  const group = await call('CreateSecurityGroup', {
    GroupName: groupName,
    GroupDescription:
      'EKS created security group applied to ENI that is attached to EKS Control Plane master nodes, as well as any managed workloads.',
    VpcId: vpcId,
    ...tagged('security-group', {
      Name: groupName,
      [`kubernetes.io/cluster/${clusterName}`]: 'owned',
      'aws:eks:cluster-name': clusterName
    })
  })
  const clusterSecurityGroupId = optionalText(group, 'groupId') ?? ''
  await call('AuthorizeSecurityGroupIngress', {
    GroupId: clusterSecurityGroupId,
    IpPermissions: [{ IpProtocol: '-1', Groups: [{ GroupId: clusterSecurityGroupId }] }]
  })
  return { id: vpcId, cidr, subnets, clusterSecurityGroupId }
}

/** The widest equal blocks of 10.0.0.0/16 that so many subnets fit into: eksctl's /19 up to eight; a /28 is AWS's smallest. */
export function blockOf(index: number, count: number): string {
  const bits = Math.max(19, 16 + Math.ceil(Math.log2(count)))
  if (bits > 28) throw new Error(`${count} subnets do not fit into 10.0.0.0/16`)
  const address = index * 2 ** (32 - bits)
  return `10.0.${Math.floor(address / 256)}.${address % 256}/${bits}`
}

/** A private subnet's way out: a NAT gateway in the first public subnet, where there is one. */
async function privateRoutes(
  routeTable: (name: string) => Promise<string>,
  call: (action: string, input: object) => Promise<Readonly<Record<string, unknown>>>,
  subnets: readonly Subnet[],
  zone: string
): Promise<string> {
  const table = await routeTable(`Private${zone}`)
  const publicSubnet = subnets.find((subnet) => subnet.public)
  if (publicSubnet === undefined) return table
  const address = optionalText(await call('AllocateAddress', { Domain: 'vpc' }), 'allocationId')
  const nat = await call('CreateNatGateway', { SubnetId: publicSubnet.id, AllocationId: address })
  await call('CreateRoute', {
    RouteTableId: table,
    DestinationCidrBlock: '0.0.0.0/0',
    NatGatewayId: idIn(nat, 'natGateway', 'natGatewayId')
  })
  return table
}

function idIn(output: Readonly<Record<string, unknown>>, wrapper: string, name: string): string {
  const inner = output[wrapper]
  const id = isRecord(inner) ? optionalText(inner, name) : undefined
  if (id === undefined) throw new Error(`moto: an answer without ${wrapper}.${name}`)
  return id
}
