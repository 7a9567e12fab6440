import type { VpcEndpoint } from '@aws-sdk/client-ec2'
import type { Facts } from '../facts.js'

/**
 * Services that Karpenter and its nodes call, by the end of their endpoints' names. Sources: Karpenter, getting started,
 * private clusters; Amazon EKS, private clusters (eks-auth, for Pod Identity). IAM and the price list are not among them.
 */
export function neededEndpoints({
  identity,
  queueName
}: Pick<Facts, 'identity' | 'queueName'>): readonly string[] {
  return [
    'ec2',
    'ecr.api',
    'ecr.dkr',
    'eks',
    ...(identity === 'pod-identity' ? ['eks-auth'] : []),
    's3',
    ...(queueName !== undefined ? ['sqs'] : []),
    'ssm',
    'sts'
  ]
}

export interface Endpoints {
  /** Of the needed services, those that no endpoint serves. */
  readonly missing: readonly string[]
  /** Endpoints that answer only to names of their own: `vpce-1 (ec2)`. */
  readonly unnamed: readonly string[]
}

/**
 * What serves a subnet with this route table. An interface endpoint serves its whole VPC; a gateway endpoint, which S3
 * has, the route tables that it is in.
 */
export function endpointsOf(
  table: string,
  region: string,
  endpoints: readonly VpcEndpoint[],
  needed: readonly string[]
): Endpoints {
  const missing: string[] = []
  const unnamed: string[] = []
  for (const service of needed) {
    // com.amazonaws.eu-west-1.ec2, cn.com.amazonaws.cn-north-1.ecr.api
    const own = endpoints.filter(
      ({ ServiceName, State }) =>
        ServiceName?.endsWith(`.${region}.${service}`) === true && State?.toLowerCase() === 'available'
    )
    const interfaces = own.filter(({ VpcEndpointType }) => VpcEndpointType === 'Interface')
    const served =
      interfaces.some(({ PrivateDnsEnabled }) => PrivateDnsEnabled === true) ||
      own.some(({ RouteTableIds }) => RouteTableIds?.includes(table) === true)
    if (served) continue
    if (interfaces.length === 0) missing.push(service)
    else unnamed.push(...interfaces.map(({ VpcEndpointId }) => `${VpcEndpointId ?? ''} (${service})`))
  }
  return { missing, unnamed }
}
