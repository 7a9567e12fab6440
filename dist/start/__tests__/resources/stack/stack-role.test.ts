import {
  AttachRolePolicyCommand,
  DeleteRoleCommand,
  DetachRolePolicyCommand,
  PutRolePermissionsBoundaryCommand,
  PutRolePolicyCommand,
  UpdateAssumeRolePolicyCommand
} from '@aws-sdk/client-iam'
import { stackRole, type StackRoleWanted } from '../../../src/resources/stack/stack-role.js'
import { failure } from '../../aws/failure.js'
import { recordedStep } from '../../aws/stand-in.js'
import { startAccount, type TestAccount } from '../account.js'
import { inspect, install, ownership, ofStack } from '../walk-one.js'

const trusts = (...services: readonly string[]) => ({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { Service: services }, Action: 'sts:AssumeRole' }]
})
const allow = (Action: string) => ({
  Version: '2012-10-17',
  Statement: [{ Sid: 'One', Effect: 'Allow', Action, Resource: '*' }]
})
const aws = (name: string): string => `arn:aws:iam::aws:policy/${name}`
const tags = { team: 'platform', 'setup-karpenter:owner': 'blue' }
const stackTags = { ...tags, 'setup-karpenter:run': ownership.run, 'aws:cloudformation:stack-name': 'K' }

const wanted: StackRoleWanted = {
  clusterName: 'blue',
  name: 'KarpenterNodeRole-blue',
  arn: 'arn:aws:iam::111122223333:role/KarpenterNodeRole-blue',
  trust: trusts('ec2.amazonaws.com'),
  policyArns: [aws('AmazonEKS_CNI_Policy'), aws('AmazonEKSWorkerNodePolicy')],
  inline: { logs: allow('logs:PutLogEvents') },
  tags
}

let home: TestAccount
let kept: Record<string, string>
beforeEach(async () => {
  home = await startAccount()
  kept = {}
})
afterEach(async () => home.close())

const theirs = (want: StackRoleWanted = wanted, ofStack: Readonly<Record<string, string>> = stackTags) =>
  stackRole(want, {
    aws: home.aws,
    ownership,
    stackName: 'Karpenter-blue',
    stackTags: async () => ofStack,
    keep: (name, text) => void (kept[name] = text)
  })
const writes = () => home.cloud.calls().filter(({ write }) => write)

/** What the stack does. */
function make(change: Partial<Parameters<TestAccount['cloud']['iam']['putRole']>[0]> = {}): void {
  home.cloud.iam.putRole({
    name: wanted.name,
    trust: wanted.trust,
    attached: wanted.policyArns ?? [],
    inline: wanted.inline,
    tags,
    ...change
  })
  home.cloud.clearCalls()
}

const RoleName = wanted.name
const role = () => home.cloud.iam.role(wanted.name)

describe('A role of the stack', () => {
  it('as the stack made it is as wanted, for a request to each of its parts', async () => {
    make({ inline: {} })
    expect((await inspect(theirs({ ...wanted, inline: {} }))).state).toBe('as wanted')
    expect(
      home.cloud
        .calls()
        .map(({ action }) => action)
        .toSorted()
    ).toEqual(['GetRole', 'ListAttachedRolePolicies', 'ListRolePolicies'])
  })

  it('that the stack makes meanwhile is left to it, without a line', async () => {
    const before = await inspect(theirs())
    expect(before.state).toBe('absent')
    make()
    const step = recordedStep()
    await before.apply(step)
    expect([step.lines, writes()]).toEqual([[], []])
  })

  it('changed in all its parts has a difference for each, and is put back, texts kept', async () => {
    make()
    const iam = await home.aws.iam()
    await iam.send(
      new UpdateAssumeRolePolicyCommand({
        RoleName,
        PolicyDocument: JSON.stringify(trusts('ec2.amazonaws.com', 'lambda.amazonaws.com'))
      })
    )
    const [cni] = wanted.policyArns ?? []
    await iam.send(new DetachRolePolicyCommand({ RoleName, PolicyArn: cni }))
    const PolicyArn = aws('AdministratorAccess')
    await iam.send(new AttachRolePolicyCommand({ RoleName, PolicyArn }))
    await iam.send(new PutRolePermissionsBoundaryCommand({ RoleName, PermissionsBoundary: PolicyArn }))
    const put = async (PolicyName: string, document: object) =>
      iam.send(new PutRolePolicyCommand({ RoleName, PolicyName, PolicyDocument: JSON.stringify(document) }))
    await put('logs', allow('logs:*'))
    await put('debug', allow('s3:*'))
    home.cloud.iam.roles.set(RoleName, {
      ...role(),
      tags: role().tags.map(({ Key, Value }) => ({ Key, Value: Key === 'team' ? 'other' : Value }))
    })

    const { before, after, step } = await install(theirs())
    expect(before.differences.map(({ path, severity }) => [path, severity])).toEqual([
      ['trust.Allow sts:assumerole Service=ec2.amazonaws.com', 'weakens security'],
      ['policies.AmazonEKS_CNI_Policy', 'breaks scaling'],
      ['furtherPolicies.AdministratorAccess', 'weakens security'],
      ['inline.logs.One', 'weakens security'],
      ['inline.debug', 'weakens security'],
      ['tags.team', 'cosmetic']
    ])
    expect(after.state).toBe('as wanted')
    expect(step.lines).toHaveLength(6)
    expect(role().boundary).toBe(PolicyArn)
    expect(after.notes).toEqual([
      `the permissions boundary ${PolicyArn}, which nothing asks for, stays (\`permissions-boundary: none\` takes it off)`
    ])
    expect(kept).toEqual({
      'trust policy of role KarpenterNodeRole-blue': JSON.stringify(
        trusts('ec2.amazonaws.com', 'lambda.amazonaws.com')
      ),
      'inline policy logs of role KarpenterNodeRole-blue': JSON.stringify(allow('logs:*')),
      'inline policy debug of role KarpenterNodeRole-blue': JSON.stringify(allow('s3:*'))
    })
    home.cloud.clearCalls()
    await install(theirs())
    expect(writes()).toEqual([])
  })

  it('that was deleted is made again, with its policies and the tags of the stack', async () => {
    make({ attached: [], inline: {} })
    const iam = await home.aws.iam()
    await iam.send(new DeleteRoleCommand({ RoleName }))
    const { after, step } = await install(theirs())
    expect(after.state).toBe('as wanted')
    expect(step.lines[0]).toBe('created IAM role KarpenterNodeRole-blue again')
    expect(Object.fromEntries(role().tags.map(({ Key, Value }) => [Key, Value]))).toEqual({
      ...tags,
      'setup-karpenter:run': ownership.run
    })
  })

  it('with another boundary than the one that is wanted gets that one back', async () => {
    const PermissionsBoundary = aws('AdministratorAccess')
    make()
    const { before, after } = await install(theirs({ ...wanted, permissionsBoundary: PermissionsBoundary }))
    expect(before.differences).toMatchObject([{ path: 'permissionsBoundary', severity: 'weakens security' }])
    expect(after.state).toBe('as wanted')
  })

  it('loses a boundary that somebody put there when none is asked for, and then alone', async () => {
    const PermissionsBoundary = aws('AdministratorAccess')
    make()
    const iam = await home.aws.iam()
    await iam.send(new PutRolePermissionsBoundaryCommand({ RoleName, PermissionsBoundary }))
    const { before, after, step } = await install(theirs({ ...wanted, permissionsBoundary: 'none' }))
    expect(before.differences).toMatchObject([{ path: 'permissionsBoundary', severity: 'breaks scaling' }])
    expect(step.lines).toEqual([`took the permissions boundary ${PermissionsBoundary} off ${RoleName}`])
    expect(after).toMatchObject({ state: 'as wanted', notes: [] })
  })

  it('of a stack that is not ours keeps what others put on it', async () => {
    make({
      attached: [...(wanted.policyArns ?? []), aws('CloudWatchAgentServerPolicy')],
      inline: { ...wanted.inline, secrets: allow('secretsmanager:GetSecretValue') },
      tags: {}
    })
    expect((await inspect(theirs(wanted, {}))).state).toBe('as wanted')
  })

  it('of a stack that is not ours has tags of its own', async () => {
    make({ tags: { team: 'other' } })
    expect((await inspect(theirs())).state).toBe('as wanted')
  })

  it('under another path is refused before anything is written', async () => {
    make({ path: '/own/' })
    const inspection = await inspect(theirs())
    expect(inspection.refusal?.message).toMatch(/^node-role-name: the role .+ exists under another path/)
    const error = await failure(inspection.apply(recordedStep()))
    expect(error.state).toBe('Nothing was changed.')
    expect(writes()).toEqual([])
  })

  it('is rid of what would keep the stack from deleting it; the role itself is the stack’s to delete', async () => {
    make({ attached: [...(wanted.policyArns ?? []), aws('AdministratorAccess')] })
    const step = recordedStep()
    await theirs().remove(step, ofStack())
    expect(step.lines).toEqual(['detached AdministratorAccess from KarpenterNodeRole-blue'])
    expect(role().attached).toEqual(wanted.policyArns)
  })

  it('of a stack that is not ours keeps what it has in a removal', async () => {
    make({ attached: [aws('AdministratorAccess')] })
    expect(await theirs(wanted, {}).remove(recordedStep(), ofStack('kept'))).toMatchObject({
      outcome: 'kept'
    })
    expect(writes()).toEqual([])
  })
})
