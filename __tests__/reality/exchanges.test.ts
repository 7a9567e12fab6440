import { readFileSync } from 'node:fs'
import { answerFaults, requestFaults } from '../../sandbox/cloud/model/judge.js'
import { RawReply } from '../../sandbox/cloud/service.js'
import { operations } from '../../scripts/aws-models/operations.js'
import { PlayedWorld } from '../modes/played-run.js'

/**
 * Every request of src/ to AWS, and every answer of the sandbox's stand-in, held to the service's own model: sandbox/cloud/model
 * judges what passes the stand-in's front, and what passes __tests__/aws/stand-in.ts, in whichever test. Here stands that no
 * operation is left out. What moto answers (EC2, SQS, EventBridge) is judged in
 * e2e/guide.test.ts.
 */
const elsewhere: Readonly<Record<string, readonly string[]>> = {
  'aws/credentials.test.ts': ['sts:AssumeRoleWithWebIdentity'],
  'preflight/checks.test.ts': ['sqs:GetQueueUrl'],
  'preflight/reads/node-class-reads.test.ts': [
    'ec2:DescribeImages',
    'ec2:DescribeInstanceTypeOfferings',
    'ec2:DescribeInstanceTypes',
    'iam:GetInstanceProfile'
  ],
  'preflight/reads/reads.test.ts': ['eks:DescribeFargateProfile', 'ssm:GetParameters'],
  'resources/access/node-access.test.ts': ['eks:ListAssociatedAccessPolicies'],
  'resources/access/pod-identity.test.ts': ['eks:UpdatePodIdentityAssociation'],
  'resources/controller/iam.test.ts': [
    'iam:AddClientIDToOpenIDConnectProvider',
    'iam:CreateOpenIDConnectProvider',
    'iam:DeleteOpenIDConnectProvider',
    'iam:GetOpenIDConnectProvider'
  ],
  'resources/controller/boundary.test.ts': [
    'iam:DeleteRolePermissionsBoundary',
    'iam:PutRolePermissionsBoundary',
    'iam:UpdateAssumeRolePolicy'
  ],
  'resources/removal/launch-leftovers.test.ts': [
    'ec2:DeleteLaunchTemplate',
    'ec2:DeleteNetworkInterface',
    'ec2:DeleteVolume',
    'iam:DeleteInstanceProfile',
    'iam:RemoveRoleFromInstanceProfile'
  ],
  'resources/removal/launched-instances.test.ts': ['ec2:TerminateInstances'],
  'resources/stack/event-rule.test.ts': [
    'eventbridge:EnableRule',
    'eventbridge:PutRule',
    'eventbridge:PutTargets',
    'eventbridge:RemoveTargets'
  ],
  'resources/stack/interruption-queue.test.ts': ['sqs:CreateQueue', 'sqs:SetQueueAttributes'],
  'resources/stack/retired-parts.test.ts': [
    'cloudformation:DescribeStackEvents',
    'cloudformation:DescribeStackResources'
  ],
  'resources/stack/stack-policy.test.ts': [
    'iam:CreatePolicy',
    'iam:CreatePolicyVersion',
    'iam:DeletePolicyVersion',
    'iam:GetPolicy',
    'iam:ListPolicyVersions'
  ],
  'resources/stack/stack-role.test.ts': [
    'iam:DeleteRolePolicy',
    'iam:GetRolePolicy',
    'iam:PutRolePolicy',
    'iam:TagRole'
  ],
  'resources/stack/validation.test.ts': ['cloudformation:DeleteChangeSet', 'cloudformation:DescribeEvents']
}

test('the requests of an installation’s life and what they are answered with are as the models have them', async () => {
  const world = await PlayedWorld.start()
  try {
    expect((await world.main({ 'cluster-name': 'green' })).failed).toContain('Clusters in eu-west-1: blue')
    expect((await world.main()).failed).toBeUndefined()
    expect((await world.main({ mode: 'uninstall' })).failed).toBeUndefined()
    const called = new Set(
      world.cloud
        .calls()
        .flatMap(({ service, action, outcome, via }) =>
          outcome === 'ok' && via === undefined ? [`${service}:${action}`] : []
        )
    )
    const left = operations
      .map(({ service, name }) => ({
        operation: `${service}:${name}`,
        call: `${service === 'eventbridge' ? 'events' : service}:${name}`
      }))
      .filter(({ call }) => !called.has(call))
      .map(({ operation }) => operation)
    expect(left.sort()).toEqual(Object.values(elsewhere).flat().sort())
    expect(world.cloud.unlikeAws()).toEqual([])
  } finally {
    await world.stop()
  }
})

test.each(Object.keys(elsewhere))('%s sends to a stand-in that judges', (file) => {
  expect(readFileSync(`__tests__/${file}`, 'utf8')).toMatch(/(stand-in|account|cloudformation)\.js'/)
})

const trust = '{"Version":"2012-10-17"}'
const role = { RoleName: 'blue-karpenter', AssumeRolePolicyDocument: trust }
test.each([
  ['as it is sent', 'iam', 'CreateRole', role, []],
  [
    'without what it needs',
    'iam',
    'CreateRole',
    { RoleName: 'blue' },
    ['AssumeRolePolicyDocument is lacking']
  ],
  [
    'with a name that is too long',
    'iam',
    'CreateRole',
    { ...role, RoleName: 'a'.repeat(65) },
    ['RoleName has 65 characters, more than 64']
  ],
  [
    'with a character that no name has',
    'iam',
    'CreateRole',
    { ...role, RoleName: 'a/b' },
    ['RoleName is not of the pattern of roleNameType']
  ],
  ['with what the model lacks', 'iam', 'CreateRole', { ...role, Colour: 'blue' }, ['Colour is no member']],
  [
    'with more tags than there may be',
    'iam',
    'CreateRole',
    { ...role, Tags: Array.from({ length: 51 }, () => ({ Key: 'a', Value: '' })) },
    ['Tags has 51 items, more than 50']
  ],
  [
    'with a tag of no value',
    'iam',
    'CreateRole',
    { ...role, Tags: [{ Key: 'a' }] },
    ['Tags[0].Value is lacking']
  ],
  [
    'with a value that is none',
    'cloudformation',
    'CreateChangeSet',
    { StackName: 'a', ChangeSetName: 'a', ChangeSetType: 'RENEW' },
    ['ChangeSetType is none of the values of ChangeSetType: RENEW']
  ],
  [
    'by EC2’s own names',
    'ec2',
    'CreateTags',
    { ResourceId: ['subnet-1'], Tag: [{ Key: 'a', Value: 'b' }] },
    []
  ],
  [
    'by names that EC2 has not',
    'ec2',
    'CreateTags',
    { ResourceIds: ['subnet-1'], Tag: [] },
    ['ResourceId is lacking', 'ResourceIds is no member']
  ]
])('a request %s', (_, service, action, input, faults) => {
  expect(requestFaults(service, action, input)).toEqual(faults)
})

const xml = (body: string): RawReply =>
  new RawReply(200, {}, `<GetRoleResponse><GetRoleResult>${body}</GetRoleResult></GetRoleResponse>`)
const whole =
  '<Path>/</Path><RoleName>blue</RoleName><RoleId>AROA0123456789ABCDEF</RoleId><Arn>arn:aws:iam::111122223333:role/blue</Arn><CreateDate>2026-11-30T04:00:00Z</CreateDate>'
const error = (status: number, code: string): RawReply =>
  new RawReply(status, {}, `<ErrorResponse><Error><Code>${code}</Code></Error></ErrorResponse>`)
test.each([
  ['as IAM gives it', xml(`<Role>${whole}</Role>`), []],
  ['without a role', xml(''), ['Role is lacking']],
  [
    'with a role that lacks its path',
    xml(`<Role>${whole.replace('<Path>/</Path>', '')}</Role>`),
    ['Role.Path is lacking']
  ],
  [
    'with what the model lacks',
    xml(`<Role>${whole}<Colour>blue</Colour></Role>`),
    ['Role.Colour is no member']
  ],
  [
    'with a time that is none',
    xml(`<Role>${whole.replace('2026-11-30T04:00:00Z', 'soon')}</Role>`),
    ['Role.CreateDate is no time']
  ],
  ['that is an error of it', error(404, 'NoSuchEntity'), []],
  [
    'that is an error of it with another status',
    error(400, 'NoSuchEntity'),
    ['NoSuchEntity comes with 404, not with 400']
  ],
  ['that is an error of others', error(404, 'NoSuchRole'), ['NoSuchRole is no error of it']]
])('an answer %s', (_, reply, faults) => {
  expect(answerFaults('iam', 'GetRole', reply)).toEqual(faults)
})
