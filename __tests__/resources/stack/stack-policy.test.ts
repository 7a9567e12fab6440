import {
  CreatePolicyCommand,
  CreatePolicyVersionCommand,
  DeletePolicyCommand,
  DeletePolicyVersionCommand,
  SetDefaultPolicyVersionCommand
} from '@aws-sdk/client-iam'
import { stackPolicy } from '../../../src/resources/stack/stack-policy.js'
import { failure } from '../../aws/failure.js'
import { recordedStep } from '../../aws/stand-in.js'
import { startAccount, type TestAccount } from '../account.js'
import { inspect, install, ownership, ofStack } from '../walk-one.js'

const launch = {
  Sid: 'Launch',
  Effect: 'Allow',
  Action: ['ec2:RunInstances', 'ec2:CreateFleet'],
  Resource: '*'
}
const prices = { Sid: 'Prices', Effect: 'Allow', Action: 'pricing:GetProducts', Resource: '*' }
const policy = (...statements: readonly object[]) => ({ Version: '2012-10-17', Statement: statements })
const wanted = {
  clusterName: 'blue',
  name: 'KarpenterController-blue',
  arn: 'arn:aws:iam::111122223333:policy/own/KarpenterController-blue',
  document: policy(launch, prices)
}

let home: TestAccount
let kept: Record<string, string>
beforeEach(async () => {
  home = await startAccount()
  kept = {}
})
afterEach(async () => home.close())

const theirs = (likely?: 'absent') =>
  stackPolicy(wanted, {
    aws: home.aws,
    ...(likely !== undefined && { likely }),
    ownership,
    stackName: 'Karpenter-blue',
    stackTags: async () => ({ 'setup-karpenter:owner': 'blue' }),
    keep: (name, text) => void (kept[name] = text)
  })
const actions = () => home.cloud.calls().map(({ action }) => action)

/** What the stack does. */
async function make(document: object = wanted.document): Promise<void> {
  const iam = await home.aws.iam()
  await iam.send(
    new CreatePolicyCommand({
      PolicyName: wanted.name,
      Path: '/own/',
      PolicyDocument: JSON.stringify(document)
    })
  )
}

/** What somebody else does. */
async function edit(document: object): Promise<void> {
  const iam = await home.aws.iam()
  await iam.send(
    new CreatePolicyVersionCommand({
      PolicyArn: wanted.arn,
      PolicyDocument: JSON.stringify(document),
      SetAsDefault: true
    })
  )
}

const inForce = () => {
  const version = home.cloud.iam.policy(wanted.arn).versions.find(({ isDefault }) => isDefault)
  const document: unknown = JSON.parse(version?.document ?? '')
  return { id: version?.id, document }
}

describe('A managed policy of the stack', () => {
  it('that says the same in other words is as wanted, for one request', async () => {
    await make(policy({ ...prices, Action: ['Pricing:GetProducts'], Resource: ['*'] }, launch))
    home.cloud.clearCalls()
    expect((await inspect(theirs())).state).toBe('as wanted')
    expect(actions()).toEqual(['GetPolicyVersion'])
  })

  it('that was likely not there is known to be absent by one request, and read all the same where it is', async () => {
    expect((await inspect(theirs('absent'))).state).toBe('absent')
    expect(actions()).toEqual(['GetPolicy'])
    await make()
    home.cloud.clearCalls()
    expect((await inspect(theirs('absent'))).state).toBe('as wanted')
    expect(actions()).toEqual(['GetPolicy', 'GetPolicyVersion'])
  })

  it('that says the same in a later version is as wanted, and the first version is not taken for it', async () => {
    await make(policy(launch))
    await edit(wanted.document)
    home.cloud.clearCalls()
    expect((await inspect(theirs())).state).toBe('as wanted')
    expect(actions()).toEqual(['GetPolicyVersion', 'GetPolicy', 'GetPolicyVersion'])
  })

  it('that went back to its first version is read by that, and of the later one nothing is said', async () => {
    await make()
    await edit(policy(launch))
    const iam = await home.aws.iam()
    await iam.send(new SetDefaultPolicyVersionCommand({ PolicyArn: wanted.arn, VersionId: 'v1' }))
    expect((await inspect(theirs())).state).toBe('as wanted')
  })

  it('whose first version has made room for later ones is read all the same', async () => {
    await make(policy(launch))
    await edit(wanted.document)
    const iam = await home.aws.iam()
    await iam.send(new DeletePolicyVersionCommand({ PolicyArn: wanted.arn, VersionId: 'v1' }))
    expect((await inspect(theirs())).state).toBe('as wanted')
  })

  it('that the stack makes meanwhile is left to it, without a line', async () => {
    const before = await inspect(theirs())
    expect(before).toMatchObject({ state: 'absent', differences: [{ severity: 'breaks scaling' }] })
    await make()
    home.cloud.clearCalls()
    const step = recordedStep()
    await before.apply(step)
    expect(step.lines).toEqual([])
    expect(home.cloud.calls().filter(({ write }) => write)).toEqual([])
  })

  it('has one difference a statement: what is missing breaks scaling, what is added weakens security', async () => {
    await make(policy({ ...launch, Action: 'ec2:RunInstances' }, { ...prices, Action: '*' }))
    await edit(policy({ ...launch, Action: 'ec2:RunInstances' }, { ...prices, Sid: 'More', Action: 's3:*' }))
    const { differences } = await inspect(theirs())
    expect(differences.map(({ path, severity }) => [path, severity])).toEqual([
      ['Launch', 'breaks scaling'],
      ['Prices', 'breaks scaling'],
      ['More', 'weakens security']
    ])
    expect(differences[0]).toMatchObject({ wanted: launch, live: { ...launch, Action: 'ec2:RunInstances' } })
    expect(differences[0]?.reason).toMatch(
      /^statement Launch of version v2 \(.+Z\) lacks Action: ec2:CreateFleet$/
    )
    expect(differences[1]?.live).toBeUndefined()
    expect(differences[2]?.wanted).toBeUndefined()
  })

  it('that was edited is put back, once', async () => {
    await make()
    await edit(policy(launch, { ...prices, Action: '*' }))
    const { before, after, step } = await install(theirs())
    expect(before.differences).toMatchObject([{ path: 'Prices', severity: 'weakens security' }])
    expect(after.state).toBe('as wanted')
    expect(step.lines).toEqual([
      'put IAM policy KarpenterController-blue back to what the stack has, instead of version v2'
    ])
    expect(inForce()).toEqual({ id: 'v3', document: wanted.document })
    home.cloud.clearCalls()
    await install(theirs())
    expect(home.cloud.calls().filter(({ write }) => write)).toEqual([])
  })

  it('with five versions loses the oldest that is not in force, whose text is kept', async () => {
    await make(policy(launch))
    for (const service of ['s3', 'sqs', 'sns', 'kms'])
      await edit(policy({ ...launch, Action: `${service}:*` }))
    const { after, step } = await install(theirs())
    expect(after.state).toBe('as wanted')
    expect(home.cloud.iam.policy(wanted.arn).versions.map(({ id }) => id)).toEqual([
      'v6',
      'v5',
      'v4',
      'v3',
      'v2'
    ])
    expect(kept).toEqual({ 'version v1 of policy KarpenterController-blue': JSON.stringify(policy(launch)) })
    expect(step.notes).toHaveLength(1)
  })

  it('that was deleted is made again under the same ARN', async () => {
    await make()
    const iam = await home.aws.iam()
    await iam.send(new DeletePolicyCommand({ PolicyArn: wanted.arn }))
    const { after, step } = await install(theirs())
    expect(after.state).toBe('as wanted')
    expect(step.lines).toEqual(['created IAM policy KarpenterController-blue again'])
    expect(inForce().document).toEqual(wanted.document)
  })

  it('that may not be read is unknown, names the action, and is left as it is', async () => {
    home.cloud.setFaults([
      {
        service: 'iam',
        action: 'GetPolicyVersion',
        effect: {
          kind: 'error',
          code: 'AccessDenied',
          message: 'User: x is not authorized to perform: iam:GetPolicyVersion on resource: y',
          status: 403
        }
      }
    ])
    await make()
    const inspection = await inspect(theirs())
    expect(inspection.unreadable?.missingPermission).toBe('iam:GetPolicyVersion')
    const error = await failure(inspection.apply(recordedStep()))
    expect(error.fix).toContain('iam:GetPolicyVersion')
  })

  // The SDK takes every LimitExceeded for throttling and tries again.
  it('that IAM does not take says what to do about it', async () => {
    await make(policy(launch))
    home.cloud.setFaults([
      {
        service: 'iam',
        action: 'CreatePolicyVersion',
        effect: {
          kind: 'error',
          code: 'LimitExceeded',
          message: 'Cannot exceed quota for PolicySize: 6144',
          status: 409
        }
      }
    ])
    const error = await failure(install(theirs()))
    expect(error.message).toMatch(/^IAM policy KarpenterController-blue: could not be put right: /)
    expect(error.fix).toContain('quotas')
  }, 20_000)

  it('that another role has as well keeps the removal from the stack, and says which', async () => {
    await make()
    home.cloud.iam.putRole({ name: 'other', trust: policy(), attached: [wanted.arn] })
    const error = await failure(theirs().remove(recordedStep(), ofStack()))
    expect(error.message).toContain(
      'is used by role other as well, so stack Karpenter-blue cannot be deleted'
    )
    expect(home.cloud.iam.policies.get(wanted.arn)).toBeDefined()
  })

  it('is not deleted by a removal of its own: the stack does that', async () => {
    await make()
    home.cloud.clearCalls()
    await theirs().remove(recordedStep(), ofStack())
    expect(home.cloud.calls().filter(({ write }) => write)).toEqual([])
    const iam = await home.aws.iam()
    await iam.send(new DeletePolicyCommand({ PolicyArn: wanted.arn }))
    expect(await theirs().remove(recordedStep(), ofStack())).toEqual({ outcome: 'absent' })
  })
})
