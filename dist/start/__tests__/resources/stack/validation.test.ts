import { DescribeStacksCommand } from '@aws-sdk/client-cloudformation'
import { DescribeEventsCommand } from '../../../src/aws/sdk/cloudformation.js'
import { whyNotPlanned } from '../../../src/aws/change-set-failure.js'
import { stack } from '../../../src/resources/stack/stack.js'
import type { StackWanted } from '../../../src/resources/stack/stack-differences.js'
import { failure } from '../../aws/failure.js'
import { awsWith, Refusal } from '../../aws/stand-in.js'
import { nobodyTrusted } from '../../sandbox/cloud/clients.js'
import { startAccount, type TestAccount } from '../account.js'
import { install, ownership } from '../walk-one.js'

let home: TestAccount
beforeEach(async () => {
  home = await startAccount()
})
afterEach(async () => home.close())

const role = { Type: 'AWS::IAM::Role', Properties: { AssumeRolePolicyDocument: nobodyTrusted } }
const named = (RoleName: string, more: object = {}) => ({
  ...role,
  Properties: { ...role.Properties, RoleName, ...more }
})

const of = (resources: object): StackWanted => ({
  clusterName: 'blue',
  name: 'Karpenter-blue',
  template: JSON.stringify({ Resources: resources }),
  resources: {},
  parameters: {},
  tags: { 'setup-karpenter:owner': 'blue' },
  capabilities: ['CAPABILITY_NAMED_IAM']
})

const put = async (wanted: StackWanted) => install(stack(wanted, { aws: home.aws, ownership }))

/** Statuses of the stacks of that name that are there. */
async function status(): Promise<string | undefined> {
  const cloudformation = await home.aws.cloudformation()
  return cloudformation.send(new DescribeStacksCommand({ StackName: 'Karpenter-blue' })).then(
    ({ Stacks }) => Stacks?.[0]?.StackStatus,
    () => undefined
  )
}

const validationOf = (name: string): string =>
  `CloudFormation cannot plan the change: The following hook(s)/validation failed: [AWS::EarlyValidation::${name}]. To troubleshoot Early Validation errors, use the DescribeEvents API for detailed failure information.`

describe('A change that CloudFormation refuses before it is planned', () => {
  it('for its properties names each of them and where, and takes no name for taken', async () => {
    const error = await failure(
      put(of({ Nodes: named('nodes', { RoleNaem: 'x' }), Empty: { Type: role.Type } }))
    )
    expect(error.message).toBe(
      `CloudFormation stack Karpenter-blue: ${validationOf('PropertyValidation')}
    Nodes (AWS::IAM::Role): Unsupported property [RoleNaem] (at /Resources/Nodes/Properties/RoleNaem)
    Empty (AWS::IAM::Role): Required property [AssumeRolePolicyDocument] not found (at /Resources/Empty/Properties)`
    )
    expect(error.fix).toMatch(/^Correct that property in the template/)
    expect(error.fix).not.toContain('delete it')
    expect(await status()).toBeUndefined()
  })

  it('for a name that is taken names the resource, and leaves no empty stack of this run', async () => {
    home.cloud.iam.putRole({ name: 'nodes', trust: nobodyTrusted })
    const error = await failure(put(of({ Nodes: named('nodes') })))
    expect(error.message).toContain(
      `${validationOf('ResourceExistenceCheck')}\n    Nodes (AWS::IAM::Role): Resource of type 'AWS::IAM::Role' with identifier 'nodes' already exists.`
    )
    expect(error.fix).toMatch(/^A resource of that name exists outside the stack: delete it/)
    expect(await status()).toBeUndefined()
    expect(home.cloud.calls().map(({ action }) => action)).toContain('DeleteStack')
  })

  it('leaves a stack that was there as it was', async () => {
    await put(of({ Nodes: named('nodes') }))
    home.cloud.iam.putRole({ name: 'more', trust: nobodyTrusted })
    const error = await failure(put(of({ Nodes: named('nodes'), More: named('more') })))
    expect(error.message).toContain("identifier 'more' already exists")
    expect(await status()).toBe('CREATE_COMPLETE')
  })

  it('leaves an empty stack that somebody else is about to fill', async () => {
    const { CreateChangeSetCommand } = await import('@aws-sdk/client-cloudformation')
    const cloudformation = await home.aws.cloudformation()
    await cloudformation.send(
      new CreateChangeSetCommand({
        StackName: 'Karpenter-blue',
        ChangeSetName: 'theirs',
        ChangeSetType: 'CREATE',
        TemplateBody: of({ Nodes: role }).template,
        Capabilities: ['CAPABILITY_IAM']
      })
    )
    home.cloud.iam.putRole({ name: 'nodes', trust: nobodyTrusted })
    await failure(put(of({ Nodes: named('nodes') })))
    expect(await status()).toBe('REVIEW_IN_PROGRESS')
  })

  it('says which permission it takes to be told which resource it is', async () => {
    home.cloud.iam.putRole({ name: 'nodes', trust: nobodyTrusted })
    home.cloud.setFaults([
      {
        service: 'cloudformation',
        action: 'DescribeEvents',
        effect: {
          kind: 'error',
          code: 'AccessDenied',
          message:
            'User: arn:aws:sts::111122223333:assumed-role/deployer/run is not authorized to perform: cloudformation:DescribeEvents on resource: arn:x because no identity-based policy allows the cloudformation:DescribeEvents action',
          status: 403
        }
      }
    ])
    const error = await failure(put(of({ Nodes: named('nodes') })))
    expect(error.message).toContain(
      "\n    which resource it is the run's role may not read: allow it cloudformation:DescribeEvents"
    )
    expect(error.fix).toMatch(/^A resource of that name exists/)
  })
})

describe('A hook of the account that refuses a change', () => {
  const hook = 'AWS::ControlTower::Hook'
  const event = {
    EventType: 'HOOK_INVOCATION_ERROR',
    HookType: hook,
    HookStatus: 'HOOK_COMPLETE_FAILED',
    HookStatusReason: '[CT.IAM.PR.1]: require a boundary',
    LogicalResourceId: 'Nodes',
    ResourceType: 'AWS::IAM::Role'
  }

  it('is named with its reason, from every page of the events', async () => {
    const { aws, server, close } = await awsWith({
      DescribeEvents: (input) =>
        input['NextToken'] === undefined
          ? { OperationEvents: [{ EventType: 'STACK_EVENT' }], NextToken: 'more' }
          : { OperationEvents: [event, event] }
    })
    const error = await whyNotPlanned(aws, {
      stackName: 'Karpenter-blue',
      changeSetId: 'arn:changeset',
      reason: `The following hook(s) failed: [${hook}]`
    })
    expect(error.message).toBe(
      `CloudFormation stack Karpenter-blue: CloudFormation cannot plan the change: The following hook(s) failed: [${hook}]\n    Nodes (AWS::IAM::Role): hook ${hook}: [CT.IAM.PR.1]: require a boundary`
    )
    expect(error.fix).toContain(`ask whoever keeps ${hook}`)
    expect(server.inputs[0]).toMatchObject({ ChangeSetName: 'arn:changeset', 'Filters.FailedEvents': 'true' })
    await close()
  })

  it('does not hide the refusal when the events cannot be read', async () => {
    const { aws, close } = await awsWith({
      DescribeEvents: () => {
        throw new Refusal('ValidationError', 'no such change set')
      }
    })
    const error = await whyNotPlanned(aws, { stackName: 'K', changeSetId: 'arn:c', reason: 'because' })
    expect(error.message).toBe(
      'CloudFormation stack K: CloudFormation cannot plan the change: because\n    which resource it is could not be read'
    )
    await close()
  })
})

test('DescribeEvents of the stand-in wants the ARN of a change set', async () => {
  const cloudformation = await home.aws.cloudformation()
  const asked = cloudformation.send(new DescribeEventsCommand({ ChangeSetName: 'setup-karpenter' }))
  await expect(asked).rejects.toThrow('One of ChangeSetName, OperationId or StackName must be specified')
})
