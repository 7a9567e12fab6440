import type { Route, RouteTable, VpcEndpoint } from '@aws-sdk/client-ec2'
import type { SecurityGroup, Subnet } from '../../../src/aws/discover.js'
import type { Manifest } from '../../../src/kubernetes/manifest.js'
import type { Read } from '../../../src/preflight/reads/denied-read.js'
import type { Concern } from '../../../src/preflight/finding.js'
import { network } from '../../../src/preflight/vpc/network.js'
import type { NetworkReads } from '../../../src/preflight/reads/network-reads.js'

const subnet = (id: string, more: Partial<Subnet> = {}): Subnet => ({
  id,
  vpcId: 'vpc-1',
  availabilityZone: 'a',
  availableAddresses: 100,
  publicAddresses: false,
  tags: {},
  ...more
})
const group = (id: string, tags: Readonly<Record<string, string>> = {}, vpcId = 'vpc-1'): SecurityGroup => ({
  id,
  name: id,
  vpcId,
  tags
})
const own = { 'kubernetes.io/cluster/blue': 'owned' }
const nodeClass = (spec: Readonly<Record<string, unknown>> = {}): Manifest => ({
  apiVersion: 'karpenter.k8s.aws/v1',
  kind: 'EC2NodeClass',
  metadata: { name: 'default' },
  spec: { instanceProfile: 'nodes', ...spec }
})
/** The main table of the VPC, which every subnet without one of its own uses. */
const table = (routes: readonly Route[], subnetIds: readonly string[] = []): RouteTable => ({
  RouteTableId: subnetIds.length === 0 ? 'rtb-main' : `rtb-${subnetIds.join('-')}`,
  Associations: subnetIds.length === 0 ? [{ Main: true }] : subnetIds.map((SubnetId) => ({ SubnetId })),
  Routes: [{ DestinationCidrBlock: '10.0.0.0/16', GatewayId: 'local', State: 'active' }, ...routes]
})
const route = (target: Partial<Route>): Route => ({
  DestinationCidrBlock: '0.0.0.0/0',
  State: 'active',
  ...target
})
const nat = route({ NatGatewayId: 'nat-1' })
const internet = route({ GatewayId: 'igw-1' })
const services = ['ec2', 'ecr.api', 'ecr.dkr', 'eks', 's3', 'sqs', 'ssm', 'sts']
const endpoint = (service: string, more: Partial<VpcEndpoint> = {}): VpcEndpoint => ({
  VpcEndpointId: `vpce-${service}`,
  ServiceName: `com.amazonaws.eu-west-1.${service}`,
  State: 'Available',
  ...(service === 's3'
    ? { VpcEndpointType: 'Gateway', RouteTableIds: ['rtb-main'] }
    : { VpcEndpointType: 'Interface', PrivateDnsEnabled: true }),
  ...more
})
const everyEndpoint = services.map((service) => endpoint(service))
const isolated = {
  settings: { isolatedVPC: true },
  controller: { image: { repository: '111122223333.dkr.ecr.eu-west-1.amazonaws.com/karpenter' } }
}

interface Given extends Partial<Omit<Parameters<typeof network>[0], keyof NetworkReads>> {
  readonly tables?: readonly RouteTable[]
  readonly endpoints?: readonly VpcEndpoint[]
  readonly taggedSubnets?: readonly Subnet[]
  readonly taggedSecurityGroups?: readonly SecurityGroup[]
  readonly reads?: Partial<NetworkReads>
}

async function findingsOf(given: Given): Promise<readonly Concern[]> {
  const { tables = [table([nat])], endpoints = [], taggedSubnets = [], taggedSecurityGroups = [] } = given
  const read =
    <T>(items: readonly T[]) =>
    async (): Promise<Read<T>> => ({ state: 'read', items })
  return network({
    clusterName: 'blue',
    everySubnet: false,
    region: 'eu-west-1',
    cluster: { vpcId: 'vpc-1' },
    subnets: [subnet('subnet-1'), subnet('subnet-2')],
    securityGroups: [group('sg-1', own)],
    nodeClasses: [nodeClass()],
    values: {},
    identity: 'irsa',
    queueName: 'blue',
    changes: async () => true,
    ...given,
    routeTables: read(tables),
    endpoints: read(endpoints),
    taggedSubnets: read(taggedSubnets),
    taggedSecurityGroups: read(taggedSecurityGroups),
    ...given.reads
  })
}

const matching = (pattern: RegExp): unknown => expect.stringMatching(pattern)

describe('routes', () => {
  it.each([
    ['a NAT gateway', [nat], {}],
    ['a NAT instance', [route({ NetworkInterfaceId: 'eni-1' })], {}],
    ['a transit gateway', [route({ TransitGatewayId: 'tgw-1' })], {}],
    ['a firewall endpoint', [route({ GatewayId: 'vpce-1' })], {}],
    ['a VPN', [route({ GatewayId: 'vgw-1' })], {}],
    [
      'halves of all addresses',
      ['0.0.0.0/1', '128.0.0.0/1'].map((half) =>
        route({ DestinationCidrBlock: half, NatGatewayId: 'nat-1' })
      ),
      {}
    ],
    [
      'an egress-only gateway for IPv6',
      [{ DestinationIpv6CidrBlock: '::/0', EgressOnlyInternetGatewayId: 'eigw-1', State: 'active' }],
      {}
    ],
    ['a prefix list of their own', [{ DestinationPrefixListId: 'pl-1', TransitGatewayId: 'tgw-1' }], {}],
    [
      'an internet gateway, with public addresses by the subnet',
      [internet],
      { subnets: [subnet('subnet-1', { publicAddresses: true })] }
    ],
    [
      'an internet gateway, with public addresses by the EC2NodeClass',
      [internet],
      { nodeClasses: [nodeClass({ associatePublicIPAddress: true })] }
    ]
  ] satisfies [string, Route[], Given][])('by %s are a way out', async (_what, routes, more) => {
    expect(await findingsOf({ tables: [table(routes)], ...more })).toEqual([])
  })

  it('to an internet gateway are none for nodes without public addresses: refused, with the missing endpoints', async () => {
    expect(await findingsOf({ tables: [table([internet])] })).toEqual([
      expect.objectContaining({
        level: 'error',
        subject: 'subnets',
        override: 'subnet-routes',
        problem: matching(
          /^nodes in subnet-1, subnet-2 have no way .* no VPC endpoints for ec2, ecr\.api, ecr\.dkr, eks, s3, sqs, ssm, sts$/
        ),
        evidence: matching(/^subnet-1: rtb-main leads to igw-1, and nodes get no public address; subnet-2: /),
        fix: matching(/associatePublicIPAddress: true .*--subnet-id subnet-2 --map-public-ip-on-launch/)
      })
    ])
  })

  it('to an internet gateway are none where the EC2NodeClass refuses public addresses', async () => {
    const findings = await findingsOf({
      tables: [table([internet])],
      subnets: [subnet('subnet-1', { publicAddresses: true })],
      nodeClasses: [nodeClass({ associatePublicIPAddress: false })]
    })
    expect(findings.map(({ level }) => level)).toEqual(['error'])
  })

  it('of some subnets only are a warning that names the good ones', async () => {
    const dead = { NatGatewayId: 'nat-gone', State: 'blackhole' as const }
    expect(await findingsOf({ tables: [table([nat]), table([route(dead)], ['subnet-2'])] })).toEqual([
      expect.objectContaining({
        level: 'warning',
        problem: matching(/^nodes in subnet-2 have no way/),
        evidence: 'subnet-2: rtb-subnet-2 leads to nat-gone, which is gone (blackhole)',
        fix: matching(/^Pass `subnets: subnet-1`\. Or: Route 0\.0\.0\.0\/0 to a NAT gateway/)
      })
    ])
  })

  it('to other networks may lead to endpoints there: a warning', async () => {
    const peered = route({ DestinationCidrBlock: '10.1.0.0/16', VpcPeeringConnectionId: 'pcx-1' })
    const [first] = await findingsOf({ tables: [table([peered])], values: isolated })
    expect(first).toMatchObject({ level: 'warning', evidence: matching(/has no route to 0\.0\.0\.0\/0/) })
    expect(first).not.toHaveProperty('override')
  })
})

describe('endpoints', () => {
  const none = [table([])]

  it('of all services do for a VPC without a way out', async () => {
    expect(await findingsOf({ tables: none, endpoints: everyEndpoint, values: isolated })).toEqual([])
  })

  it('are asked for as the installation needs them', async () => {
    const given = {
      tables: none,
      endpoints: everyEndpoint,
      values: isolated,
      identity: 'pod-identity'
    } as const
    const findings = await findingsOf(given)
    expect(findings).toEqual([
      expect.objectContaining({ level: 'error', problem: matching(/for eks-auth$/) })
    ])
    const withoutQueue = everyEndpoint.filter(({ VpcEndpointId }) => VpcEndpointId !== 'vpce-sqs')
    expect(
      await findingsOf({ ...given, endpoints: withoutQueue, identity: 'irsa', queueName: undefined })
    ).toEqual([])
  })

  it('of S3 serve only the route tables that they are in', async () => {
    const findings = await findingsOf({
      tables: [...none, table([], ['subnet-2'])],
      endpoints: everyEndpoint,
      values: isolated
    })
    expect(findings).toEqual([
      expect.objectContaining({ level: 'warning', problem: matching(/nodes in subnet-2 .*for s3$/) })
    ])
  })

  it('that differ by subnet are named with the subnets, all at once', async () => {
    const findings = await findingsOf({
      tables: [...none, table([], ['subnet-2'])],
      endpoints: everyEndpoint.filter(({ VpcEndpointId }) => VpcEndpointId !== 'vpce-ssm'),
      values: isolated
    })
    expect(findings).toEqual([
      expect.objectContaining({
        level: 'error',
        problem: matching(/for ssm \(for subnet-1\); s3, ssm \(for subnet-2\)$/)
      })
    ])
  })

  it('that are not available, or of another region, do not count', async () => {
    const findings = await findingsOf({
      tables: none,
      endpoints: [
        ...everyEndpoint.slice(2),
        endpoint('ec2', { State: 'Pending' }),
        endpoint('ecr.api', { ServiceName: 'com.amazonaws.eu-west-2.ecr.api' })
      ],
      values: isolated
    })
    expect(findings).toEqual([
      expect.objectContaining({ level: 'error', problem: matching(/for ec2, ecr\.api$/) })
    ])
  })

  it('without private DNS are warned of', async () => {
    const endpoints = [...everyEndpoint.slice(1), endpoint('ec2', { PrivateDnsEnabled: false })]
    expect(await findingsOf({ tables: none, endpoints, values: isolated })).toEqual([
      expect.objectContaining({ level: 'warning', evidence: 'vpce-ec2 (ec2)' })
    ])
  })

  it('leave IAM, prices and the public registry out: what the controller must be told is warned of', async () => {
    const findings = await findingsOf({
      tables: none,
      endpoints: everyEndpoint,
      nodeClasses: [nodeClass({ role: 'nodes' })]
    })
    expect(findings.map(({ level, subject, problem }) => `${level} ${subject}: ${problem}`)).toEqual([
      matching(/^warning helm-values: settings\.isolatedVPC is not true/),
      matching(/^warning node-pools: EC2NodeClass default: spec\.role/),
      matching(/^warning helm-values: the controller's image public\.ecr\.aws/)
    ])
  })
})

describe('tags of the cluster', () => {
  it('on no security group, or on several, are warned of', async () => {
    expect(await findingsOf({ securityGroups: [group('sg-1'), group('sg-2')] })).toEqual([
      expect.objectContaining({
        level: 'warning',
        subject: 'security-groups',
        problem: matching(/^none of them is tagged kubernetes\.io\/cluster\/blue/)
      })
    ])
    expect(await findingsOf({ securityGroups: [group('sg-1', own), group('sg-2', own)] })).toEqual([
      expect.objectContaining({
        level: 'warning',
        problem: matching(/^sg-1, sg-2 are all tagged kubernetes\.io\/cluster\/blue/),
        fix: matching(/--resources sg-2 --tags Key=kubernetes\.io\/cluster\/blue/)
      })
    ])
  })

  it('count on groups that only the discovery tag brings in', async () => {
    expect(await findingsOf({ taggedSecurityGroups: [group('sg-1', own), group('sg-node', own)] })).toEqual([
      expect.objectContaining({ level: 'note', problem: matching(/^Karpenter uses sg-node as well/) }),
      expect.objectContaining({ level: 'warning', problem: matching(/^sg-1, sg-node are all tagged/) })
    ])
  })

  it('of another cluster are a note where shared, and a warning where owned', async () => {
    const shared = subnet('subnet-1', { tags: { 'kubernetes.io/cluster/green': 'shared' } })
    expect(await findingsOf({ subnets: [shared] })).toEqual([
      expect.objectContaining({
        level: 'note',
        subject: 'subnets',
        problem: matching(/shared with cluster "green"/),
        evidence: 'subnet-1 is tagged kubernetes.io/cluster/green=shared'
      })
    ])
    expect(
      await findingsOf({
        securityGroups: [group('sg-1', { ...own, 'kubernetes.io/cluster/green': 'owned' })]
      })
    ).toEqual([expect.objectContaining({ level: 'warning', subject: 'security-groups' })])
  })

  it('are read without asking EC2 where nothing is to be changed', async () => {
    const ask = async (): Promise<never> => {
      throw new Error('asked')
    }
    const reads = { routeTables: ask, endpoints: ask, taggedSubnets: ask, taggedSecurityGroups: ask }
    const given = { changes: async () => false, reads, securityGroups: [group('sg-1')] }
    expect(await findingsOf(given)).toEqual([expect.objectContaining({ level: 'warning' })])
  })
})

describe('what Karpenter finds by its tag', () => {
  it('in the VPC is looked at like what was chosen', async () => {
    const tables = [table([nat]), table([], ['subnet-9'])]
    const findings = await findingsOf({ tables, taggedSubnets: [subnet('subnet-1'), subnet('subnet-9')] })
    expect(findings.map(({ level, problem }) => `${level} ${problem}`)).toEqual([
      matching(/^note Karpenter uses subnet-9 as well/),
      matching(/^warning nodes in subnet-9 have no way/)
    ])
  })

  it('in another VPC is warned of', async () => {
    expect(await findingsOf({ taggedSubnets: [subnet('subnet-9', { vpcId: 'vpc-old' })] })).toEqual([
      expect.objectContaining({
        level: 'warning',
        problem: matching(/^Karpenter would use subnet-9 as well, of another VPC/),
        evidence: 'tagged karpenter.sh/discovery=blue; subnet-9 is in vpc-old'
      })
    ])
  })
})

it('what may not be read is one note, and no failure', async () => {
  const denied = (action: string) => async () => ({ state: 'denied' as const, action })
  expect(
    await findingsOf({
      reads: {
        routeTables: denied('ec2:DescribeRouteTables'),
        endpoints: denied('ec2:DescribeVpcEndpoints')
      }
    })
  ).toEqual([
    expect.objectContaining({
      level: 'note',
      problem: matching(/may not call ec2:DescribeRouteTables, ec2:DescribeVpcEndpoints$/)
    })
  ])
})

it('endpoints that may not be read may be there: no more than a warning', async () => {
  const reads = {
    endpoints: async () => ({ state: 'denied' as const, action: 'ec2:DescribeVpcEndpoints' })
  }
  const findings = await findingsOf({ tables: [table([internet])], reads })
  expect(findings.map(({ level, problem }) => `${level} ${problem}`)).toEqual([
    matching(/^note whether nodes in them reach/),
    matching(
      /^warning nodes in subnet-1, subnet-2 may have no way .* no VPC endpoints that could be seen for ec2,/
    )
  ])
})

describe('subnets that nobody has chosen', () => {
  const tables = [table([nat]), table([internet], ['subnet-2'])]
  const open = subnet('subnet-2', { publicAddresses: true })
  const subnets = [subnet('subnet-1'), open]

  it('are said to be public, with what leaves them out', async () => {
    expect(await findingsOf({ everySubnet: true, tables, subnets })).toEqual([
      {
        level: 'note',
        subject: 'subnets',
        problem:
          'subnet-2 is public, and nodes run there as well: the route table leads to an internet gateway',
        evidence: '',
        fix: 'Pass `subnets: private` to leave such out.'
      }
    ])
    const [alone] = await findingsOf({ everySubnet: true, tables, subnets: [open] })
    expect(alone?.fix).toMatch(/^None of the cluster is private: pass ids/)
  })

  it('are not spoken of where they were chosen, or are private', async () => {
    expect(await findingsOf({ tables, subnets })).toEqual([])
    expect(await findingsOf({ everySubnet: true, subnets: [subnet('subnet-1')] })).toEqual([])
  })
})
