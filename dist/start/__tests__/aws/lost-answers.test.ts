import { cloudFormation } from '../../sandbox/cloud/cloudformation/index.js'
import { type Cloud, startCloud } from '../../sandbox/cloud/index.js'
import type { Fault } from '../../sandbox/cloud/service.js'
import { openAws, type Aws } from '../../src/aws/clients.js'
import { openConnection } from '../../src/aws/connection.js'
import type { AnyResource } from '../../src/engine/resource.js'
import { oidcProvider, oidcProviderArn } from '../../src/resources/access/oidc-provider.js'
import { accessEntry } from '../../src/resources/access/access-entry.js'
import { podIdentityAgent } from '../../src/resources/access/pod-identity-agent.js'
import { podIdentityAssociation } from '../../src/resources/access/pod-identity-association.js'
import { controllerRole } from '../../src/resources/controller/controller-role.js'
import { controllerRolePolicies } from '../../src/resources/controller/controller-role-policies.js'
import { spotServiceLinkedRole } from '../../src/resources/stack/spot-service-linked-role.js'
import { stack } from '../../src/resources/stack/stack.js'
import { install, ownership, ofStack, recordedAsOurs } from '../resources/walk-one.js'
import { administrator } from '../sandbox/cloud/clients.js'
import { fixedCredentials, recordedStep } from './stand-in.js'

const clusterName = 'blue'
const account = {
  id: '111122223333',
  partition: 'aws',
  region: 'us-west-2',
  urlSuffix: 'amazonaws.com',
  callerArn: 'arn:aws:sts::111122223333:assumed-role/administrator/sandbox'
} as const
const tags = { 'setup-karpenter:owner': clusterName }
const arn = (name: string): string => `arn:aws:iam::${account.id}:${name}`
const policyArn = arn('policy/KarpenterControllerPolicy-blue')
const template = JSON.stringify({
  Resources: {
    KarpenterNodeRole: {
      Type: 'AWS::IAM::Role',
      Properties: {
        RoleName: 'KarpenterNodeRole-blue',
        AssumeRolePolicyDocument: {
          Version: '2012-10-17',
          Statement: [
            { Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: 'ec2.amazonaws.com' } }
          ]
        }
      }
    },
    ControllerPolicy: {
      Type: 'AWS::IAM::ManagedPolicy',
      Properties: {
        ManagedPolicyName: 'KarpenterControllerPolicy-blue',
        PolicyDocument: {
          Version: '2012-10-17',
          Statement: [{ Effect: 'Allow', Action: 'ec2:DescribeSubnets', Resource: '*' }]
        }
      }
    }
  }
})

let cloud: Cloud
let aws: Aws

async function open(): Promise<void> {
  cloud = await startCloud({
    accountId: account.id,
    region: account.region,
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
    services: ({ invoke, assume, now }) => [
      cloudFormation({
        invoke,
        assume,
        clock: { now, delay: async () => new Promise((resolve) => setImmediate(resolve)) },
        pace: 1
      })
    ]
  })
  process.env['AWS_ENDPOINT_URL'] = cloud.url
  const keys = administrator(cloud)
  aws = openAws(
    openConnection({ region: account.region, env: {}, now: Date.now }),
    { ...fixedCredentials, get: async () => keys },
    account,
    new URL(cloud.url)
  )
}

async function close(): Promise<void> {
  aws.destroy()
  await cloud.stop()
}

/** What one run makes in the account, in the order of an install. */
function resources(): readonly AnyResource[] {
  const issuer = 'https://oidc.eks.us-west-2.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF'
  const ports = { aws, ownership }
  return [
    spotServiceLinkedRole({ aws }),
    oidcProvider(
      {
        arn: oidcProviderArn(account, issuer),
        issuer,
        audience: 'sts.amazonaws.com',
        clusterName,
        tags
      },
      { ...ports, removable: true }
    ),
    controllerRole(
      {
        clusterName,
        roleName: 'blue-karpenter',
        arn: arn('role/blue-karpenter'),
        trust: { kind: 'pod-identity' },
        tags
      },
      ports
    ),
    stack(
      {
        clusterName,
        name: 'Karpenter-blue',
        template,
        resources: { KarpenterNodeRole: 'KarpenterNodeRole-blue' },
        parameters: {},
        tags,
        capabilities: ['CAPABILITY_NAMED_IAM']
      },
      ports
    ),
    controllerRolePolicies(
      { clusterName, roleName: 'blue-karpenter', policyArns: [policyArn], retiredPolicyArns: [] },
      { aws, keep: () => undefined }
    ),
    podIdentityAgent(
      { clusterName, addonName: 'eks-pod-identity-agent', tags },
      { ...ports, selfManaged: async () => false }
    ),
    podIdentityAssociation(
      {
        clusterName,
        namespace: 'karpenter',
        serviceAccount: 'karpenter',
        roleArn: arn('role/blue-karpenter'),
        tags
      },
      ports
    ),
    accessEntry(
      { clusterName, nodeRoleArn: arn('role/KarpenterNodeRole-blue'), type: 'EC2_LINUX', tags },
      ports
    )
  ]
}

async function installed(): Promise<readonly string[]> {
  const lines: string[] = []
  for (const resource of resources()) {
    const { after, step } = await install(resource)
    expect([resource.id, after.state]).toEqual([resource.id, 'as wanted'])
    lines.push(...step.lines)
  }
  return lines
}

async function removed(): Promise<readonly string[]> {
  const lines: string[] = []
  for (const resource of resources().toReversed()) {
    const step = recordedStep()
    await resource.remove(step, { ...recordedAsOurs, whole: ofStack().whole })
    lines.push(...step.lines)
  }
  const left = await Promise.all(
    resources().map(async (one) => (await one.inspect(new AbortController().signal)).present)
  )
  // The whole account has that role.
  expect(left.flat()).toEqual(['Spot service-linked role'])
  return lines
}

const lost: readonly [string, Fault['effect']][] = [
  ['answered 500', { kind: 'error', code: 'InternalFailure', message: 'lost', status: 500, done: true }],
  ['cut off', { kind: 'reset', done: true }]
]

describe('a write that is carried out and whose answer is lost', () => {
  test.each(lost)(
    'because it is %s: one run ends well, whichever write it is',
    async (_how, effect) => {
      await open()
      const lines = [...(await installed()), ...(await removed())]
      const baseline = cloud.calls()
      const direct = baseline.filter(({ write, via }) => write && via === undefined)
      const actions = [...new Set(direct.map(({ action }) => action))]
      // CloudFormation's own calls of an action are not the run's.
      const before = (action: string): number =>
        baseline.filter((call) => call.action === action).findIndex(({ via }) => via === undefined)
      await close()
      expect(actions.toSorted()).toEqual([
        'AttachRolePolicy',
        'CreateAccessEntry',
        'CreateAddon',
        'CreateChangeSet',
        'CreateOpenIDConnectProvider',
        'CreatePodIdentityAssociation',
        'CreateRole',
        'CreateServiceLinkedRole',
        'DeleteAccessEntry',
        'DeleteAddon',
        'DeleteOpenIDConnectProvider',
        'DeletePodIdentityAssociation',
        'DeleteRole',
        'DeleteStack',
        'DetachRolePolicy',
        'ExecuteChangeSet'
      ])
      for (const action of actions) {
        await open()
        cloud.setFaults([{ action, skip: before(action), times: 1, effect }])
        expect([action, ...(await installed()), ...(await removed())]).toEqual([action, ...lines])
        const made = cloud.calls().filter((call) => call.action === action && call.via === undefined)
        expect(made.length).toBeGreaterThan(1)
        await close()
      }
    },
    120_000
  )
})
