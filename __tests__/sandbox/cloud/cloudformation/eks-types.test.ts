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
  DescribePodIdentityAssociationCommand,
  ListAccessEntriesCommand,
  ListAddonsCommand,
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
    services: ({ invoke, now }) => [
      cloudFormation({ invoke, clock: { now, delay: async (ms) => pause(ms) }, pace: 1 })
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
