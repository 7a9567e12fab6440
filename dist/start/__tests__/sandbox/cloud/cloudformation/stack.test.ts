import { existsSync, readFileSync } from 'node:fs'
import { builtInTemplateText } from '../../../../src/karpenter/template-built-in.js'
import { Account } from './account.js'

const capabilities = { Capabilities: ['CAPABILITY_NAMED_IAM'] }

function policies(...names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(
    names.map((name) => [
      name,
      {
        Type: 'AWS::IAM::ManagedPolicy',
        Properties: { ManagedPolicyName: name, PolicyDocument: { Statement: [] } }
      }
    ])
  )
}

function body(resources: Record<string, unknown>): string {
  return JSON.stringify({ Resources: resources })
}

const queue = { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'jobs' } }

describe('a stack that is made', () => {
  it('is under review until its change set is executed, then holds its resources', async () => {
    const account = new Account()
    const input = { StackName: 'one', ChangeSetName: 'first', TemplateBody: body({ Jobs: queue }) }
    await account.call('CreateChangeSet', { ...input, ChangeSetType: 'CREATE' })
    expect(await account.stack('one')).toMatchObject({ StackStatus: 'REVIEW_IN_PROGRESS' })
    expect(await account.changeSet('one', 'first')).toMatchObject({
      Status: 'CREATE_COMPLETE',
      ExecutionStatus: 'AVAILABLE',
      Changes: [
        { ResourceChange: { Action: 'Add', LogicalResourceId: 'Jobs', ResourceType: 'AWS::SQS::Queue' } }
      ]
    })
    // Validation looks whether the name is taken; nothing is made.
    expect(account.calls).toEqual(['sqs:GetQueueUrl'])
    await account.call('ExecuteChangeSet', { StackName: 'one', ChangeSetName: 'first' })
    expect(await account.settled('one')).toMatchObject({ StackStatus: 'CREATE_COMPLETE' })
    expect(await account.events('one')).toEqual([
      'one: REVIEW_IN_PROGRESS: User Initiated',
      'one: CREATE_IN_PROGRESS: User Initiated',
      'Jobs: CREATE_IN_PROGRESS',
      'Jobs: CREATE_IN_PROGRESS: Resource creation Initiated',
      'Jobs: CREATE_COMPLETE',
      'one: CREATE_COMPLETE'
    ])
  })

  it('is rolled back when its deployer lacks a permission, and says which resource and why', async () => {
    const account = new Account()
    account.denied.add('sqs:CreateQueue')
    const resources = { ...policies('first'), Jobs: { ...queue, DependsOn: 'first' } }
    await account.call('CreateStack', { StackName: 'one', TemplateBody: body(resources), ...capabilities })
    expect(await account.settled('one')).toMatchObject({ StackStatus: 'ROLLBACK_COMPLETE' })
    const failure = (await account.events('one')).find((event) => event.startsWith('Jobs: CREATE_FAILED'))
    expect(failure).toContain(
      'Resource handler returned message: "User: arn:aws:sts::111122223333:assumed-role/deployer/session is not authorized to perform: sqs:CreateQueue (Service: Sqs, Status Code: 403,'
    )
    expect(failure).toContain('HandlerErrorCode: AccessDenied)')
    expect(account.policies.size).toBe(0)
  })

  it('is rolled back when a name is taken, and what had the name stays', async () => {
    const account = new Account()
    account.queues.set('https://sqs/111122223333/jobs', {})
    await account.call('CreateStack', { StackName: 'one', TemplateBody: body({ Jobs: queue }) })
    expect(await account.settled('one')).toMatchObject({ StackStatus: 'ROLLBACK_COMPLETE' })
    expect((await account.events('one')).join('\n')).toContain('already exists.')
    expect(account.queues.size).toBe(1)
  })

  it('fails on properties that its type does not have', async () => {
    const account = new Account()
    const odd = { Type: 'AWS::SQS::Queue', Properties: { QueueNaem: 'jobs' } }
    await account.call('CreateStack', { StackName: 'one', TemplateBody: body({ Jobs: odd }) })
    expect(await account.settled('one')).toMatchObject({ StackStatus: 'ROLLBACK_COMPLETE' })
    expect((await account.events('one')).join('\n')).toContain(
      '#: extraneous key [QueueNaem] is not permitted'
    )
  })

  it('needs the capability for IAM resources with names', async () => {
    const account = new Account()
    const refused = account.call('CreateStack', { StackName: 'one', TemplateBody: body(policies('first')) })
    await expect(refused).rejects.toMatchObject({
      code: 'InsufficientCapabilitiesException',
      message: 'Requires capabilities : [CAPABILITY_NAMED_IAM]'
    })
  })

  it.each([
    ['a_b', 'must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*'],
    ['a'.repeat(129), 'must have length less than or equal to 128']
  ])('cannot be called %s', async (name, reason) => {
    const refused = new Account().call('CreateStack', {
      StackName: name,
      TemplateBody: body({ Jobs: queue })
    })
    await expect(refused).rejects.toThrow(reason)
  })
})

describe('a stack that is updated', () => {
  it('has an empty change set fail, and an empty update refused', async () => {
    const account = new Account()
    const template = { StackName: 'one', TemplateBody: body({ Jobs: queue }) }
    await account.call('CreateStack', template)
    await account.settled('one')
    await account.call('CreateChangeSet', { ...template, ChangeSetName: 'again' })
    expect(await account.changeSet('one', 'again')).toMatchObject({
      Status: 'FAILED',
      ExecutionStatus: 'UNAVAILABLE',
      StatusReason:
        "The submitted information didn't contain changes. Submit different information to create a change set."
    })
    await expect(account.call('UpdateStack', template)).rejects.toThrow('No updates are to be performed.')
  })

  it('tries three times to clean up, keeps what it cannot out of the stack and is complete nevertheless', async () => {
    const account = new Account()
    await account.call('CreateStack', {
      StackName: 'one',
      TemplateBody: body(policies('old')),
      ...capabilities
    })
    await account.settled('one')
    const old = 'arn:aws:iam::111122223333:policy/old'
    account.roles.set('controller', { attached: new Set([old]), trust: '', tags: [] })
    await account.call('UpdateStack', {
      StackName: 'one',
      TemplateBody: body(policies('new')),
      ...capabilities
    })
    expect(await account.settled('one')).toMatchObject({
      StackStatus: 'UPDATE_COMPLETE',
      StackStatusReason: 'Update successful. One or more resources could not be deleted.'
    })
    const events = (await account.events('one')).join('\n')
    expect(events.match(/old: DELETE_FAILED/g)).toHaveLength(3)
    expect(events).toContain(
      'one: UPDATE_COMPLETE_CLEANUP_IN_PROGRESS\nold: DELETE_IN_PROGRESS\nold: DELETE_FAILED'
    )
    expect(account.policies.has(old)).toBe(true)
    const { StackResources } = await account.call('DescribeStackResources', { StackName: 'one' })
    expect(StackResources).toMatchObject([{ LogicalResourceId: 'new' }])
  })

  it('keeps five versions of a policy', async () => {
    const account = new Account()
    const version = (action: string): string =>
      body({
        P: {
          Type: 'AWS::IAM::ManagedPolicy',
          Properties: { ManagedPolicyName: 'p', PolicyDocument: { Statement: [action] } }
        }
      })
    await account.call('CreateStack', { StackName: 'one', TemplateBody: version('0'), ...capabilities })
    for (const action of ['1', '2', '3', '4', '5', '6']) {
      await account.settled('one')
      await account.call('UpdateStack', { StackName: 'one', TemplateBody: version(action), ...capabilities })
    }
    await account.settled('one')
    const kept = [...account.policies.values()].flat().filter((document) => document !== '')
    expect(kept.map((document) => JSON.parse(document) as unknown)).toEqual(
      ['2', '3', '4', '5', '6'].map((action) => ({ Statement: [action] }))
    )
  })

  it('replaces a resource whose name changes, and removes the old one last', async () => {
    const account = new Account()
    await account.call('CreateStack', { StackName: 'one', TemplateBody: body({ Jobs: queue }) })
    await account.settled('one')
    const renamed = { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'tasks' } }
    const input = { StackName: 'one', ChangeSetName: 'rename', TemplateBody: body({ Jobs: renamed }) }
    await account.call('CreateChangeSet', input)
    expect(await account.changeSet('one', 'rename')).toMatchObject({
      Changes: [{ ResourceChange: { Action: 'Modify', Replacement: 'True' } }]
    })
    await account.call('ExecuteChangeSet', input)
    expect(await account.settled('one')).toMatchObject({ StackStatus: 'UPDATE_COMPLETE' })
    expect([...account.queues.keys()]).toEqual(['https://sqs/111122223333/tasks'])
  })

  it('goes back to what it was when a part fails', async () => {
    const account = new Account()
    await account.call('CreateStack', {
      StackName: 'one',
      TemplateBody: body(policies('kept')),
      ...capabilities
    })
    await account.settled('one')
    account.denied.add('sqs:CreateQueue')
    const more = body({ ...policies('kept', 'added'), Jobs: { ...queue, DependsOn: 'added' } })
    await account.call('UpdateStack', { StackName: 'one', TemplateBody: more, ...capabilities })
    expect(await account.settled('one')).toMatchObject({ StackStatus: 'UPDATE_ROLLBACK_COMPLETE' })
    expect([...account.policies.keys()]).toEqual(['arn:aws:iam::111122223333:policy/kept'])
  })
})

describe('a stack that is deleted', () => {
  it("ends DELETE_FAILED while a rule has a target that is not the stack's, which it leaves", async () => {
    const account = new Account()
    const rule = {
      Type: 'AWS::Events::Rule',
      Properties: { EventPattern: { source: ['aws.ec2'] }, Targets: [{ Id: 'own', Arn: 'arn:own' }] }
    }
    await account.call('CreateStack', { StackName: 'one', TemplateBody: body({ Rule: rule }) })
    await account.settled('one')
    const [name = ''] = account.rules.keys()
    const others = [{ Id: 'other', Arn: 'arn:other' }]
    account.rules.set(name, [...(account.rules.get(name) ?? []), ...others])
    await account.call('DeleteStack', { StackName: 'one' })
    expect(await account.settled('one')).toMatchObject({ StackStatus: 'DELETE_FAILED' })
    expect((await account.events('one')).join('\n')).toContain("Rule can't be deleted since it has targets.")
    expect(account.rules.get(name)).toEqual(others)
  })

  it('ends DELETE_FAILED while a policy is attached, and can then leave it behind', async () => {
    const account = new Account()
    await account.call('CreateStack', {
      StackName: 'one',
      TemplateBody: body(policies('p')),
      ...capabilities
    })
    await account.settled('one')
    account.roles.set('r', { attached: new Set(account.policies.keys()), trust: '', tags: [] })
    await account.call('DeleteStack', { StackName: 'one' })
    expect(await account.settled('one')).toMatchObject({
      StackStatus: 'DELETE_FAILED',
      StackStatusReason: 'The following resource(s) failed to delete: [p]. '
    })
    const { StackId } = await account.stack('one')
    await account.call('DeleteStack', { StackName: 'one', RetainResources: ['p'] })
    expect(await account.settled(String(StackId))).toMatchObject({ StackStatus: 'DELETE_COMPLETE' })
    await expect(account.stack('one')).rejects.toThrow('Stack with id one does not exist')
    expect(account.policies.size).toBe(1)
  })

  it('is kept while it is protected', async () => {
    const account = new Account()
    const template = {
      StackName: 'one',
      TemplateBody: body({ Jobs: queue }),
      EnableTerminationProtection: 'true'
    }
    await account.call('CreateStack', template)
    await account.settled('one')
    await expect(account.call('DeleteStack', { StackName: 'one' })).rejects.toThrow(
      'cannot be deleted while TerminationProtection is enabled'
    )
  })
})

const upstream = new URL('../../../../../shared/upstream/', import.meta.url)
const published = [
  ['1.2.1', 8],
  ['1.8.6', 8],
  ['1.14.0', 14]
] as const

describe('a stack of Karpenter', () => {
  it.each([
    ...published.map(
      ([version, count]) => ['built-in', version, count, builtInTemplateText(version)] as const
    ),
    // Upstream's own texts are not ours to publish: they are made as well where the folder is there.
    ...(existsSync(upstream) ? published : []).map(
      ([version, count]) =>
        [
          "upstream's own",
          version,
          count,
          readFileSync(new URL(`${version}/cloudformation.yaml`, upstream), 'utf8')
        ] as const
    )
  ])(
    'by the %s template of %s is made, with %i resources, and removed',
    async (_whose, _version, count, text) => {
      const account = new Account()
      const input = {
        StackName: 'Karpenter-demo',
        TemplateBody: text,
        Parameters: [{ ParameterKey: 'ClusterName', ParameterValue: 'demo' }],
        Tags: [{ Key: 'owner', Value: 'me' }],
        ...capabilities
      }
      await account.call('CreateStack', input)
      expect(await account.settled('Karpenter-demo')).toMatchObject({ StackStatus: 'CREATE_COMPLETE' })
      const { StackResourceSummaries } = await account.call('ListStackResources', input)
      expect(StackResourceSummaries).toHaveLength(count)
      expect([...account.policies.values()].flat().join('')).not.toMatch(/\$\{|KNOWN_AFTER_APPLY/)
      expect(account.roles.get('KarpenterNodeRole-demo')?.trust).toContain('ec2.amazonaws.com')
      await expect(account.call('UpdateStack', input)).rejects.toThrow('No updates are to be performed.')
      const { StackId } = await account.stack('Karpenter-demo')
      await account.call('DeleteStack', input)
      expect(await account.settled(String(StackId))).toMatchObject({ StackStatus: 'DELETE_COMPLETE' })
      expect([account.roles.size, account.policies.size, account.queues.size, account.rules.size]).toEqual([
        0, 0, 0, 0
      ])
    }
  )
})
