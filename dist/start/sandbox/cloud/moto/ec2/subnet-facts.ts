import { text } from '../../../values.js'
import { items, type MotoClient } from '../client.js'

export interface SubnetFacts {
  readonly vpcId: string
  readonly zone: string
  readonly cidr: string
  /** Its route table, or the VPC's main one, has a route to an internet gateway. */
  readonly public: boolean
}

/** Reads a subnet and its routes past all permissions. Undefined when there is no such subnet. */
export async function subnetFacts(
  moto: MotoClient,
  region: string,
  id: string
): Promise<SubnetFacts | undefined> {
  const described = await moto.ec2Object(region, 'DescribeSubnets', {
    Filter: [{ Name: 'subnet-id', Value: [id] }]
  })
  const subnet = items(described['subnetSet']).at(0)
  const vpcId = text(subnet?.['vpcId'])
  if (subnet === undefined || vpcId === undefined) return undefined
  const tables = items(
    (
      await moto.ec2Object(region, 'DescribeRouteTables', {
        Filter: [{ Name: 'vpc-id', Value: [vpcId] }]
      })
    )['routeTableSet']
  )
  const associated = (name: string, value: string) =>
    tables.find((table) => items(table['associationSet']).some((one) => text(one[name]) === value))
  const table = associated('subnetId', id) ?? associated('main', 'true')
  const isPublic = items(table?.['routeSet']).some(
    (route) => text(route['gatewayId'])?.startsWith('igw-') === true
  )
  return {
    vpcId,
    zone: text(subnet['availabilityZone']) ?? '',
    cidr: text(subnet['cidrBlock']) ?? '',
    public: isPublic
  }
}
