import { stackRules } from '../../../src/aws/stack-rules.js'
import { eventRule, type EventRuleWanted } from '../../../src/resources/stack/event-rule.js'
import { awsWith, recordedStep, Refusal, type Handlers } from '../../aws/stand-in.js'
import { failure } from '../../aws/failure.js'
import { inspect, install, ownership, ofStack } from '../walk-one.js'

const arn = 'arn:aws:sqs:eu-west-1:111122223333:blue'
const name = 'Karpenter-blue-RebalanceRule-Abc123Def456'
const target = { Id: 'KarpenterInterruptionQueueTarget', Arn: arn }
const wanted: EventRuleWanted = {
  clusterName: 'blue',
  stackName: 'Karpenter-blue',
  logicalId: 'RebalanceRule',
  name: undefined,
  pattern: { source: ['aws.ec2'], 'detail-type': ['EC2 Instance Rebalance Recommendation'] },
  schedule: undefined,
  description: undefined,
  roleArn: undefined,
  state: 'ENABLED',
  targets: [target],
  tags: {}
}

interface State {
  rule?: Record<string, unknown>
  targets?: { Id: string; Arn: string; [member: string]: unknown }[]
  /** What PutRule was given last. */
  put?: unknown
}

const asWanted = (): Required<Pick<State, 'rule' | 'targets'>> => ({
  rule: {
    Name: name,
    State: 'ENABLED',
    Description: 'theirs',
    EventPattern: '{"detail-type":["EC2 Instance Rebalance Recommendation"],"source":["aws.ec2"]}'
  },
  targets: [target]
})

function eventbridge(state: State): Handlers {
  const gone = () =>
    new Refusal('ResourceNotFoundException', `Rule ${name} does not exist on EventBus default.`)
  const targetsOf = (input: Readonly<Record<string, unknown>>) =>
    input['Targets'] as { Id: string; Arn: string }[]
  return {
    ListRules: () => ({ Rules: state.rule === undefined ? [] : [state.rule] }),
    ListTargetsByRule: () => {
      if (state.rule === undefined) throw gone()
      return { Targets: state.targets ?? [] }
    },
    PutRule: (input) => {
      state.rule = { ...input }
      delete state.rule['Tags']
      state.put = input
      return { RuleArn: 'arn' }
    },
    EnableRule: () => {
      state.rule = { ...state.rule, State: 'ENABLED' }
    },
    PutTargets: (input) => {
      if (state.rule === undefined) throw gone()
      const ids = targetsOf(input).map(({ Id }) => Id)
      state.targets = [...(state.targets ?? []).filter(({ Id }) => !ids.includes(Id)), ...targetsOf(input)]
      return { FailedEntryCount: 0, FailedEntries: [] }
    },
    RemoveTargets: ({ Ids }) => {
      state.targets = (state.targets ?? []).filter(({ Id }) => !(Ids as string[]).includes(Id))
      return { FailedEntryCount: 0, FailedEntries: [] }
    },
    DescribeStackResources: () => ({
      StackResources: [
        {
          LogicalResourceId: 'RebalanceRule',
          PhysicalResourceId: name,
          ResourceType: 'AWS::Events::Rule',
          ResourceStatus: 'CREATE_COMPLETE',
          Timestamp: '2026-01-01T00:00:00Z'
        }
      ]
    })
  }
}

async function withRule(
  state: State,
  {
    want = wanted,
    tags,
    more
  }: { want?: EventRuleWanted; tags?: Record<string, string>; more?: Handlers } = {}
) {
  const { aws, server, close } = await awsWith({ ...eventbridge(state), ...more })
  const resource = eventRule(want, {
    aws,
    ownership,
    rules: stackRules(aws, 'Karpenter-blue', [want]),
    stackTags: async () => tags ?? { 'setup-karpenter:owner': 'blue' }
  })
  const writes = (): string[] => server.calls.filter((call) => !/^(List|Describe)/.test(call))
  return { resource, server, writes, close }
}

describe('An EventBridge rule of the stack', () => {
  it.each([
    ['as it was made', {}],
    [
      'with its pattern in another order and with repeats',
      {
        EventPattern:
          '{"source":["aws.ec2","aws.ec2"],"detail-type":["EC2 Instance Rebalance Recommendation"]}'
      }
    ],
    ['with management events on as well', { State: 'ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS' }]
  ])('is as wanted %s', async (_how, change) => {
    const { rule, targets } = asWanted()
    const { resource, server, close } = await withRule({ rule: { ...rule, ...change }, targets })
    expect((await inspect(resource)).differences).toEqual([])
    expect(server.calls).toEqual(['ListRules', 'ListTargetsByRule'])
    await close()
  })

  it('that is made anew waits for other writes to it, and until EventBridge shows it', async () => {
    const refusals = [
      new Refusal('ConcurrentModificationException', 'Rule was modified concurrently.'),
      new Refusal('ResourceNotFoundException', `Rule ${name} does not exist on EventBus default.`)
    ]
    const state: State = {}
    const base = eventbridge(state)
    let entries = 0
    const { resource, close } = await withRule(state, {
      more: {
        PutTargets: (input) => {
          const refusal = refusals.shift()
          if (refusal !== undefined) throw refusal
          entries += 1
          if (entries > 1) return base['PutTargets']?.(input)
          const failed = {
            TargetId: target.Id,
            ErrorCode: 'ConcurrentModificationException',
            ErrorMessage: 'x'
          }
          return { FailedEntryCount: 1, FailedEntries: [failed] }
        }
      }
    })
    const { after, step } = await install(resource)
    expect(after.differences).toEqual([])
    expect(step.waits).toHaveLength(3)
    await close()
  })

  it('that is off is switched on and keeps the rest', async () => {
    const { rule, targets } = asWanted()
    const state = { rule: { ...rule, State: 'DISABLED' }, targets }
    const { resource, writes, close } = await withRule(state)
    const { before, after, step } = await install(resource)
    expect(before.differences).toMatchObject([
      { path: 'State', live: 'DISABLED', severity: 'breaks scaling' }
    ])
    expect(after.state).toBe('as wanted')
    expect(writes()).toEqual(['EnableRule'])
    expect(step.lines).toEqual([`enabled EventBridge rule ${name}`])
    await close()
  })

  it.each([
    '{"source":["aws.ec2"]}',
    '{"source":["aws.ec2"],"detail-type":["EC2 Instance Rebalance Recommendation"],"detail":{"x":["y"]}}',
    '{"source":["aws.ec2"],"detail-type":["another"]}'
  ])('that matches other events gets its pattern back: %s', async (EventPattern) => {
    const { rule, targets } = asWanted()
    const state: State = { rule: { ...rule, EventPattern }, targets }
    const { resource, writes, close } = await withRule(state)
    const { before, after, step } = await install(resource)
    expect(before.differences).toMatchObject([{ path: 'EventPattern', severity: 'breaks scaling' }])
    expect(after.state).toBe('as wanted')
    expect(writes()).toEqual(['PutRule'])
    expect(state.put).toMatchObject({ Name: name, State: 'ENABLED', Description: 'theirs' })
    expect(step.lines).toEqual([`put back EventPattern of EventBridge rule ${name}`])
    await close()
  })

  it('whose events go elsewhere is led to the queue again', async () => {
    const elsewhere = 'arn:aws:sqs:eu-west-1:111122223333:green'
    const { resource, writes, close } = await withRule({
      ...asWanted(),
      targets: [{ ...target, Arn: elsewhere }]
    })
    const { before, after, step } = await install(resource)
    expect(before.differences).toEqual([
      {
        path: 'Targets.KarpenterInterruptionQueueTarget.Arn',
        wanted: arn,
        live: elsewhere,
        reason: `its events go to ${elsewhere} and not to ${arn}`,
        severity: 'breaks scaling'
      }
    ])
    expect(after.state).toBe('as wanted')
    expect(writes()).toEqual(['PutTargets'])
    expect(step.lines).toEqual([`led EventBridge rule ${name} to ${arn}`])
    await close()
  })

  it.each([
    ['InputPath', '$.detail', 'breaks scaling', 'a part of the event'],
    ['Input', '{}', 'breaks scaling', 'another text in place of the event'],
    ['InputTransformer', { InputTemplate: '"x"' }, 'breaks scaling', 'are rewritten on their way'],
    ['RoleArn', 'arn:aws:iam::111122223333:role/other', 'breaks scaling', 'are sent with a role'],
    ['SqsParameters', { MessageGroupId: 'x' }, 'breaks scaling', 'as those of a FIFO queue'],
    ['RetryPolicy', { MaximumRetryAttempts: 0 }, 'changes behaviour', 'is given up earlier'],
    ['DeadLetterConfig', { Arn: 'arn:aws:sqs:eu-west-1:1:dead' }, 'changes behaviour', 'go to another queue']
  ])('whose target has %s besides gets it as the stack has it', async (member, value, severity, reason) => {
    const { resource, writes, close } = await withRule({
      ...asWanted(),
      targets: [{ ...target, [member]: value }]
    })
    const { before, after } = await install(resource)
    expect(before.differences).toEqual([
      {
        path: `Targets.KarpenterInterruptionQueueTarget.${member}`,
        wanted: undefined,
        live: value,
        reason: expect.stringContaining(reason) as unknown,
        severity
      }
    ])
    expect(after.state).toBe('as wanted')
    expect(writes()).toEqual(['PutTargets'])
    await close()
  })

  it('whose target the template says more of is as wanted with that', async () => {
    const { aws, close } = await awsWith(
      eventbridge({ ...asWanted(), targets: [{ ...target, InputPath: '$.x' }] })
    )
    const resource = eventRule(
      { ...wanted, partlyKnown: [target.Id] },
      {
        aws,
        ownership,
        stackTags: async () => undefined,
        rules: stackRules(aws, 'Karpenter-blue', [wanted])
      }
    )
    expect((await inspect(resource)).differences).toEqual([])
    await close()
  })

  it('without a target gets it, and loses one that the stack does not know', async () => {
    const other = { Id: 'mine', Arn: 'arn:aws:lambda:eu-west-1:111122223333:function:mine' }
    const { resource, writes, close } = await withRule({ ...asWanted(), targets: [other] })
    const { before, after } = await install(resource)
    expect(before.differences).toMatchObject([
      { path: 'Targets.KarpenterInterruptionQueueTarget', wanted: arn, severity: 'breaks scaling' },
      { path: 'Targets.mine', wanted: undefined, live: other.Arn, severity: 'weakens security' }
    ])
    expect(after.state).toBe('as wanted')
    expect(writes()).toEqual(['PutTargets', 'RemoveTargets'])
    await close()
  })

  it("that was deleted is made again under the stack's name for it, with the stack's tags", async () => {
    const state: State = {}
    const { resource, close } = await withRule(state)
    const { before, after, step } = await install(resource)
    expect(before.state).toBe('absent')
    expect(after.state).toBe('as wanted')
    expect(state.put).toMatchObject({ Name: name, Tags: [{ Key: 'setup-karpenter:owner', Value: 'blue' }] })
    expect(step.lines).toEqual([
      `created EventBridge rule ${name} again, which had been deleted`,
      `led EventBridge rule ${name} to ${arn}`
    ])
    await close()
  })

  it('that the stack has made since it was read is left alone', async () => {
    const state: State = {}
    const { resource, writes, close } = await withRule(state)
    const before = await inspect(resource)
    Object.assign(state, asWanted())
    const step = recordedStep()
    await before.apply(step)
    expect(step.lines).toEqual([])
    expect(writes()).toEqual([])
    await close()
  })

  it('that the stack has not is said to be missing there', async () => {
    const { resource, writes, close } = await withRule(
      {},
      { more: { DescribeStackResources: () => ({ StackResources: [] }) } }
    )
    const error = await failure(install(resource))
    expect(error.message).toBe(
      'EventBridge rule RebalanceRule: CloudFormation stack Karpenter-blue has no RebalanceRule, although its template has'
    )
    expect(writes()).toEqual([])
    await close()
  })

  it('whose targets EventBridge does not take says why', async () => {
    const { resource, close } = await withRule(
      { ...asWanted(), targets: [] },
      {
        more: {
          PutTargets: () => ({
            FailedEntryCount: 1,
            FailedEntries: [
              { TargetId: target.Id, ErrorCode: 'LimitExceeded', ErrorMessage: 'five are enough' }
            ]
          })
        }
      }
    )
    expect((await failure(install(resource))).message).toContain('LimitExceeded: five are enough')
    await close()
  })

  it('that may not be read is unknown, with the action', async () => {
    const { resource, close } = await withRule(asWanted(), {
      more: {
        ListTargetsByRule: () => {
          throw new Refusal(
            'AccessDeniedException',
            'User: x is not authorized to perform: events:ListTargetsByRule on resource: arn because no identity-based policy allows the events:ListTargetsByRule action',
            400
          )
        }
      }
    })
    expect(await inspect(resource)).toMatchObject({
      state: 'unreadable',
      unreadable: { missingPermission: 'events:ListTargetsByRule' }
    })
    await close()
  })

  it('goes with our stack, once the targets that would keep it are gone', async () => {
    const other = { Id: 'mine', Arn: 'arn:aws:sns:eu-west-1:111122223333:mine' }
    const state = { ...asWanted(), targets: [target, other] }
    const { resource, close } = await withRule(state)
    const step = recordedStep()
    expect(await resource.remove(step, ofStack())).toEqual({ outcome: 'removed' })
    expect(state.targets).toEqual([target])
    expect(step.lines).toEqual([`removed target ${other.Arn} from EventBridge rule ${name}`])
    await close()
  })

  it('stays as it is with a stack that is not ours', async () => {
    const { resource, writes, close } = await withRule(
      { ...asWanted(), targets: [{ Id: 'mine', Arn: arn }] },
      { tags: { own: 'x' } }
    )
    expect(await resource.remove(recordedStep(), ofStack('kept'))).toMatchObject({ outcome: 'kept' })
    expect(writes()).toEqual([])
    await close()
  })
})
