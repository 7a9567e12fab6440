import { createServer, type Server } from 'node:http'
import { listen } from '../../../../sandbox/listen.js'
import { MotoClient } from '../../../../sandbox/cloud/moto/client.js'
import { cheapest } from '../../../../sandbox/cloud/moto/ec2/plan.js'
import { shownInstances } from '../../../../sandbox/cloud/moto/ec2/shown-instances.js'
import { ec2Service } from '../../../../sandbox/cloud/moto/ec2/service.js'
import { Records } from '../../../../sandbox/cloud/moto/ec2/records.js'
import { images } from '../../../../sandbox/cloud/moto/images.js'
import { events } from '../../../../sandbox/cloud/moto/events.js'
import { sqs } from '../../../../sandbox/cloud/moto/sqs.js'
import { ssm } from '../../../../sandbox/cloud/moto/ssm.js'
import { RawReply, type AwsCall, type Surroundings } from '../../../../sandbox/cloud/service.js'

function call(service: string, action: string, input: AwsCall['input'], host = '127.0.0.1:4000'): AwsCall {
  return {
    service,
    action,
    region: 'eu-west-1',
    input,
    caller: { arn: '', accountId: '111122223333', userId: '', roleArn: '', expiresAt: 0 },
    http: { method: 'POST', path: '/', headers: { host }, body: '' }
  }
}

describe("SSM's parameters", () => {
  const service = ssm('aws')
  const folder = '/aws/service/eks/optimized-ami/1.32/amazon-linux-2023/x86_64/standard'

  it('name the newest image, and every release by its own name', async () => {
    const newest = await service.answer(
      call('ssm', 'GetParameter', { Name: `${folder}/recommended/image_id` })
    )
    const pinned = await service.answer(
      call('ssm', 'GetParameter', {
        Name: `${folder}/amazon-eks-node-al2023-x86_64-standard-1.32-v20250116/image_id`
      })
    )
    const named = (release: string): string | undefined =>
      images.find(({ name }) => name === `amazon-eks-node-al2023-x86_64-standard-1.32-v${release}`)?.id
    expect(newest).toMatchObject({ Parameter: { Value: named('20261103') } })
    expect(pinned).toMatchObject({ Parameter: { Value: named('20250116') } })
  })

  it.each([
    [`${folder}/amazon-eks-node-al2023-x86_64-standard-1.32-v20200101/image_id`, 'a release that never was'],
    ['/aws/service/eks/optimized-ami/1.33/amazon-linux-2/recommended/image_id', 'AL2 from Kubernetes 1.33 on']
  ])('%s is not there: %s', async (Name) => {
    await expect(service.answer(call('ssm', 'GetParameter', { Name }))).rejects.toMatchObject({
      code: 'ParameterNotFound'
    })
  })

  it('are asked for by ARNs without an account', async () => {
    expect(await service.questions(call('ssm', 'GetParameter', { Name: '/aws/service/x' }))).toEqual([
      { action: 'ssm:GetParameter', resource: 'arn:aws:ssm:eu-west-1::parameter/aws/service/x' }
    ])
  })
})

describe('images', () => {
  it('have ids of their own and parameters of their own', () => {
    expect(new Set(images.map(({ id }) => id)).size).toBe(images.length)
    const parameters = images.flatMap((image) => image.parameters)
    expect(new Set(parameters).size).toBe(parameters.length)
  })
})

describe('services before moto', () => {
  let server: Server
  let close: () => Promise<void>
  let url: string
  let asked: string[]
  let answers: ((body: string, target: string) => object)[]
  const around = (now: () => number): Surroundings => ({
    accountId: '111122223333',
    region: 'eu-west-1',
    partition: 'aws',
    urlSuffix: 'amazonaws.com',
    url: 'http://127.0.0.1:4000',
    now,
    assume: () => undefined,
    invoke: async () => ({})
  })

  beforeEach(async () => {
    asked = []
    answers = []
    server = createServer((request, response) => {
      let body = ''
      request.on('data', (chunk: Buffer) => (body += chunk.toString()))
      request.on('end', () => {
        asked.push(body)
        const answer = answers.length > 1 ? answers.shift() : answers[0]
        response.end(JSON.stringify(answer?.(body, String(request.headers['x-amz-target'])) ?? {}))
      })
    })
    const listening = await listen(server)
    url = `http://127.0.0.1:${listening.port}`
    close = () => listening.close()
  })

  afterEach(() => close())

  it('queue URLs carry the address at which the sandbox was asked', async () => {
    answers = [() => ({ QueueUrl: 'http://sqs.eu-west-1.amazonaws.com/111122223333/demo' })]
    const moto = new MotoClient(url)
    const service = sqs(
      moto,
      around(() => 0)
    )
    const input = { QueueName: 'demo' }
    expect(await service.answer(call('sqs', 'GetQueueUrl', input))).toEqual({
      QueueUrl: 'http://127.0.0.1:4000/111122223333/demo'
    })
    expect(await service.answer(call('sqs', 'GetQueueUrl', input, 'sqs.eu-west-1.amazonaws.com'))).toEqual({
      QueueUrl: 'https://sqs.eu-west-1.amazonaws.com/111122223333/demo'
    })
    moto.close()
  })

  it("a queue's name rests for a minute after the queue was deleted", async () => {
    let now = 0
    const moto = new MotoClient(url)
    const service = sqs(
      moto,
      around(() => now)
    )
    await service.answer(call('sqs', 'DeleteQueue', { QueueUrl: 'http://127.0.0.1:4000/111122223333/demo' }))
    now = 59_000
    const create = call('sqs', 'CreateQueue', { QueueName: 'demo' })
    const refused = await service.answer(create)
    expect(refused).toBeInstanceOf(RawReply)
    expect(refused).toMatchObject({
      status: 400,
      headers: { 'x-amzn-query-error': 'AWS.SimpleQueueService.QueueDeletedRecently;Sender' }
    })
    now = 61_000
    expect(await service.answer(create)).not.toBeInstanceOf(RawReply)
    moto.close()
  })

  it('setting one attribute of a queue leaves its policy', async () => {
    answers = [
      () => ({ Attributes: { Policy: '{"x":1}', SqsManagedSseEnabled: 'True', KmsMasterKeyId: '' } })
    ]
    const moto = new MotoClient(url)
    const service = sqs(
      moto,
      around(() => 0)
    )
    const QueueUrl = 'http://127.0.0.1:4000/111122223333/demo'
    await service.answer(
      call('sqs', 'SetQueueAttributes', { QueueUrl, Attributes: { MessageRetentionPeriod: '60' } })
    )
    expect(JSON.parse(asked.at(-1) ?? '')).toMatchObject({
      Attributes: { MessageRetentionPeriod: '60', Policy: '{"x":1}' }
    })
    expect(
      await service.answer(call('sqs', 'GetQueueAttributes', { QueueUrl, AttributeNames: ['All'] }))
    ).toEqual({ Attributes: { Policy: '{"x":1}', SqsManagedSseEnabled: 'true' } })
    moto.close()
  })

  it.each([
    [{ SqsManagedSseEnabled: 'true' }, 'refused'],
    [
      { KmsMasterKeyId: '', SqsManagedSseEnabled: 'true' },
      { KmsMasterKeyId: '', SqsManagedSseEnabled: 'true' }
    ],
    [{ KmsMasterKeyId: 'other' }, { KmsMasterKeyId: 'other', SqsManagedSseEnabled: 'false' }]
  ])('a queue has one kind of encryption at a time: %j', async (Attributes, outcome) => {
    answers = [() => ({ Attributes: { SqsManagedSseEnabled: 'false', KmsMasterKeyId: 'own' } })]
    const moto = new MotoClient(url)
    const service = sqs(
      moto,
      around(() => 0)
    )
    const input = { QueueUrl: 'http://127.0.0.1:4000/111122223333/demo', Attributes }
    const answer = await service.answer(call('sqs', 'SetQueueAttributes', input))
    if (outcome === 'refused') {
      expect(answer).toMatchObject({
        status: 400,
        headers: { 'x-amzn-query-error': 'InvalidAttributeValue;Sender' }
      })
    } else expect(JSON.parse(asked.at(-1) ?? '')).toMatchObject({ Attributes: outcome })
    moto.close()
  })

  it.each([
    ['ListRules', { NamePrefix: 'Karpenter-demo-' }, 'rule/*'],
    ['ListTargetsByRule', { Rule: 'one' }, 'rule/one'],
    ['DescribeRule', { Name: 'one' }, 'rule/one'],
    ['EnableRule', { Name: 'one', EventBusName: 'default' }, 'rule/one'],
    ['DisableRule', { Name: 'one', EventBusName: 'own' }, 'rule/own/one'],
    ['RemoveTargets', { Rule: 'one', Ids: ['a'] }, 'rule/one']
  ])('events:%s of %j is asked of %s', async (action, input, resource) => {
    const moto = new MotoClient(url)
    expect(await events(moto, 'aws').questions(call('events', action, input))).toMatchObject([
      { action: `events:${action}`, resource: `arn:aws:events:eu-west-1:111122223333:${resource}` }
    ])
    moto.close()
  })

  it('putting a rule asks for its tags and its pattern, its targets for where they lead', async () => {
    const moto = new MotoClient(url)
    const service = events(moto, 'aws')
    const resource = 'arn:aws:events:eu-west-1:111122223333:rule/one'
    const rule = { Name: 'one', EventPattern: '{"source":["aws.ec2"]}', Tags: [{ Key: 'a', Value: 'b' }] }
    expect(await service.questions(call('events', 'PutRule', rule))).toEqual([
      {
        action: 'events:PutRule',
        resource,
        context: { 'aws:RequestTag/a': 'b', 'aws:TagKeys': ['a'], 'events:source': ['aws.ec2'] }
      },
      { action: 'events:TagResource', resource, context: { 'aws:RequestTag/a': 'b', 'aws:TagKeys': ['a'] } }
    ])
    const targets = { Rule: 'one', Targets: [{ Id: 'x', Arn: 'arn:aws:sqs:eu-west-1:111122223333:demo' }] }
    expect(await service.questions(call('events', 'PutTargets', targets))).toMatchObject([
      { resource, context: { 'events:TargetArn': ['arn:aws:sqs:eu-west-1:111122223333:demo'] } }
    ])
    moto.close()
  })

  it('a rule that has targets is not deleted', async () => {
    answers = [(_body, target) => (target.endsWith('ListTargetsByRule') ? { Targets: [{ Id: 'x' }] } : {})]
    const moto = new MotoClient(url)
    await expect(
      events(moto, 'aws').answer(call('events', 'DeleteRule', { Name: 'one' }))
    ).rejects.toMatchObject({ code: 'ValidationException' })
    expect(asked).toHaveLength(1)
    moto.close()
  })

  it('waiting for a message asks moto again and again instead of waiting in it', async () => {
    answers = [() => ({}), () => ({ Messages: [{ Body: 'hi' }] })]
    const moto = new MotoClient(url)
    const service = sqs(
      moto,
      around(() => 0)
    )
    const received = await service.answer(
      call('sqs', 'ReceiveMessage', {
        QueueUrl: 'http://127.0.0.1:4000/111122223333/demo',
        WaitTimeSeconds: 20
      })
    )
    expect(received).toEqual({ Messages: [{ Body: 'hi' }] })
    expect(asked.map((body) => JSON.parse(body) as unknown)).toEqual([
      { QueueUrl: 'http://127.0.0.1/111122223333/demo', WaitTimeSeconds: 0 },
      { QueueUrl: 'http://127.0.0.1/111122223333/demo', WaitTimeSeconds: 0 }
    ])
    moto.close()
  })

  it('a dry run is refused as AWS refuses it, and moto never hears of it', async () => {
    const moto = new MotoClient(url)
    const service = ec2Service({
      moto,
      records: new Records(),
      partition: 'aws',
      urlSuffix: 'amazonaws.com',
      now: () => 0,
      instanceProfile: () => undefined,
      changed: () => undefined,
      ended: async () => undefined
    })
    await expect(
      service.answer(call('ec2', 'DescribeInstanceTypes', { DryRun: 'true' }))
    ).rejects.toMatchObject({
      code: 'DryRunOperation',
      status: 412
    })
    expect(asked).toEqual([])
    moto.close()
  })
})

it.each([
  ['in-use', 'refused, which moto would not', true],
  ['available', 'passed on', false]
])('the deletion of an interface that is %s is %s', async (status, _said, refused) => {
  const actions: (string | null)[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      const action = new URLSearchParams(body).get('Action')
      actions.push(action)
      const shown = `<networkInterfaceSet><item><status>${status}</status></item></networkInterfaceSet>`
      response.end(`<${action ?? ''}Response>${shown}</${action ?? ''}Response>`)
    })
  })
  const listening = await listen(server)
  const moto = new MotoClient(`http://127.0.0.1:${listening.port}`)
  const service = ec2Service({
    moto,
    records: new Records(),
    partition: 'aws',
    urlSuffix: 'amazonaws.com',
    now: () => 0,
    instanceProfile: () => undefined,
    changed: () => undefined,
    ended: async () => undefined
  })
  const answer = service
    .answer({
      ...call('ec2', 'DeleteNetworkInterface', { NetworkInterfaceId: 'eni-1' }),
      http: { method: 'POST', path: '/', headers: {}, body: 'Action=DeleteNetworkInterface' }
    })
    .then(
      () => 'done',
      (error: unknown) => error
    )
  if (refused) expect(await answer).toMatchObject({ code: 'InvalidParameterValue' })
  else expect(await answer).toBe('done')
  expect(actions.includes('DeleteNetworkInterface')).toBe(!refused)
  moto.close()
  await listening.close()
})

it.each([
  [
    '<stateReason><code>Client.UserInitiatedShutdown</code></stateReason><instanceId>i-1</instanceId>',
    'before'
  ],
  [
    '<instanceId>i-1</instanceId><stateReason><code>Client.UserInitiatedShutdown</code></stateReason>',
    'after'
  ]
])('an instance that EC2 ended by itself is shown with why, and no other: %s', (ended) => {
  const records = new Records()
  records.endedByEc2.set('i-1', { code: 'Client.InternalError', message: 'Client error on launch' })
  const other = '<item><stateReason><code>Server</code></stateReason><instanceId>i-2</instanceId></item>'
  const body = (inside: string): string =>
    `<reservationSet><item><reservationId>r-1</reservationId><instancesSet>${other}<item><groupSet><item>g</item></groupSet>${inside}</item>${other}</instancesSet></item></reservationSet>`
  const shown = shownInstances(new RawReply(200, {}, body(ended)), {
    records,
    now: 0,
    instanceProfile: () => undefined
  })
  expect(shown.body).toBe(
    body(
      '<instanceId>i-1</instanceId><stateReason><code>Client.InternalError</code><message>Client error on launch</message></stateReason>'
    )
  )
})

describe("a fleet's choice", () => {
  it('is the cheapest type, in each subnet in turn', () => {
    const choice = (type: string, subnetId: string) => ({
      override: {},
      type,
      imageId: 'ami-1',
      subnetId,
      securityGroups: [],
      userData: ''
    })
    const plan = {
      action: 'CreateFleet' as const,
      count: 1,
      spot: false,
      choices: [choice('m5.large', 'a'), choice('c5.large', 'a'), choice('c5.large', 'b')],
      tags: new Map()
    }
    expect([0, 1, 2].map((turn) => cheapest(plan, turn))).toMatchObject([
      { type: 'c5.large', subnetId: 'a' },
      { type: 'c5.large', subnetId: 'b' },
      { type: 'c5.large', subnetId: 'a' }
    ])
  })
})
