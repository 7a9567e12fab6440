import { interruptionQueue, type QueueWanted } from '../../../src/resources/stack/interruption-queue.js'
import { awsWith, recordedStep, Refusal, type Handlers } from '../../aws/stand-in.js'
import { failure } from '../../aws/failure.js'
import { inspect, install, ownership, ofStack } from '../walk-one.js'

const arn = 'arn:aws:sqs:eu-west-1:111122223333:blue'
const allow = {
  Sid: 'AllowEvents',
  Effect: 'Allow',
  Principal: { Service: ['events.amazonaws.com', 'sqs.amazonaws.com'] },
  Action: 'sqs:SendMessage',
  Resource: arn
}
const deny = {
  Sid: 'DenyHTTP',
  Effect: 'Deny',
  Principal: '*',
  Action: 'sqs:*',
  Resource: arn,
  Condition: { Bool: { 'aws:SecureTransport': false } }
}
const wanted: QueueWanted = {
  clusterName: 'blue',
  stackName: 'Karpenter-blue',
  name: 'blue',
  url: 'https://sqs.eu-west-1.amazonaws.com/111122223333/blue',
  attributes: {
    DelaySeconds: '0',
    VisibilityTimeout: '30',
    MaximumMessageSize: '262144',
    RedrivePolicy: '',
    MessageRetentionPeriod: '300',
    SqsManagedSseEnabled: 'true'
  },
  policy: { Id: 'EC2InterruptionPolicy', Statement: [allow, deny] },
  tags: { own: 'x' }
}

interface State {
  attributes?: Record<string, string>
  /** Answers to CreateQueue before it is taken. */
  refusals?: number
  tags?: unknown
  /** Reads that a write takes to show. */
  lag?: number
}

/** As SQS gives it back: operators and principals in other words, the boolean as text. */
const policyText = (...statements: object[]): string =>
  JSON.stringify({ Version: '2008-10-17', Id: 'x', Statement: statements }).replace(
    '"aws:SecureTransport":false',
    '"aws:SecureTransport":"false"'
  )

const asWanted = (): Record<string, string> => ({
  DelaySeconds: '0',
  VisibilityTimeout: '30',
  // Of a queue of 2026.
  MaximumMessageSize: '1048576',
  MessageRetentionPeriod: '300',
  SqsManagedSseEnabled: 'true',
  QueueArn: arn,
  Policy: policyText(deny, { ...allow, Action: ['SQS:SendMessage'] })
})

function sqs(state: State): Handlers {
  let shown = state.attributes
  let lag = 0
  return {
    GetQueueAttributes: () => {
      if (lag-- <= 0) shown = state.attributes
      if (shown === undefined) throw new Refusal('QueueDoesNotExist', 'The specified queue does not exist.')
      return { Attributes: shown }
    },
    SetQueueAttributes: ({ Attributes }) => {
      lag = state.lag ?? 0
      const all = { ...state.attributes, ...(Attributes as Record<string, string>) }
      state.attributes = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== ''))
    },
    CreateQueue: ({ Attributes, tags }) => {
      state.refusals = (state.refusals ?? 0) - 1
      if (state.refusals >= 0) throw new Refusal('QueueDeletedRecently', 'You must wait 60 seconds')
      lag = state.lag ?? 0
      state.attributes = Attributes as Record<string, string>
      state.tags = tags
      return { QueueUrl: wanted.url }
    }
  }
}

async function withQueue(
  state: State,
  tags: Record<string, string> | undefined = { 'setup-karpenter:owner': 'blue' }
) {
  const { aws, server, close } = await awsWith(sqs(state))
  const resource = interruptionQueue(wanted, { aws, ownership, stackTags: async () => tags })
  return { resource, server, close }
}

describe('The interruption queue', () => {
  it('that is as wanted costs one read, whatever order and case its policy has', async () => {
    const { resource, server, close } = await withQueue({ attributes: asWanted() })
    expect((await inspect(resource)).differences).toEqual([])
    expect(server.calls).toEqual(['GetQueueAttributes'])
    expect(server.inputs).toEqual([{ QueueUrl: wanted.url, AttributeNames: ['All'] }])
    await close()
  })

  it.each([
    ['MessageRetentionPeriod', { MessageRetentionPeriod: '60' }, 'changes behaviour', /is 60/],
    ['MessageRetentionPeriod', { MessageRetentionPeriod: '1209600' }, 'cosmetic', /is 1209600/],
    ['VisibilityTimeout', { VisibilityTimeout: '0' }, 'changes behaviour', /has it for 0 s/],
    [
      'MaximumMessageSize',
      { MaximumMessageSize: '1024' },
      'breaks scaling',
      /more than 1024 bytes are refused/
    ],
    [
      'RedrivePolicy',
      { RedrivePolicy: '{"deadLetterTargetArn":"arn:aws:sqs:eu-west-1:1:dead","maxReceiveCount":1}' },
      'changes behaviour',
      /go to another queue: .*dead/
    ],
    ['DelaySeconds', { DelaySeconds: '600' }, 'breaks scaling', /600 s late/],
    ['SqsManagedSseEnabled', { SqsManagedSseEnabled: 'false' }, 'weakens security', /not encrypted/],
    [
      'SqsManagedSseEnabled',
      { SqsManagedSseEnabled: 'false', KmsMasterKeyId: 'alias/own' },
      'breaks scaling',
      /alias\/own/
    ],
    ['policy.AllowEvents', { Policy: policyText(deny) }, 'breaks scaling', /lacks statement AllowEvents/],
    ['policy.DenyHTTP', { Policy: policyText(allow) }, 'weakens security', /lacks statement DenyHTTP/],
    [
      'policy.Everybody',
      { Policy: policyText(allow, deny, { ...allow, Sid: 'Everybody', Principal: '*' }) },
      'weakens security',
      /Everybody/
    ],
    [
      'policy.AllowEvents',
      { Policy: policyText({ ...allow, Principal: { Service: 'sqs.amazonaws.com' } }, deny) },
      'breaks scaling',
      /events\.amazonaws\.com/
    ]
  ])('whose %s was changed is put back: %j', async (path, change, severity, reason) => {
    const { resource, close } = await withQueue({ attributes: { ...asWanted(), ...change } })
    const { before, after, step } = await install(resource)
    expect(before.differences).toEqual([
      expect.objectContaining({ path, severity, reason: expect.stringMatching(reason) as unknown })
    ])
    expect(after.differences).toEqual([])
    expect(step.lines).toHaveLength(1)
    await close()
  })

  it('without any policy lacks each of its statements', async () => {
    const attributes = asWanted()
    delete attributes['Policy']
    const { resource, close } = await withQueue({ attributes })
    const { before, after, step } = await install(resource)
    expect(before.differences.map(({ path }) => path)).toEqual(['policy.AllowEvents', 'policy.DenyHTTP'])
    expect(after.state).toBe('as wanted')
    expect(step.lines).toEqual(['put back the policy of SQS queue blue'])
    await close()
  })

  it('writes what differs and no more, and turns the other encryption off with it', async () => {
    const state = {
      attributes: { ...asWanted(), SqsManagedSseEnabled: 'false', KmsMasterKeyId: 'alias/own' }
    }
    const { resource, server, close } = await withQueue(state)
    await install(resource)
    expect(server.inputs[server.calls.indexOf('SetQueueAttributes')]).toEqual({
      QueueUrl: wanted.url,
      Attributes: { SqsManagedSseEnabled: 'true', KmsMasterKeyId: '' }
    })
    await close()
  })

  it('that was deleted is made again with policy and tags, as soon as SQS gives its name away', async () => {
    const state: State = { refusals: 3, lag: 2 }
    const { resource, server, close } = await withQueue(state)
    const { before, after, step } = await install(resource)
    expect(before).toMatchObject({ state: 'absent', present: [] })
    expect(after.state).toBe('as wanted')
    expect(server.inputs[server.calls.lastIndexOf('CreateQueue')]).toMatchObject({ QueueName: 'blue' })
    expect(state.tags).toEqual({ 'setup-karpenter:owner': 'blue', own: 'x' })
    expect(step.waits).toContain('SQS to give the name blue away again')
    expect(step.notes).toEqual([
      'SQS queue blue was deleted less than a minute ago: its name is free after one'
    ])
    expect(step.lines).toEqual(['created SQS queue blue again, which had been deleted'])
    await close()
  })

  it('that the stack has made since it was read is left alone', async () => {
    const state: State = {}
    const { resource, server, close } = await withQueue(state)
    const before = await inspect(resource)
    state.attributes = asWanted()
    const step = recordedStep()
    await before.apply(step)
    expect(step.lines).toEqual([])
    expect(server.calls).toEqual(['GetQueueAttributes', 'GetQueueAttributes'])
    await close()
  })

  it('that may not be read is unknown, with the action, and no repair is tried', async () => {
    const { aws, server, close } = await awsWith({
      GetQueueAttributes: () => {
        throw new Refusal(
          'AccessDeniedException',
          `User: arn:aws:sts::111122223333:assumed-role/x/y is not authorized to perform: sqs:getqueueattributes on resource: ${arn}`,
          403
        )
      }
    })
    const resource = interruptionQueue(wanted, { aws, ownership, stackTags: async () => undefined })
    const now = await inspect(resource)
    expect(now).toMatchObject({
      state: 'unreadable',
      unreadable: { missingPermission: 'sqs:GetQueueAttributes' }
    })
    expect((await failure(now.apply(recordedStep()))).message).toContain('could not be read')
    expect(server.calls).toEqual(['GetQueueAttributes'])
    await close()
  })

  it('goes with our stack, and stays with one that is not ours', async () => {
    const ours = await withQueue({ attributes: asWanted() })
    expect(await ours.resource.remove(recordedStep(), ofStack())).toEqual({ outcome: 'removed' })
    await ours.close()
    const theirs = await withQueue({ attributes: asWanted() }, { own: 'x' })
    expect(await theirs.resource.remove(recordedStep(), ofStack('kept'))).toMatchObject({ outcome: 'kept' })
    expect(theirs.server.calls).toEqual(['GetQueueAttributes'])
    await theirs.close()
    const none = await withQueue({})
    expect(await none.resource.remove(recordedStep(), ofStack())).toEqual({ outcome: 'absent' })
    await none.close()
  })
})
