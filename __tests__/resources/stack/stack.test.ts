import { stack } from '../../../src/resources/stack/stack.js'
import type { StackWanted } from '../../../src/resources/stack/stack-differences.js'
import { awsWith, recordedStep, Refusal } from '../../aws/stand-in.js'
import { failure } from '../../aws/failure.js'
import { cloudformation, type State } from './cloudformation.js'
import { inspect, install, ownership, unrecorded } from '../walk-one.js'

const template = `Resources:
  KarpenterNodeRole:
    Type: AWS::IAM::Role
    Properties:
      RoleName: !Sub "KarpenterNodeRole-\${ClusterName}"
  Queue:
    Type: AWS::SQS::Queue
`

const wanted: StackWanted = {
  clusterName: 'blue',
  name: 'Karpenter-blue',
  template,
  resources: { KarpenterNodeRole: 'KarpenterNodeRole-blue', Queue: 'blue' },
  parameters: { ClusterName: 'blue' },
  tags: { team: 'platform', 'setup-karpenter:owner': 'blue' },
  capabilities: ['CAPABILITY_NAMED_IAM']
}

const ours = { ...wanted.tags, 'setup-karpenter:run': 'earlier' }

async function withStack(state: State) {
  const { aws, server, close } = await awsWith(cloudformation(state))
  return { resource: stack(wanted, { aws, ownership }), server, close }
}

describe('The CloudFormation stack', () => {
  it('is created by a change set whose changes are shown first, and tagged', async () => {
    // Six seconds of it, at a look every 0.4 s.
    const longer = Array.from({ length: 15 }, () => 'CREATE_IN_PROGRESS')
    const state: State = { outcome: [...longer, 'CREATE_COMPLETE'] }
    const { resource, server, close } = await withStack(state)
    const { before, after, step } = await install(resource)
    expect(before.state).toBe('absent')
    expect(after.state).toBe('as wanted')
    expect(step.notes).toEqual(['create IAM role KarpenterNodeRole-blue', 'create SQS queue blue'])
    expect(step.lines).toEqual(['created CloudFormation stack Karpenter-blue (2 resources)'])
    expect(step.waits.at(-1)).toBe(
      'CloudFormation stack Karpenter-blue CREATE_IN_PROGRESS: 1 of 2 resources, Queue in progress'
    )
    expect(state.tags).toEqual({ ...wanted.tags, 'setup-karpenter:run': ownership.run })
    expect(server.inputs[server.calls.indexOf('CreateChangeSet')]).toMatchObject({
      'Capabilities.member.1': 'CAPABILITY_NAMED_IAM',
      'Parameters.member.1.ParameterKey': 'ClusterName',
      'Parameters.member.1.ParameterValue': 'blue'
    })
    await close()
  })

  it('that is not there is not looked for again, and says what it has made once all of it is', async () => {
    const { aws, server, close } = await awsWith(cloudformation({}))
    const told: (readonly string[])[] = []
    const made = (logicalIds: readonly string[]): void => void told.push(logicalIds)
    await install(stack(wanted, { aws, ownership, made }))
    expect(told).toEqual([['KarpenterNodeRole', 'Queue']])
    const beforeItsChange = server.calls.slice(0, server.calls.indexOf('CreateChangeSet'))
    expect(beforeItsChange.filter((call) => call === 'DescribeStacks')).toHaveLength(1)
    await close()
  })

  it('that fails, or is there already, has made nothing in this run', async () => {
    const told: (readonly string[])[] = []
    const made = (logicalIds: readonly string[]): void => void told.push(logicalIds)
    const failing = await awsWith(cloudformation({ outcome: ['ROLLBACK_COMPLETE'] }))
    await failure(install(stack(wanted, { aws: failing.aws, ownership, made })))
    await failing.close()
    const older = { status: 'CREATE_COMPLETE', template: 'Resources: {}', tags: ours }
    const updated = await awsWith(cloudformation(older))
    await install(stack(wanted, { aws: updated.aws, ownership, made }))
    await updated.close()
    expect(told).toEqual([])
  })

  it.each([
    ['is under way', undefined],
    ['is done already', ['CREATE_COMPLETE']]
  ])('whose change %s by a try whose answer was lost is waited for', async (_how, next) => {
    const state: State = {}
    const played = cloudformation(state)
    let tries = 0
    const { aws, close } = await awsWith({
      ...played,
      // One that does not know a call again by its token.
      ExecuteChangeSet: (input) => {
        if (++tries > 1) {
          throw new Refusal('InvalidChangeSetStatus', 'cannot be executed in its current status', 400)
        }
        played['ExecuteChangeSet']?.(input)
        if (next !== undefined) state.next = next
        throw new Refusal('InternalFailure', 'lost', 500)
      }
    })
    const { after, step } = await install(stack(wanted, { aws, ownership }))
    expect(after.state).toBe('as wanted')
    expect(tries).toBe(2)
    expect(step.lines).toEqual(['created CloudFormation stack Karpenter-blue (2 resources)'])
    await close()
  })

  it('whose change cannot be executed, and was not begun, says so', async () => {
    const { aws, close } = await awsWith({
      ...cloudformation({}),
      ExecuteChangeSet: () => {
        throw new Refusal('InvalidChangeSetStatus', 'cannot be executed in its current status', 400)
      }
    })
    const resource = stack(wanted, { aws, ownership })
    expect(await failure(install(resource))).toMatchObject({
      message: expect.stringContaining('InvalidChangeSetStatus') as unknown
    })
    await close()
  })

  it('that is as wanted costs two calls and no write', async () => {
    const { resource, server, close } = await withStack({ status: 'CREATE_COMPLETE', template, tags: ours })
    expect((await inspect(resource)).state).toBe('as wanted')
    expect(server.calls.toSorted()).toEqual(['DescribeStacks', 'GetTemplate'])
    await close()
  })

  it('with another template is updated, and keeps its tags', async () => {
    const old = template.replace('AWS::SQS::Queue', 'AWS::SNS::Topic')
    const state: State = { status: 'CREATE_COMPLETE', template: old, tags: { ...ours, own: 'x' } }
    const { resource, close } = await withStack(state)
    const { before, after, step } = await install(resource)
    expect(before.differences.map((difference) => difference.path)).toEqual(['template.Queue'])
    expect(after.state).toBe('as wanted')
    expect(state.tags).toEqual({ ...ours, own: 'x' })
    expect(step.lines).toEqual(['updated CloudFormation stack Karpenter-blue (2 resources)'])
    await close()
  })

  it('of somebody else is updated without becoming ours', async () => {
    const state: State = { status: 'CREATE_COMPLETE', template: 'Resources: {}', tags: { own: 'x' } }
    const { resource, close } = await withStack(state)
    expect((await install(resource)).after.state).toBe('as wanted')
    expect(state.tags).toEqual({ own: 'x' })
    expect(await resource.remove(recordedStep(), unrecorded)).toMatchObject({ outcome: 'kept' })
    await close()
  })

  it('whose change set a killed run left behind is planned anew', async () => {
    const state: State = {
      status: 'REVIEW_IN_PROGRESS',
      tags: ours,
      changeSet: { type: 'CREATE', template: 'old', tags: {}, changes: true }
    }
    const { resource, close } = await withStack(state)
    const { after } = await install(resource)
    expect(after.state).toBe('as wanted')
    expect(state.template).toBe(template)
    await close()
  })

  it('that another run is creating is waited for', async () => {
    const state: State = {
      status: 'CREATE_IN_PROGRESS',
      template,
      tags: ours,
      next: ['CREATE_IN_PROGRESS', 'CREATE_IN_PROGRESS', 'CREATE_IN_PROGRESS', 'CREATE_COMPLETE']
    }
    const { resource, server, close } = await withStack(state)
    const { after, step } = await install(resource)
    expect(after.state).toBe('as wanted')
    expect(step.notes.some((line) => line.includes('waiting for whoever works on it'))).toBe(true)
    expect(step.lines).toEqual([])
    expect(server.calls).not.toContain('CreateChangeSet')
    await close()
  })

  it.each([
    [
      'a role that was made a moment ago',
      'Role arn:aws:iam::111122223333:role/stack is invalid or cannot be assumed',
      2
    ],
    ['what somebody else began', `Stack:arn:x is in UPDATE_IN_PROGRESS state and can not be updated.`, 30]
  ])('that CloudFormation does not take for %s is planned when it does', async (_what, message, times) => {
    const state: State = {}
    const handlers = cloudformation(state)
    let refusals = times
    const { aws, close } = await awsWith({
      ...handlers,
      CreateChangeSet: (input) => {
        if (refusals-- > 0) throw new Refusal('ValidationError', message)
        return handlers['CreateChangeSet']?.(input)
      }
    })
    const roleArn = 'arn:aws:iam::111122223333:role/stack'
    const { after, step } = await install(stack(wanted, { aws, ownership, roleArn }))
    expect(after.state).toBe('as wanted')
    expect(step.waits[0]).toBe(`CloudFormation stack Karpenter-blue: ${message}`)
    await close()
  })

  it('by a role that CloudFormation never can assume is not waited for longer than a minute', async () => {
    const { aws, close } = await awsWith({
      ...cloudformation({}),
      CreateChangeSet: () => {
        throw new Refusal('ValidationError', 'Role is invalid or cannot be assumed')
      }
    })
    const before = await inspect(
      stack(wanted, { aws, ownership, roleArn: 'arn:aws:iam::111122223333:role/x' })
    )
    const step = recordedStep()
    await expect(before.apply(step)).rejects.toThrow('is invalid or cannot be assumed')
    expect(step.now() - recordedStep().now()).toBeLessThan(70_000)
    await close()
  })

  it('in ROLLBACK_COMPLETE is deleted and created again', async () => {
    const state: State = { status: 'ROLLBACK_COMPLETE', template, tags: ours }
    const { resource, close } = await withStack(state)
    const { before, after, step } = await install(resource)
    expect(before.differences).toMatchObject([{ path: 'status', live: 'ROLLBACK_COMPLETE' }])
    expect(after.state).toBe('as wanted')
    expect(step.lines).toEqual([
      'deleted CloudFormation stack Karpenter-blue, which was ROLLBACK_COMPLETE',
      'created CloudFormation stack Karpenter-blue (2 resources)'
    ])
    await close()
  })

  it('of somebody else that failed and still has resources is left', async () => {
    const state: State = { status: 'ROLLBACK_FAILED', template, tags: {}, resources: ['their-queue'] }
    const { resource, close } = await withStack(state)
    await expect(install(resource)).rejects.toThrow(
      /is ROLLBACK_FAILED, was not made by this action, and still has their-queue/
    )
    expect(state.deletes).toBeUndefined()
    await close()
  })

  it('in UPDATE_ROLLBACK_FAILED is explained and left', async () => {
    const state: State = {
      status: 'UPDATE_ROLLBACK_FAILED',
      template: 'Resources: {}',
      tags: ours,
      events: [{ id: 'Queue', status: 'UPDATE_FAILED', reason: 'is gone' }]
    }
    const { resource, close } = await withStack(state)
    const error = await failure(install(resource))
    expect(error.message).toContain('(Queue: is gone)')
    expect(error.fix).toContain('continue-update-rollback')
    await close()
  })

  it('that cannot go back after a failed update is not said to be as it was', async () => {
    const state: State = {
      status: 'CREATE_COMPLETE',
      template: 'Resources: {}',
      tags: ours,
      outcome: ['UPDATE_ROLLBACK_IN_PROGRESS', 'UPDATE_ROLLBACK_FAILED'],
      events: [{ id: 'Queue', status: 'UPDATE_FAILED', reason: 'no more of them' }]
    }
    const { resource, close } = await withStack(state)
    const error = await failure(install(resource))
    expect(error.state).toBe(
      'The stack is UPDATE_ROLLBACK_FAILED: it could not go back to what it was before, and is in between.'
    )
    expect(error.fix).toContain('aws cloudformation continue-update-rollback --stack-name Karpenter-blue')
    await close()
  })

  it.each([
    ['KarpenterNodeRole-blue already exists', /pass another name/],
    ['User: x is not authorized to perform: iam:CreateRole on resource: y', /Add iam:CreateRole/],
    ['Cannot exceed quota for PolicySize: 6144', /1\.9\.0/]
  ])('that fails names the first failing resource, not those cancelled: %s', async (reason, fix) => {
    const state: State = {
      outcome: ['ROLLBACK_IN_PROGRESS', 'ROLLBACK_COMPLETE'],
      events: [
        { id: 'Queue', status: 'CREATE_FAILED', reason: 'Resource creation cancelled' },
        { id: 'KarpenterNodeRole', type: 'AWS::IAM::Role', status: 'CREATE_FAILED', reason }
      ]
    }
    const { resource, close } = await withStack(state)
    const error = await failure(install(resource))
    expect(error.message).toBe(
      `CloudFormation stack Karpenter-blue: KarpenterNodeRole (AWS::IAM::Role KarpenterNodeRole-blue) failed first: ${reason}`
    )
    expect(error.fix).toMatch(fix)
    expect(error.state).toContain('ROLLBACK_COMPLETE')
    await close()
  })

  it('whose queue was deleted less than a minute ago is created once more a minute after that failed, not after it was rolled back', async () => {
    const state: State = {
      outcome: [...Array.from({ length: 12 }, () => 'ROLLBACK_IN_PROGRESS'), 'ROLLBACK_COMPLETE'],
      events: [
        {
          id: 'Queue',
          status: 'CREATE_FAILED',
          reason:
            'Resource handler returned message: "You must wait 60 seconds after deleting a queue before you can create another with the same name. (Service: Sqs)" (RequestToken: 1, HandlerErrorCode: InvalidRequest)'
        }
      ]
    }
    const { aws, close } = await awsWith({
      ...cloudformation(state),
      DeleteStack: (input) => {
        delete state.outcome
        return cloudformation(state)['DeleteStack']?.(input)
      }
    })
    const resource = stack(wanted, { aws, ownership })
    const { after, step } = await install(resource)
    expect(after.state).toBe('as wanted')
    expect(step.waits).toContain('SQS to give the name of the queue away again')
    expect(step.now()).toBeGreaterThanOrEqual(Date.UTC(2026, 0, 1) + 60_000)
    expect(step.now()).toBeLessThan(Date.UTC(2026, 0, 1) + 75_000)
    await close()
  })

  it('is removed when it is ours', async () => {
    const state: State = { status: 'CREATE_COMPLETE', template, tags: ours }
    const { resource, close } = await withStack(state)
    expect(await resource.remove(recordedStep(), unrecorded)).toEqual({ outcome: 'removed' })
    expect(await resource.remove(recordedStep(), unrecorded)).toEqual({ outcome: 'absent' })
    await close()
  })

  it('that may not be read is unknown', async () => {
    const deny = () => {
      throw new Refusal(
        'AccessDenied',
        'User: x is not authorized to perform: cloudformation:DescribeStacks on resource: y',
        403
      )
    }
    const { aws, close } = await awsWith({ DescribeStacks: deny, GetTemplate: deny })
    expect(await inspect(stack(wanted, { aws, ownership }))).toMatchObject({
      state: 'unreadable',
      unreadable: { missingPermission: 'cloudformation:DescribeStacks' }
    })
    await close()
  })
})
