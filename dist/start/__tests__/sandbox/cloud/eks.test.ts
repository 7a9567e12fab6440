import {
  AssociateAccessPolicyCommand,
  CreateAccessEntryCommand,
  CreateAddonCommand,
  CreatePodIdentityAssociationCommand,
  DeleteAccessEntryCommand,
  DeletePodIdentityAssociationCommand,
  DescribeAccessEntryCommand,
  DescribeAddonCommand,
  DescribeAddonVersionsCommand,
  DescribeClusterCommand,
  DescribeNodegroupCommand,
  type EKSClient,
  ListAccessEntriesCommand,
  ListAddonsCommand,
  ListAssociatedAccessPoliciesCommand,
  ListNodegroupsCommand,
  ListPodIdentityAssociationsCommand,
  TagResourceCommand,
  UpdateClusterConfigCommand
} from '@aws-sdk/client-eks'
import type { AuthenticationMode } from '../../../sandbox/cloud/eks/state.js'
import { type Cloud, startCloud } from '../../../sandbox/cloud/index.js'
import { accountId, administrator, eksClient, nobodyTrusted, refusalOf, region } from './clients.js'

const clusterName = 'blue'
let cloud: Cloud
let eks: EKSClient

async function start(authenticationMode: AuthenticationMode): Promise<void> {
  cloud = await startCloud({
    accountId,
    region,
    clusters: [
      {
        name: clusterName,
        version: '1.34',
        authenticationMode,
        vpcId: 'vpc-1',
        subnetIds: ['subnet-1', 'subnet-2'],
        clusterSecurityGroupId: 'sg-1',
        nodegroups: [
          { name: 'system', nodeRole: `arn:aws:iam::${accountId}:role/system`, subnets: ['subnet-1'] }
        ]
      }
    ]
  })
  eks = eksClient(cloud, administrator(cloud))
}
beforeEach(() => start('API_AND_CONFIG_MAP'))
afterEach(async () => {
  await cloud.stop()
  // Requests are bad on purpose here.
  expect(cloud.unlikeAws().filter((fault) => !fault.includes(', request: '))).toEqual([])
})

const nodeRole = () => cloud.iam.putRole({ name: 'node', path: '/team/', trust: nobodyTrusted }).arn
const createEntry = (
  principalArn: string,
  more: { type?: string; kubernetesGroups?: string[]; username?: string } = {}
) => eks.send(new CreateAccessEntryCommand({ clusterName, principalArn, ...more }))

describe('clusters', () => {
  it('are described with endpoint, CA, issuer, mode and network', async () => {
    cloud.eks.setEndpoint(clusterName, 'https://127.0.0.1:6443', 'PEM')
    const { cluster } = await eks.send(new DescribeClusterCommand({ name: clusterName }))
    expect(cluster).toMatchObject({
      name: clusterName,
      arn: 'arn:aws:eks:us-west-2:111122223333:cluster/blue',
      status: 'ACTIVE',
      version: '1.34',
      endpoint: 'https://127.0.0.1:6443',
      certificateAuthority: { data: Buffer.from('PEM').toString('base64') },
      accessConfig: { authenticationMode: 'API_AND_CONFIG_MAP' },
      resourcesVpcConfig: {
        subnetIds: ['subnet-1', 'subnet-2'],
        clusterSecurityGroupId: 'sg-1',
        vpcId: 'vpc-1'
      },
      kubernetesNetworkConfig: { serviceIpv4Cidr: '10.100.0.0/16' }
    })
    expect(cluster?.identity?.oidc?.issuer).toMatch(
      /^https:\/\/oidc\.eks\.us-west-2\.amazonaws\.com\/id\/[0-9A-F]{32}$/
    )
    expect(cluster?.createdAt).toBeInstanceOf(Date)
  })

  it('that are not there are named', async () => {
    expect(await refusalOf(eks.send(new DescribeClusterCommand({ name: 'green' })))).toBe(
      'ResourceNotFoundException: No cluster found for name: green.'
    )
  })

  it('are refused to whom no policy gives them', async () => {
    const role = cloud.iam.putRole({ name: 'poor', trust: nobodyTrusted })
    const poor = eksClient(cloud, cloud.credentialsFor(role.arn, 900))
    expect(await refusalOf(poor.send(new DescribeClusterCommand({ name: clusterName })))).toBe(
      'AccessDeniedException: User: arn:aws:sts::111122223333:assumed-role/poor/sandbox is not authorized to perform: eks:DescribeCluster on resource: arn:aws:eks:us-west-2:111122223333:cluster/blue because no identity-based policy allows the eks:DescribeCluster action'
    )
  })

  it('show their node groups', async () => {
    expect((await eks.send(new ListNodegroupsCommand({ clusterName }))).nodegroups).toEqual(['system'])
    const { nodegroup } = await eks.send(
      new DescribeNodegroupCommand({ clusterName, nodegroupName: 'system' })
    )
    expect(nodegroup).toMatchObject({
      nodeRole: `arn:aws:iam::${accountId}:role/system`,
      subnets: ['subnet-1']
    })
  })

  it('change their authentication mode one way only', async () => {
    const update = (authenticationMode: AuthenticationMode) =>
      eks.send(new UpdateClusterConfigCommand({ name: clusterName, accessConfig: { authenticationMode } }))
    expect((await update('API')).update?.type).toBe('AccessConfigUpdate')
    expect(await refusalOf(update('CONFIG_MAP'))).toBe(
      'InvalidParameterException: Unsupported authentication mode update from API to CONFIG_MAP'
    )
  })
})

describe('access entries', () => {
  it('of type EC2_LINUX get user name and group from EKS', async () => {
    const principalArn = nodeRole()
    await createEntry(principalArn, { type: 'EC2_LINUX' })
    const { accessEntry } = await eks.send(new DescribeAccessEntryCommand({ clusterName, principalArn }))
    expect(accessEntry).toMatchObject({
      principalArn: 'arn:aws:iam::111122223333:role/team/node',
      type: 'EC2_LINUX',
      username: 'system:node:{{EC2PrivateDNSName}}',
      kubernetesGroups: ['system:nodes']
    })
    expect(accessEntry?.accessEntryArn).toMatch(
      /^arn:aws:eks:us-west-2:111122223333:access-entry\/blue\/role\/111122223333\/node\/[0-9a-f-]{36}$/
    )
  })

  it('are refused where they are wrong', async () => {
    const principalArn = nodeRole()
    expect(
      await refusalOf(createEntry(principalArn, { type: 'EC2_LINUX', kubernetesGroups: ['a'] }))
    ).toMatch(/^InvalidParameterException: The kubernetesGroups cannot be set/)
    expect(await refusalOf(createEntry(principalArn, { kubernetesGroups: ['system:nodes'] }))).toBe(
      'InvalidParameterException: The kubernetes group name system:nodes is invalid, it cannot start with system:'
    )
    expect(await refusalOf(createEntry(`arn:aws:iam::${accountId}:role/none`))).toBe(
      'InvalidParameterException: The specified principalArn is invalid: invalid principal.'
    )
    await createEntry(principalArn)
    expect(await refusalOf(createEntry(principalArn, { type: 'EC2_LINUX' }))).toBe(
      'ResourceInUseException: The specified access entry resource is already in use on this cluster.'
    )
  })

  it('are refused while the cluster goes by aws-auth alone', async () => {
    await cloud.stop()
    await start('CONFIG_MAP')
    const refusal =
      "InvalidRequestException: The cluster's authentication mode must be set to one of [API, API_AND_CONFIG_MAP] to perform this operation."
    expect(await refusalOf(createEntry(nodeRole()))).toBe(refusal)
    expect(await refusalOf(eks.send(new ListAccessEntriesCommand({ clusterName })))).toBe(refusal)
  })

  it('are listed, and deleted once', async () => {
    const principalArn = nodeRole()
    await createEntry(principalArn)
    const list = () => eks.send(new ListAccessEntriesCommand({ clusterName, maxResults: 1 }))
    const first = await list()
    expect(first.accessEntries).toEqual([`arn:aws:iam::${accountId}:role/system`])
    expect(first.nextToken).toBeDefined()
    const remove = () => eks.send(new DeleteAccessEntryCommand({ clusterName, principalArn }))
    expect(await refusalOf(remove())).toBe('no error')
    expect(await refusalOf(remove())).toMatch(
      /^ResourceNotFoundException: The specified principalArn could not be found/
    )
  })

  it('take access policies, but not those for nodes', async () => {
    const principalArn = nodeRole()
    await createEntry(principalArn)
    const associate = (principal: string, name: string) =>
      eks.send(
        new AssociateAccessPolicyCommand({
          clusterName,
          principalArn: principal,
          policyArn: `arn:aws:eks::aws:cluster-access-policy/${name}`,
          accessScope: { type: 'cluster' }
        })
      )
    await associate(principalArn, 'AmazonEKSClusterAdminPolicy')
    const listed = await eks.send(new ListAssociatedAccessPoliciesCommand({ clusterName, principalArn }))
    expect(listed.associatedAccessPolicies?.[0]?.policyArn).toBe(
      'arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy'
    )
    expect(await refusalOf(associate(principalArn, 'NoSuchPolicy'))).toMatch(/^InvalidParameterException: /)
    expect(
      await refusalOf(associate(`arn:aws:iam::${accountId}:role/system`, 'AmazonEKSClusterAdminPolicy'))
    ).toMatch(/^InvalidRequestException: /)
  })
})

describe('add-ons', () => {
  it('are CREATING until they are in the cluster, then ACTIVE', async () => {
    const installed = Promise.withResolvers<undefined>()
    const changes: string[] = []
    cloud.eks.installAddon = async (change, addon) => {
      changes.push(`${change} ${addon.addonName} ${addon.addonVersion}`)
      await installed.promise
    }
    const addonName = 'eks-pod-identity-agent'
    const { addons } = await eks.send(
      new DescribeAddonVersionsCommand({ addonName, kubernetesVersion: '1.34' })
    )
    const addonVersion = addons?.[0]?.addonVersions?.[0]?.addonVersion ?? ''
    const created = await eks.send(new CreateAddonCommand({ clusterName, addonName, addonVersion }))
    expect(created.addon?.status).toBe('CREATING')
    const status = async () =>
      (await eks.send(new DescribeAddonCommand({ clusterName, addonName }))).addon?.status
    expect(await status()).toBe('CREATING')
    installed.resolve(undefined)
    expect(await status()).toBe('ACTIVE')
    expect(changes).toEqual([`install eks-pod-identity-agent ${addonVersion}`])
    expect((await eks.send(new ListAddonsCommand({ clusterName }))).addons).toEqual([addonName])
    expect(await refusalOf(eks.send(new CreateAddonCommand({ clusterName, addonName })))).toBe(
      'ResourceInUseException: Addon already exists.'
    )
  })
})

describe('Pod Identity associations', () => {
  const associate = (client: EKSClient, roleArn: string) =>
    client.send(
      new CreatePodIdentityAssociationCommand({
        clusterName,
        namespace: 'karpenter',
        serviceAccount: 'karpenter',
        roleArn
      })
    )

  it('are one for each service account', async () => {
    const roleArn = nodeRole()
    const { association } = await associate(eks, roleArn)
    expect(await refusalOf(associate(eks, roleArn))).toBe(
      `ResourceInUseException: Association already exists: ${association?.associationId ?? ''}`
    )
    const list = await eks.send(
      new ListPodIdentityAssociationsCommand({ clusterName, namespace: 'karpenter' })
    )
    expect(list.associations?.[0]).toMatchObject({
      serviceAccount: 'karpenter',
      associationId: association?.associationId
    })
    await eks.send(new TagResourceCommand({ resourceArn: association?.associationArn, tags: { a: 'b' } }))
    const removed = await eks.send(
      new DeletePodIdentityAssociationCommand({ clusterName, associationId: association?.associationId })
    )
    expect(removed.association?.tags).toEqual({ a: 'b' })
    expect(await refusalOf(associate(eks, `arn:aws:iam::${accountId}:role/none`))).toBe(
      'InvalidParameterException: Role provided in the request does not exist.'
    )
  })

  it('need PassRole', async () => {
    const roleArn = nodeRole()
    const role = cloud.iam.putRole({
      name: 'limited',
      trust: nobodyTrusted,
      inline: {
        own: {
          Version: '2012-10-17',
          Statement: [{ Effect: 'Allow', Action: ['eks:*', 'iam:GetRole'], Resource: '*' }]
        }
      }
    })
    const limited = eksClient(cloud, cloud.credentialsFor(role.arn, 900))
    expect(await refusalOf(associate(limited, roleArn))).toMatch(
      /is not authorized to perform: iam:PassRole on resource: arn:aws:iam::111122223333:role\/team\/node because/
    )
  })
})
