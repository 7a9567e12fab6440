import {
  AddRoleToInstanceProfileCommand,
  AttachRolePolicyCommand,
  CreateInstanceProfileCommand,
  CreatePolicyCommand,
  CreateRoleCommand,
  GetRoleCommand,
  type IAMClient,
  ListRolesCommand,
  SimulatePrincipalPolicyCommand
} from '@aws-sdk/client-iam'
import { decide } from '../../../sandbox/cloud/authorisation.js'
import { type Cloud, startCloud } from '../../../sandbox/cloud/index.js'
import { accountId, administrator, allow, iamClient, nobodyTrusted, refusalOf, region } from './clients.js'

let cloud: Cloud
let admin: IAMClient

beforeEach(async () => {
  cloud = await startCloud({ accountId, region })
  admin = iamClient(cloud, administrator(cloud))
})
afterEach(() => cloud.stop())

const trust = JSON.stringify(nobodyTrusted)
const createRole = (RoleName: string) =>
  admin.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: trust }))
const createPolicy = (PolicyName: string, document: unknown = allow('s3:GetObject')) =>
  admin.send(new CreatePolicyCommand({ PolicyName, PolicyDocument: JSON.stringify(document) }))
const limited = (...statements: object[]) => {
  const role = cloud.iam.putRole({
    name: 'limited',
    trust: nobodyTrusted,
    inline: { own: { Version: '2012-10-17', Statement: statements } }
  })
  return iamClient(cloud, cloud.credentialsFor(role.arn, 900))
}

describe('permissions', () => {
  const user = 'arn:aws:sts::111122223333:assumed-role/limited/sandbox'

  it('are refused with the sentence that AWS uses', async () => {
    const client = limited({ Effect: 'Allow', Action: 'iam:GetRole', Resource: '*' })
    expect(
      await refusalOf(client.send(new CreateRoleCommand({ RoleName: 'r', AssumeRolePolicyDocument: trust })))
    ).toBe(
      `AccessDenied: User: ${user} is not authorized to perform: iam:CreateRole on resource: arn:aws:iam::111122223333:role/r because no identity-based policy allows the iam:CreateRole action`
    )
  })

  it('look at tags asked for, tags there, and what is attached', async () => {
    const client = limited(
      {
        Effect: 'Allow',
        Action: ['iam:CreateRole', 'iam:TagRole'],
        Resource: '*',
        Condition: { StringEquals: { 'aws:RequestTag/owner': 'me' } }
      },
      {
        Effect: 'Allow',
        Action: 'iam:AttachRolePolicy',
        Resource: '*',
        Condition: {
          StringEquals: { 'aws:ResourceTag/owner': 'me' },
          ArnLike: { 'iam:PolicyARN': 'arn:aws:iam::aws:policy/AmazonEKS*' }
        }
      }
    )
    const create = (RoleName: string, Value: string) =>
      client.send(
        new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: trust, Tags: [{ Key: 'owner', Value }] })
      )
    const attach = (RoleName: string, name: string) =>
      client.send(new AttachRolePolicyCommand({ RoleName, PolicyArn: `arn:aws:iam::aws:policy/${name}` }))
    expect(await refusalOf(create('mine', 'me'))).toBe('no error')
    expect(await refusalOf(create('other', 'you'))).toMatch(/^AccessDenied: /)
    await createRole('bare')
    expect(await refusalOf(attach('mine', 'AmazonEKS_CNI_Policy'))).toBe('no error')
    expect(await refusalOf(attach('mine', 'AdministratorAccess'))).toMatch(/^AccessDenied: /)
    expect(await refusalOf(attach('bare', 'AmazonEKS_CNI_Policy'))).toMatch(/^AccessDenied: /)
  })

  it('need PassRole to put a role into an instance profile', async () => {
    await createRole('node')
    await admin.send(new CreateInstanceProfileCommand({ InstanceProfileName: 'i' }))
    const client = limited({ Effect: 'Allow', Action: 'iam:AddRoleToInstanceProfile', Resource: '*' })
    expect(
      await refusalOf(
        client.send(new AddRoleToInstanceProfileCommand({ InstanceProfileName: 'i', RoleName: 'node' }))
      )
    ).toMatch(
      /is not authorized to perform: iam:PassRole on resource: arn:aws:iam::111122223333:role\/node because/
    )
  })

  it('take an instance profile that is being made for one that bears its tags already', async () => {
    const owned = { 'aws:RequestTag/owner': 'me' }
    const client = limited(
      {
        Effect: 'Allow',
        Action: 'iam:CreateInstanceProfile',
        Resource: '*',
        Condition: { StringEquals: owned }
      },
      {
        Effect: 'Allow',
        Action: 'iam:TagInstanceProfile',
        Resource: '*',
        Condition: { StringEquals: { ...owned, 'aws:ResourceTag/owner': 'me' } }
      }
    )
    const create = (Value: string) =>
      client.send(
        new CreateInstanceProfileCommand({ InstanceProfileName: Value, Tags: [{ Key: 'owner', Value }] })
      )
    expect(await refusalOf(create('me'))).toBe('no error')
    expect(await refusalOf(create('you'))).toMatch(/^AccessDenied: /)
  })

  it('end at the boundary and at an explicit deny', async () => {
    const boundary = (await createPolicy('boundary', allow('iam:Get*'))).Policy?.Arn ?? ''
    const role = cloud.iam.putRole({
      name: 'limited',
      trust: nobodyTrusted,
      boundary,
      inline: {
        own: {
          Version: '2012-10-17',
          Statement: [
            { Effect: 'Allow', Action: 'iam:*', Resource: '*' },
            { Effect: 'Deny', Action: 'iam:GetRole', Resource: '*' }
          ]
        }
      }
    })
    const client = iamClient(cloud, cloud.credentialsFor(role.arn, 900))
    expect(await refusalOf(client.send(new ListRolesCommand()))).toMatch(
      /because no permissions boundary allows the iam:ListRoles action$/
    )
    expect(await refusalOf(client.send(new GetRoleCommand({ RoleName: 'limited' })))).toMatch(
      /with an explicit deny in an identity-based policy$/
    )
  })

  it('are foretold by SimulatePrincipalPolicy', async () => {
    limited({ Effect: 'Allow', Action: 'ec2:RunInstances', Resource: '*' })
    const { EvaluationResults } = await admin.send(
      new SimulatePrincipalPolicyCommand({
        PolicySourceArn: 'arn:aws:iam::111122223333:role/limited',
        ActionNames: ['ec2:RunInstances', 'ec2:CreateFleet']
      })
    )
    expect(EvaluationResults?.map((result) => [result.EvalActionName, result.EvalDecision])).toEqual([
      ['ec2:RunInstances', 'allowed'],
      ['ec2:CreateFleet', 'implicitDeny']
    ])
  })

  it('are foretold with the condition keys that were not given, for the statements in question alone', async () => {
    limited(
      {
        Effect: 'Allow',
        Action: 'iam:Create*',
        Resource: 'arn:aws:iam::*:role/a*',
        Condition: { StringEquals: { 'aws:RequestTag/team': 'x', 'iam:PermissionsBoundary': 'y' } }
      },
      {
        Effect: 'Allow',
        Action: 's3:*',
        Resource: '*',
        Condition: { Bool: { 'aws:SecureTransport': 'true' } }
      }
    )
    const { EvaluationResults } = await admin.send(
      new SimulatePrincipalPolicyCommand({
        PolicySourceArn: 'arn:aws:iam::111122223333:role/limited',
        ActionNames: ['iam:CreateRole'],
        ResourceArns: ['arn:aws:iam::111122223333:role/a1', 'arn:aws:iam::111122223333:role/b1'],
        ContextEntries: [
          { ContextKeyName: 'iam:PermissionsBoundary', ContextKeyValues: ['y'], ContextKeyType: 'string' }
        ]
      })
    )
    expect(EvaluationResults).toEqual([
      {
        EvalActionName: 'iam:CreateRole',
        EvalResourceName: 'arn:${Partition}:iam::${Account}:role/${RoleNameWithPath}',
        EvalDecision: 'implicitDeny',
        MatchedStatements: [],
        MissingContextValues: ['aws:RequestTag/team'],
        ResourceSpecificResults: [
          {
            EvalResourceName: 'arn:aws:iam::111122223333:role/a1',
            EvalResourceDecision: 'implicitDeny',
            MatchedStatements: [],
            MissingContextValues: ['aws:RequestTag/team']
          },
          {
            EvalResourceName: 'arn:aws:iam::111122223333:role/b1',
            EvalResourceDecision: 'implicitDeny',
            MatchedStatements: [],
            MissingContextValues: []
          }
        ]
      }
    ])
  })

  it('are foretold for each resource, and the worst of them in all', async () => {
    limited(
      {
        Effect: 'Allow',
        Action: 'sqs:SendMessage',
        Resource: ['arn:aws:sqs:*:*:a-*', 'arn:aws:sqs:*:*:c-*']
      },
      { Effect: 'Deny', Action: 'sqs:SendMessage', Resource: 'arn:aws:sqs:*:*:c-*' }
    )
    const asked = async (ResourceArns: string[]) => {
      const { EvaluationResults = [] } = await admin.send(
        new SimulatePrincipalPolicyCommand({
          PolicySourceArn: 'arn:aws:iam::111122223333:role/limited',
          ActionNames: ['sqs:SendMessage'],
          ResourceArns
        })
      )
      return EvaluationResults.map((one) => [
        one.EvalResourceName,
        one.EvalDecision,
        one.ResourceSpecificResults?.map((own) => own.EvalResourceDecision)
      ])
    }
    const [a, b, c] = [
      'arn:aws:sqs:us-west-2:111122223333:a-x',
      'arn:aws:sqs:us-west-2:111122223333:b-x',
      'arn:aws:sqs:us-west-2:111122223333:c-x'
    ]
    expect(await asked([a, b, c])).toEqual([
      [
        'arn:${Partition}:sqs:${Region}:${Account}:${QueueName}',
        'explicitDeny',
        ['allowed', 'implicitDeny', 'explicitDeny']
      ]
    ])
    expect(await asked([a])).toEqual([[a, 'allowed', ['allowed']]])
  })

  it('are not foretold together for actions that need different authorization information', async () => {
    limited({ Effect: 'Allow', Action: 'iam:PassRole', Resource: '*' })
    const ask = async (...ActionNames: string[]) =>
      admin.send(
        new SimulatePrincipalPolicyCommand({
          PolicySourceArn: 'arn:aws:iam::111122223333:role/limited',
          ActionNames
        })
      )
    expect(await refusalOf(ask('iam:PassRole', 'sts:AssumeRole'))).toBe(
      'InvalidInputException: Invalid Input Actions: [sts:AssumeRole] and [iam:PassRole] require different authorization information.'
    )
    expect((await ask('iam:PassRole')).EvaluationResults?.[0]?.EvalDecision).toBe('allowed')
  })

  it('are not foretold of a session, nor to whom that is not allowed', async () => {
    const simulate = (client: IAMClient, PolicySourceArn: string) =>
      refusalOf(
        client.send(new SimulatePrincipalPolicyCommand({ PolicySourceArn, ActionNames: ['iam:GetRole'] }))
      )
    expect(await simulate(admin, user)).toMatch(/^InvalidInputException: Invalid Entity Arn/)
    const client = limited({ Effect: 'Allow', Action: 'iam:GetRole', Resource: '*' })
    expect(await simulate(client, 'arn:aws:iam::111122223333:role/limited')).toMatch(
      /^AccessDenied: .*iam:SimulatePrincipalPolicy/
    )
  })

  it('are answered for a role with many statements, each by its own', () => {
    const policies = Array.from({ length: 30 }, (_, index) => ({
      Effect: 'Allow',
      Action: ['ec2:RunInstances', 'ec2:CreateFleet'],
      Resource: `arn:aws:ec2:*:*:instance/${index}`,
      Condition: { StringEquals: { 'aws:RequestTag/a': 'b' } }
    }))
    limited(...policies, { Effect: 'Allow', Action: 'iam:GetRole', Resource: '*' })
    const role = cloud.iam.role('limited')
    const question = { action: 'iam:GetRole', resource: role.arn }
    const caller = {
      arn: 'arn:aws:sts::111122223333:assumed-role/limited/x1',
      accountId,
      userId: `${role.id}:x1`,
      roleArn: role.arn,
      expiresAt: Infinity
    }
    const asker = { caller, region, tags: {} }
    expect(decide(cloud.iam, asker, question).allowed).toBe(true)
    expect(decide(cloud.iam, asker, { ...question, action: 'iam:DeleteRole' }).allowed).toBe(false)
  })
})
