import { discoverSecurityGroups, discoverSubnets } from '../../../src/aws/discover.js'
import type { Cluster } from '../../../src/aws/environment.js'
import { discoveryTagConflicts } from '../../../src/resources/network/discovery-tags.js'
import { securityGroupTags } from '../../../src/resources/network/security-group-tags.js'
import { subnetTags } from '../../../src/resources/network/subnet-tags.js'
import { awsWith, recordedStep, Refusal, type Handlers } from '../../aws/stand-in.js'
import { failure } from '../../aws/failure.js'
import { inspect, install, recordedAsOurs, unrecorded } from '../walk-one.js'

const cluster: Cluster = {
  name: 'green',
  arn: 'arn:aws:eks:eu-west-1:111122223333:cluster/green',
  kubernetesVersion: '1.35',
  status: 'ACTIVE',
  endpoint: 'https://x',
  endpointAccess: { publicly: true, privately: true, cidrs: ['0.0.0.0/0'] },
  certificateAuthority: '',
  authenticationMode: 'API',
  oidcIssuer: 'https://oidc.eks.eu-west-1.amazonaws.com/id/ABC',
  vpcId: 'vpc-1',
  subnetIds: ['subnet-0cd2', 'subnet-0ab1'],
  clusterSecurityGroupId: 'sg-1',
  autoMode: false,
  tags: {}
}

/** Two subnets, the first of them public, and tags that CreateTags and DeleteTags change. */
function network(tags: Record<string, string> = {}): { handlers: Handlers; tags: Record<string, string> } {
  const key = 'karpenter.sh/discovery'
  const tagSet = (id: string) => (tags[id] === undefined ? [] : [{ key, value: tags[id] }])
  const listed = (input: Readonly<Record<string, unknown>>, name: string) =>
    Object.keys(input)
      .filter((field) => field.startsWith(`${name}.`))
      .map((field) => String(input[field]))
  return {
    tags,
    handlers: {
      DescribeSubnets: (input) => ({
        subnetSet: listed(input, 'SubnetId').map((subnetId) => ({
          subnetId,
          vpcId: subnetId === 'subnet-0ff9' ? 'vpc-2' : 'vpc-1',
          availabilityZone: 'eu-west-1a',
          availableIpAddressCount: 250,
          tagSet: tagSet(subnetId)
        }))
      }),
      DescribeSecurityGroups: (input) => ({
        securityGroupInfo: listed(input, 'GroupId').map((groupId) => ({
          groupId,
          vpcId: 'vpc-1',
          tagSet: tagSet(groupId)
        }))
      }),
      DescribeRouteTables: () => ({
        routeTableSet: [
          {
            associationSet: [{ main: true }],
            routeSet: [{ destinationCidrBlock: '0.0.0.0/0', natGatewayId: 'nat-1' }]
          },
          { associationSet: [{ subnetId: 'subnet-0ab1' }], routeSet: [{ gatewayId: 'igw-1' }] }
        ]
      }),
      CreateTags: (input) => {
        for (const id of listed(input, 'ResourceId')) tags[id] = String(input['Tag.1.Value'])
        return { return: true }
      },
      DeleteTags: (input) => {
        for (const id of listed(input, 'ResourceId')) Reflect.deleteProperty(tags, id)
        return { return: true }
      }
    }
  }
}

describe('Subnets for nodes', () => {
  it('are all of the cluster, or those whose route table leads to no internet gateway', async () => {
    const { aws, server, close } = await awsWith(network().handlers)
    const all = await discoverSubnets(aws, cluster, { kind: 'cluster' })
    expect(all.map((subnet) => subnet.id)).toEqual(['subnet-0ab1', 'subnet-0cd2'])
    expect(server.calls).toEqual(['DescribeSubnets'])
    const hidden = await discoverSubnets(aws, cluster, { kind: 'private' })
    expect(hidden.map((subnet) => subnet.id)).toEqual(['subnet-0cd2'])
    await close()
  })

  it('of another VPC are refused', async () => {
    const { aws, close } = await awsWith(network().handlers)
    await expect(discoverSubnets(aws, cluster, { kind: 'ids', ids: ['subnet-0ff9'] })).rejects.toThrow(
      "subnets: subnet-0ff9 is not in the cluster's VPC vpc-1"
    )
    await close()
  })

  it('that may not be read end with the permission to add', async () => {
    const { aws, close } = await awsWith({
      DescribeSubnets: () => {
        throw new Refusal(
          'UnauthorizedOperation',
          'User: x is not authorized to perform: ec2:DescribeSubnets because no',
          403
        )
      }
    })
    const error = await failure(discoverSubnets(aws, cluster, { kind: 'cluster' }))
    expect(error.fix).toContain('Add ec2:DescribeSubnets')
    await close()
  })
})

describe('Discovery tags', () => {
  const ids = ['subnet-0ab1', 'subnet-0cd2']

  it('are set on all that lack them by one call, and share the read of discovery', async () => {
    const { handlers, tags } = network({ 'subnet-0ab1': 'green' })
    const { aws, server, close } = await awsWith(handlers)
    const discovered = await discoverSubnets(aws, cluster, { kind: 'cluster' })
    const resource = subnetTags({ clusterName: 'green', ids }, { aws, discovered })
    const { before, after, step } = await install(resource)
    expect(before.differences.map((difference) => difference.path)).toEqual([
      'subnet-0cd2.tags.karpenter.sh/discovery'
    ])
    expect(after.state).toBe('as wanted')
    expect(tags).toEqual({ 'subnet-0ab1': 'green', 'subnet-0cd2': 'green' })
    expect(server.calls).toEqual(['DescribeSubnets', 'CreateTags', 'DescribeSubnets', 'DescribeSubnets'])
    expect(step.lines).toEqual(['tagged subnet-0cd2 karpenter.sh/discovery=green'])
    await close()
  })

  it('that are right cost no call beyond discovery', async () => {
    const { handlers } = network({ 'sg-1': 'green' })
    const { aws, server, close } = await awsWith(handlers)
    const discovered = await discoverSecurityGroups(aws, cluster, { kind: 'cluster' })
    const resource = securityGroupTags({ clusterName: 'green', ids: ['sg-1'] }, { aws, discovered })
    expect((await inspect(resource)).state).toBe('as wanted')
    expect(server.calls).toEqual(['DescribeSecurityGroups'])
    await close()
  })

  it('of another cluster are refused before anything is written', async () => {
    const { handlers, tags } = network({ 'subnet-0ab1': 'blue' })
    const { aws, server, close } = await awsWith(handlers)
    await expect(install(subnetTags({ clusterName: 'green', ids }, { aws }))).rejects.toMatchObject({
      message:
        'subnets: subnet-0ab1 is tagged karpenter.sh/discovery=blue, so cluster "green" cannot have it.',
      fix: 'Where both clusters use it, pass `discovery: ids`: EC2NodeClasses name what they use, and no tag is touched. Else pass `subnets: subnet-0cd2`.',
      state: 'Nothing was changed.'
    })
    expect(server.calls).not.toContain('CreateTags')
    expect(tags).toEqual({ 'subnet-0ab1': 'blue' })
    await close()
  })

  it('of another cluster are a difference that an install refuses to put right', async () => {
    const { handlers } = network({ 'subnet-0ab1': 'blue' })
    const { aws, close } = await awsWith(handlers)
    const found = await inspect(
      subnetTags({ clusterName: 'green', ids: ['subnet-0cd2', 'subnet-0ab1'] }, { aws })
    )
    expect(found.differences.map(({ live }) => live)).toEqual([undefined, 'blue'])
    expect(found.refusal?.message).toContain('subnet-0ab1 is tagged karpenter.sh/discovery=blue')
    await close()
  })

  it('of this cluster or none are no conflict', () => {
    const things = [
      { id: 'a', tags: { 'karpenter.sh/discovery': 'green' } },
      { id: 'b', tags: {} }
    ]
    expect(discoveryTagConflicts('subnets', 'green', things)).toBeUndefined()
  })

  it('are removed only when the record says that we set them', async () => {
    const { handlers, tags } = network({ 'subnet-0ab1': 'green', 'subnet-0cd2': 'green' })
    const { aws, close } = await awsWith(handlers)
    const wanted = { clusterName: 'green', ids }
    expect(await subnetTags(wanted, { aws }).remove(recordedStep(), unrecorded)).toMatchObject({
      outcome: 'kept'
    })
    expect(Object.keys(tags)).toHaveLength(2)
    expect(await subnetTags(wanted, { aws }).remove(recordedStep(), recordedAsOurs)).toEqual({
      outcome: 'removed'
    })
    expect(tags).toEqual({})
    await close()
  })

  it('that may not be read are unknown, and not set blindly', async () => {
    const { aws, server, close } = await awsWith({
      DescribeSubnets: () => {
        throw new Refusal(
          'UnauthorizedOperation',
          'User: x is not authorized to perform: ec2:DescribeSubnets because no',
          403
        )
      }
    })
    const resource = subnetTags({ clusterName: 'green', ids }, { aws })
    expect(await inspect(resource)).toMatchObject({
      state: 'unreadable',
      unreadable: { missingPermission: 'ec2:DescribeSubnets' }
    })
    await expect(install(resource)).rejects.toThrow('Subnet tags: could not be read')
    expect(server.calls).not.toContain('CreateTags')
    await close()
  })
})

test('ids of a record that are no longer chosen are not read, and so no drift', async () => {
  const { aws, close } = await awsWith(network({ 'subnet-0ab1': 'green' }).handlers)
  try {
    const found = await inspect(subnetTags({ clusterName: 'green', ids: ['subnet-0ab1'] }, { aws }))
    expect(found.against({ clusterName: 'green', ids: ['subnet-0ab1', 'subnet-0cd2'] })).toEqual([])
    expect(found.against({ clusterName: 'blue', ids: ['subnet-0ab1'] })).toHaveLength(1)
  } finally {
    await close()
  }
})
