import {
  CreateFargateProfileCommand,
  type CreateFargateProfileCommandInput,
  DeleteFargateProfileCommand,
  DescribeAccessEntryCommand,
  DescribeFargateProfileCommand,
  EKSClient,
  ListFargateProfilesCommand,
  TagResourceCommand
} from '@aws-sdk/client-eks'
import { setTimeout as pause } from 'node:timers/promises'
import { profileOfPod } from '../../../sandbox/cloud/eks/fargate-profile.js'
import { type Cloud, startCloud } from '../../../sandbox/cloud/index.js'
import { accountId, administrator, eksClient, nobodyTrusted, refusalOf, region } from './clients.js'

const clusterName = 'blue'
/** Where a profile is made only when its role stands in the ConfigMap. */
const older = 'green'
let cloud: Cloud
let eks: EKSClient

beforeEach(async () => {
  cloud = await startCloud({
    accountId,
    region,
    clusters: (
      [
        [clusterName, 'API_AND_CONFIG_MAP'],
        [older, 'CONFIG_MAP']
      ] as const
    ).map(([name, authenticationMode]) => ({
      name,
      version: '1.34',
      authenticationMode,
      vpcId: 'vpc-1',
      subnetIds: ['subnet-private', 'subnet-public'],
      clusterSecurityGroupId: 'sg-1'
    })),
    subnet: async (id) =>
      id === 'subnet-none'
        ? undefined
        : { vpcId: id === 'subnet-other' ? 'vpc-2' : 'vpc-1', public: id === 'subnet-public' }
  })
  eks = eksClient(cloud, administrator(cloud))
})
afterEach(async () => {
  eks.destroy()
  await cloud.stop()
  expect(cloud.unlikeAws()).toEqual([])
})

const trusting = (condition?: object) => ({
  Version: '2012-10-17',
  Statement: [
    {
      Effect: 'Allow',
      Action: 'sts:AssumeRole',
      Principal: { Service: 'eks-fargate-pods.amazonaws.com' },
      ...(condition === undefined ? {} : { Condition: condition })
    }
  ]
})
const executionRole = () =>
  (cloud.iam.roles.get('pods') ?? cloud.iam.putRole({ name: 'pods', trust: trusting() })).arn
const create = (more: Partial<CreateFargateProfileCommandInput> = {}) =>
  eks.send(
    new CreateFargateProfileCommand({
      clusterName,
      fargateProfileName: 'batch',
      podExecutionRoleArn: executionRole(),
      selectors: [{ namespace: 'batch' }],
      ...more
    })
  )
const describeProfile = async (fargateProfileName = 'batch', cluster = clusterName) =>
  (await eks.send(new DescribeFargateProfileCommand({ clusterName: cluster, fargateProfileName })))
    .fargateProfile

async function active(name = 'batch', cluster = clusterName): Promise<void> {
  while ((await describeProfile(name, cluster))?.status !== 'ACTIVE') await pause(20)
}

describe('a Fargate profile', () => {
  it('is CREATING, then ACTIVE, over the private subnets, and lets its role join', async () => {
    const made = await create({ tags: { of: 'team' } })
    expect(made.fargateProfile).toMatchObject({
      status: 'CREATING',
      subnets: ['subnet-private'],
      tags: { of: 'team' }
    })
    expect(made.fargateProfile?.fargateProfileArn).toContain(`:fargateprofile/${clusterName}/batch/`)
    await active()
    const principalArn = executionRole()
    const entry = await eks.send(new DescribeAccessEntryCommand({ clusterName, principalArn }))
    expect(entry.accessEntry).toMatchObject({
      type: 'FARGATE_LINUX',
      username: 'system:node:{{SessionName}}',
      kubernetesGroups: ['system:nodes']
    })
    const nodeName = 'fargate-ip-10-0-1-2.us-west-2.compute.internal'
    expect(await cloud.fargateNodeIdentity(clusterName, { roleArn: principalArn, nodeName })).toEqual({
      username: `system:node:${nodeName}`,
      groups: ['system:nodes']
    })
    expect(cloud.iam.roles.has('AWSServiceRoleForAmazonEKSForFargate')).toBe(true)
  })

  it.each<[string, Partial<CreateFargateProfileCommandInput>, string]>([
    [
      'a public subnet',
      { subnets: ['subnet-private', 'subnet-public'] },
      'Subnet subnet-public provided in Fargate Profile is not a private subnet'
    ],
    ["another VPC's subnet", { subnets: ['subnet-other'] }, "is not in the cluster's VPC"],
    ['a subnet that is not there', { subnets: ['subnet-none'] }, "'subnet-none' does not exist"],
    ['six selectors', { selectors: Array(6).fill({ namespace: 'a' }) }, 'at most 5 selectors'],
    ['no selector', { selectors: [] }, 'at least one selector'],
    ['a selector without a namespace', { selectors: [{ labels: { a: 'b' } }] }, 'The namespace is required'],
    ['a reserved name', { fargateProfileName: 'eks-batch' }, 'reserved prefix eks-'],
    ['a name with a dot', { fargateProfileName: 'a.b' }, 'The fargateProfileName a.b is invalid']
  ])('with %s is refused', async (_what, more, message) => {
    const refusal = await refusalOf(create(more))
    expect(refusal).toContain('InvalidParameterException')
    expect(refusal).toContain(message)
  })

  it("whose role trusts another service, or another cluster's profiles only, is refused", async () => {
    const role = (name: string, trust: unknown) => cloud.iam.putRole({ name, trust }).arn
    const misconfigured =
      'InvalidParameterException: Misconfigured PodExecutionRole Trust Policy; Please add the eks-fargate-pods.amazonaws.com Service Principal'
    const of = (cluster: string) =>
      trusting({
        ArnLike: {
          'aws:SourceArn': `arn:aws:eks:${region}:${accountId}:fargateprofile/${cluster}/*`
        }
      })
    expect(await refusalOf(create({ podExecutionRoleArn: role('ec2', nobodyTrusted) }))).toBe(misconfigured)
    expect(await refusalOf(create({ podExecutionRoleArn: role('green', of('green')) }))).toBe(misconfigured)
    expect(await refusalOf(create({ podExecutionRoleArn: role('blue', of(clusterName)) }))).toBe('no error')
  })

  it('is made and removed one at a time, under a name of its own, and its pods end with it', async () => {
    const [mapped, emptied] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()]
    const inOlder = { clusterName: older }
    const removed: string[] = []
    cloud.eks.fargate = {
      mapRole: async () => mapped.promise,
      removePods: async (_cluster, name) => {
        removed.push(name)
        await emptied.promise
      }
    }
    await create(inOlder)
    expect(await refusalOf(create({ ...inOlder, fargateProfileName: 'web' }))).toBe(
      `ResourceInUseException: Cannot create Fargate Profile web because cluster ${older} currently has Fargate profile batch in status CREATING`
    )
    mapped.resolve(undefined)
    await active('batch', older)
    expect(await refusalOf(create(inOlder))).toBe(
      'ResourceInUseException: A Fargate Profile already exists with this name in this cluster.'
    )
    await create({ ...inOlder, fargateProfileName: 'web' })
    await active('web', older)
    const remove = (fargateProfileName: string) =>
      eks.send(new DeleteFargateProfileCommand({ ...inOlder, fargateProfileName }))
    expect((await remove('batch')).fargateProfile?.status).toBe('DELETING')
    expect(await refusalOf(remove('web'))).toContain('currently has Fargate profile batch in status DELETING')
    expect(removed).toEqual(['batch'])
    emptied.resolve(undefined)
    while ((await refusalOf(describeProfile('batch', older))) === 'no error') await pause(5)
    expect(await refusalOf(describeProfile('batch', older))).toBe(
      'ResourceNotFoundException: No Fargate Profile found with name: batch.'
    )
    const { fargateProfileNames } = await eks.send(new ListFargateProfilesCommand(inOlder))
    expect(fargateProfileNames).toEqual(['web'])
  })

  it('asks for permission to pass its role, to tag it, and to make the linked role', async () => {
    await create({ tags: { of: 'team' } })
    const asked = cloud.calls().flatMap(({ asked: questions }) => questions.map(({ action }) => action))
    expect(asked.toSorted()).toEqual([
      'eks:CreateFargateProfile',
      'eks:TagResource',
      'iam:CreateServiceLinkedRole',
      'iam:GetRole',
      'iam:PassRole'
    ])
    await active()
    const arn = (await describeProfile())?.fargateProfileArn
    await eks.send(new TagResourceCommand({ resourceArn: arn, tags: { more: 'yes' } }))
    expect((await describeProfile())?.tags).toEqual({ of: 'team', more: 'yes' })
  })
})

describe('a pod', () => {
  const profile = (name: string, namespace: string, labels = {}) =>
    cloud.eks.putFargateProfile(clusterName, {
      name,
      podExecutionRoleArn: executionRole(),
      subnets: ['subnet-private'],
      selectors: [{ namespace, labels }]
    })
  const taken = (namespace: string, labels: Record<string, string> = {}) =>
    profileOfPod(cloud.eks.fargateProfiles.values(), { namespace, labels })?.name

  it('goes to the first profile by name that takes it in, or to the one that it names', () => {
    profile('z', 'prod-*')
    profile('a', 'prod-?', { 'team/*': 'x.*' })
    expect(taken('prod-1')).toBe('z')
    expect(taken('prod-1', { 'team/name': 'x.1' })).toBe('a')
    expect(taken('prod-1', { 'team/name': 'xy1' })).toBe('z')
    expect(taken('prod-1', { 'team/name': 'x.1', 'eks.amazonaws.com/fargate-profile': 'z' })).toBe('z')
    expect(taken('dev')).toBeUndefined()
    cloud.eks.saveFargateProfile({ ...cloud.eks.fargateProfile(clusterName, 'z'), status: 'CREATING' })
    expect(taken('prod-22')).toBeUndefined()
  })
})
