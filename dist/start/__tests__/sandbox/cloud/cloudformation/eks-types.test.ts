import {
  CloudFormationClient,
  CreateStackCommand,
  DeleteStackCommand,
  DescribeStackEventsCommand,
  DescribeStackResourcesCommand,
  DescribeStacksCommand,
  UpdateStackCommand
} from '@aws-sdk/client-cloudformation'
import {
  CreateAddonCommand,
  DescribeAccessEntryCommand,
  DescribeAddonCommand,
  DescribeFargateProfileCommand,
  DescribePodIdentityAssociationCommand,
  ListAccessEntriesCommand,
  ListAddonsCommand,
  ListFargateProfilesCommand,
  ListPodIdentityAssociationsCommand,
  type EKSClient
} from '@aws-sdk/client-eks'
import { setTimeout as pause } from 'node:timers/promises'
import { cloudFormation } from '../../../../sandbox/cloud/cloudformation/index.js'
import { type Cloud, startCloud } from '../../../../sandbox/cloud/index.js'
import { accountId, administrator, eksClient, nobodyTrusted, region, settings } from '../clients.js'

const clusterName = 'blue'
const StackName = 'identity'
let cloud: Cloud
let stacks: CloudFormationClient
let eks: EKSClient

beforeEach(async () => {
  cloud = await startCloud({
    accountId,
    region,
    clusters: [
      {
        name: clusterName,
        version: '1.34',
        authenticationMode: 'API',
        vpcId: 'vpc-1',
        subnetIds: ['subnet-1'],
        clusterSecurityGroupId: 'sg-1'
      }
    ],
    subnet: async () => ({ vpcId: 'vpc-1', public: false }),
    services: ({ assume, invoke, now }) => [
      cloudFormation({ invoke, assume, clock: { now, delay: async (ms) => pause(ms) }, pace: 1 })
    ]
  })
  for (const name of ['controller', 'other', 'node']) cloud.iam.putRole({ name, trust: nobodyTrusted })
  const credentials = administrator(cloud)
  stacks = new CloudFormationClient(settings(cloud, credentials))
  eks = eksClient(cloud, credentials)
})
afterEach(async () => {
  stacks.destroy()
  eks.destroy()
  await cloud.stop()
})

const role = (name: string): string => `arn:aws:iam::${accountId}:role/${name}`

function template(controller = 'controller'): string {
  return JSON.stringify({
    Resources: {
      Agent: {
        Type: 'AWS::EKS::Addon',
        Properties: {
          ClusterName: clusterName,
          AddonName: 'eks-pod-identity-agent',
          Tags: [{ Key: 'of', Value: 'addon' }]
        }
      },
      Association: {
        Type: 'AWS::EKS::PodIdentityAssociation',
        Properties: {
          ClusterName: clusterName,
          Namespace: 'karpenter',
          ServiceAccount: 'karpenter',
          RoleArn: role(controller)
        }
      },
      Nodes: {
        Type: 'AWS::EKS::AccessEntry',
        Properties: { ClusterName: clusterName, PrincipalArn: role('node'), Type: 'EC2_LINUX' }
      }
    },
    Outputs: { Entry: { Value: { 'Fn::GetAtt': ['Nodes', 'AccessEntryArn'] } } }
  })
}

async function settled(name: string): Promise<string> {
  for (;;) {
    const { Stacks } = await stacks.send(new DescribeStacksCommand({ StackName: name }))
    const status = Stacks?.[0]?.StackStatus ?? ''
    if (!status.endsWith('_IN_PROGRESS')) return status
    await pause(5)
  }
}

async function create(TemplateBody: string, Tags = [{ Key: 'made-by', Value: 'tool' }]): Promise<string> {
  const { StackId = '' } = await stacks.send(new CreateStackCommand({ StackName, TemplateBody, Tags }))
  await settled(StackId)
  return StackId
}

async function associations() {
  const { associations: listed = [] } = await eks.send(
    new ListPodIdentityAssociationsCommand({ clusterName })
  )
  return Promise.all(
    listed.map(async ({ associationId }) => {
      const at = { clusterName, associationId: associationId ?? '' }
      return (await eks.send(new DescribePodIdentityAssociationCommand(at))).association
    })
  )
}

test("makes add-on, association and access entry with the stack's tags, and names them as AWS does", async () => {
  await create(template())
  expect(await settled(StackName)).toBe('CREATE_COMPLETE')
  const addonName = 'eks-pod-identity-agent'
  const { addon } = await eks.send(new DescribeAddonCommand({ clusterName, addonName }))
  expect(addon).toMatchObject({ status: 'ACTIVE', tags: { of: 'addon', 'made-by': 'tool' } })
  const [association] = await associations()
  expect(association).toMatchObject({ roleArn: role('controller'), tags: { 'made-by': 'tool' } })
  const at = { clusterName, principalArn: role('node') }
  const { accessEntry } = await eks.send(new DescribeAccessEntryCommand(at))
  expect(accessEntry).toMatchObject({ type: 'EC2_LINUX', tags: { 'made-by': 'tool' } })
  const { StackResources = [] } = await stacks.send(new DescribeStackResourcesCommand({ StackName }))
  expect(StackResources.map(({ PhysicalResourceId }) => PhysicalResourceId).toSorted()).toEqual(
    [
      `${role('node')}|${clusterName}`,
      `${clusterName}|eks-pod-identity-agent`,
      association?.associationArn ?? ''
    ].toSorted()
  )
  const { Stacks } = await stacks.send(new DescribeStacksCommand({ StackName }))
  expect(Stacks?.[0]?.Outputs?.[0]?.OutputValue).toBe(accessEntry?.accessEntryArn)
})

test('an update gives the association another role and all of them other tags', async () => {
  await create(template())
  const Tags = [{ Key: 'made-by', Value: 'another' }]
  await stacks.send(new UpdateStackCommand({ StackName, TemplateBody: template('other'), Tags }))
  expect(await settled(StackName)).toBe('UPDATE_COMPLETE')
  const [association] = await associations()
  expect(association).toMatchObject({ roleArn: role('other'), tags: { 'made-by': 'another' } })
  const { addon } = await eks.send(
    new DescribeAddonCommand({ clusterName, addonName: 'eks-pod-identity-agent' })
  )
  expect(addon?.tags).toEqual({ of: 'addon', 'made-by': 'another' })
})

test('a deletion takes all three away', async () => {
  const id = await create(template())
  await stacks.send(new DeleteStackCommand({ StackName }))
  expect(await settled(id)).toBe('DELETE_COMPLETE')
  expect(await associations()).toEqual([])
  expect((await eks.send(new ListAddonsCommand({ clusterName }))).addons).toEqual([])
  const { accessEntries } = await eks.send(new ListAccessEntriesCommand({ clusterName }))
  expect(accessEntries).not.toContain(role('node'))
})

test('an add-on that is there already fails the stack, and stays', async () => {
  await eks.send(new CreateAddonCommand({ clusterName, addonName: 'eks-pod-identity-agent' }))
  await create(template())
  expect(await settled(StackName)).toBe('ROLLBACK_COMPLETE')
  const { StackEvents = [] } = await stacks.send(new DescribeStackEventsCommand({ StackName }))
  expect(StackEvents.map(({ ResourceStatusReason }) => ResourceStatusReason ?? '').join('\n')).toContain(
    "Resource of type 'AWS::EKS::Addon' with identifier 'blue|eks-pod-identity-agent' already exists."
  )
  expect((await eks.send(new ListAddonsCommand({ clusterName }))).addons).toEqual(['eks-pod-identity-agent'])
  expect(await associations()).toEqual([])
})

test('makes a Fargate profile of the stack, whose subnets are a list parameter, and removes it with it', async () => {
  const profile = 'AWS::EKS::FargateProfile'
  const trust = {
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Action: 'sts:AssumeRole',
        Principal: { Service: 'eks-fargate-pods.amazonaws.com' },
        Condition: {
          ArnLike: {
            'aws:SourceArn': {
              'Fn::Sub': `arn:aws:eks:${region}:\${AWS::AccountId}:fargateprofile/blue/pods/*`
            }
          }
        }
      }
    ]
  }
  const TemplateBody = JSON.stringify({
    Parameters: { Subnets: { Type: 'CommaDelimitedList', Default: 'subnet-1,subnet-2' } },
    Resources: {
      PodRole: { Type: 'AWS::IAM::Role', Properties: { AssumeRolePolicyDocument: trust } },
      Profile: {
        Type: profile,
        Properties: {
          ClusterName: clusterName,
          FargateProfileName: 'pods',
          PodExecutionRoleArn: { 'Fn::GetAtt': ['PodRole', 'Arn'] },
          Selectors: [{ Namespace: 'karpenter', Labels: [{ Key: 'app', Value: 'karpenter' }] }],
          Subnets: { Ref: 'Subnets' }
        }
      }
    }
  })
  const Tags = [{ Key: 'made-by', Value: 'tool' }]
  const Capabilities: ['CAPABILITY_IAM'] = ['CAPABILITY_IAM']
  await stacks.send(new CreateStackCommand({ StackName, TemplateBody, Tags, Capabilities }))
  expect(await settled(StackName)).toBe('CREATE_COMPLETE')
  const at = { clusterName, fargateProfileName: 'pods' }
  const { fargateProfile } = await eks.send(new DescribeFargateProfileCommand(at))
  expect(fargateProfile).toMatchObject({
    status: 'ACTIVE',
    subnets: ['subnet-1', 'subnet-2'],
    selectors: [{ namespace: 'karpenter', labels: { app: 'karpenter' } }],
    tags: { 'made-by': 'tool' }
  })
  const { StackResources = [] } = await stacks.send(new DescribeStackResourcesCommand({ StackName }))
  const made = StackResources.find(({ ResourceType }) => ResourceType === profile)
  expect(made?.PhysicalResourceId).toBe(`${clusterName}|pods`)
  const id = StackResources[0]?.StackId ?? ''
  await stacks.send(new DeleteStackCommand({ StackName }))
  expect(await settled(id)).toBe('DELETE_COMPLETE')
  const { fargateProfileNames } = await eks.send(new ListFargateProfilesCommand({ clusterName }))
  expect(fargateProfileNames).toEqual([])
})
