import { UserError } from '../../src/engine/errors.js'
import { renderTemplate } from '../../src/karpenter/rendered-stack.js'
import { renderedRoles } from '../../src/karpenter/rendered-roles.js'
import { adaptTemplate, loadTemplate, upstreamTemplateUrl } from '../../src/karpenter/template.js'
import { builtInTemplateText } from '../../src/karpenter/template-built-in.js'
import { TimeoutError } from '../../src/run/cancel.js'

const containing = (part: string): unknown => expect.stringContaining(part)
const text = builtInTemplateText('1.14.1')
const refuse = async (): Promise<string> => Promise.reject(new Error('HTTP 404'))
const ports = {
  fetchText: refuse,
  readFile: (): string => {
    throw new Error('ENOENT')
  }
}

describe('loadTemplate', () => {
  it('fetches the preview template at the tag of exactly that version', async () => {
    const urls: string[] = []
    const loaded = await loadTemplate({
      input: { kind: 'upstream' },
      version: '1.2.1',
      ports: { ...ports, fetchText: async (url) => (urls.push(url), 'Resources: {}') }
    })
    expect(urls).toEqual([
      'https://raw.githubusercontent.com/aws/karpenter-provider-aws/v1.2.1/website/content/en/preview/getting-started/getting-started-with-karpenter/cloudformation.yaml'
    ])
    expect(loaded).toEqual({ text: 'Resources: {}', origin: urls[0] })
  })

  it('is no fault of the address where the run was told to end while it was read', async () => {
    const ended = new TimeoutError(90)
    const fetchText = async (): Promise<string> => Promise.reject(ended)
    await expect(
      loadTemplate({ input: { kind: 'upstream' }, version: '1.2.1', ports: { ...ports, fetchText } })
    ).rejects.toBe(ended)
  })

  it('takes another base for the published files', () => {
    expect(upstreamTemplateUrl('1.14.0', 'http://127.0.0.1:1')).toMatch(
      /^http:\/\/127\.0\.0\.1:1\/aws\/karpenter-provider-aws\/v1\.14\.0\//
    )
  })

  it('needs no network for the built-in one', async () => {
    const loaded = await loadTemplate({ input: { kind: 'built-in' }, version: '1.14.1', ports })
    expect(loaded).toEqual({ text, origin: 'built in, for Karpenter 1.14.1' })
  })

  it.each([
    [{ kind: 'upstream' } as const, 'HTTP 404', 'template: built-in'],
    [{ kind: 'url', url: 'https://example.org/t.yaml' } as const, 'https://example.org/t.yaml', 'built-in'],
    [{ kind: 'path', path: 't.yaml' } as const, 't.yaml cannot be read: ENOENT', 'upstream']
  ])('says what could not be had and what to do: %j', async (input, problem, fix) => {
    const error: unknown = await loadTemplate({ input, version: '1.14.1', ports }).catch(
      (thrown: unknown) => thrown
    )
    expect(error).toBeInstanceOf(UserError)
    expect(error).toMatchObject({
      message: containing(problem),
      fix: containing(fix)
    })
  })
})

describe('adaptTemplate', () => {
  const adaptation = {
    clusterName: 'blue',
    nodeRoleName: 'KarpenterNodeRole-blue',
    nodeRolePolicies: [],
    permissionsBoundary: undefined
  }
  const settings = {
    clusterName: 'blue',
    stackName: 'Karpenter-blue',
    account: { id: '111122223333', partition: 'aws', region: 'eu-west-1', urlSuffix: 'amazonaws.com' }
  } as const

  it('leaves the text alone when the names are the template own', () => {
    expect(adaptTemplate(text, adaptation)).toBe(text)
  })

  it('gives the node role the name asked for, in every policy that names it', () => {
    const stack = renderTemplate(adaptTemplate(text, { ...adaptation, nodeRoleName: 'nodes' }), settings)
    expect(stack.nodeRole).toEqual({
      logicalId: 'KarpenterNodeRole',
      name: 'nodes',
      arn: 'arn:aws:iam::111122223333:role/nodes'
    })
    const passing = stack.policies.find(({ logicalId }) => logicalId === 'IAMIntegrationPolicy')
    expect(JSON.stringify(passing?.document)).toContain('"arn:aws:iam::111122223333:role/nodes"')
  })

  it('puts the permissions boundary on the role and changes nothing else', () => {
    const permissionsBoundary = 'arn:aws:iam::111122223333:policy/boundary'
    const adapted = renderTemplate(adaptTemplate(text, { ...adaptation, permissionsBoundary }), settings)
    const plain = renderTemplate(text, settings)
    const role = adapted.resources.find(({ type }) => type === 'AWS::IAM::Role')
    expect(role?.properties['PermissionsBoundary']).toBe(permissionsBoundary)
    expect(adapted.resources.filter((one) => one !== role)).toEqual(
      plain.resources.filter(({ type }) => type !== 'AWS::IAM::Role')
    )
  })

  it('adds the policies asked for to the node role, each once', () => {
    const own = 'arn:aws:iam::111122223333:policy/logs'
    const twice = adaptTemplate(adaptTemplate(text, { ...adaptation, nodeRolePolicies: [own] }), {
      ...adaptation,
      nodeRolePolicies: [own]
    })
    const rolesOf = (template: string) => renderedRoles(renderTemplate(template, settings))
    const [before, after] = [rolesOf(text)[0], rolesOf(twice)[0]]
    expect(after).toEqual({ ...before, policyArns: [...(before?.policyArns ?? []), own] })
  })

  it('leaves out what others made, and lets the policies name theirs', () => {
    const nodeRoleArn = 'arn:aws:iam::111122223333:role/Karpenter-blue-2024'
    const queueArn = 'arn:aws:sqs:eu-west-1:111122223333:Karpenter-blue'
    const others = { nodeRoleArn, queueArn }
    const adapted = adaptTemplate(text, { ...adaptation, nodeRoleName: 'Karpenter-blue-2024', others })
    const stack = renderTemplate(adapted, { ...settings, nodeRoleArn })
    expect([...new Set(stack.resources.map(({ type }) => type))]).toEqual(['AWS::IAM::ManagedPolicy'])
    expect(stack.nodeRole).toEqual({ logicalId: undefined, name: 'Karpenter-blue-2024', arn: nodeRoleArn })
    expect(stack.queue).toBeUndefined()
    const documents = JSON.stringify(stack.policies.map(({ document }) => document))
    expect(documents).toContain(`"${nodeRoleArn}"`)
    expect(documents).toContain(`"${queueArn}"`)
    expect(adaptTemplate(adapted, { ...adaptation, others })).toBe(adapted)
  })

  it('has one resource that is nothing where others made everything', () => {
    const others = {
      nodeRoleArn: 'arn:aws:iam::111122223333:role/nodes',
      queueArn: 'arn:aws:sqs:eu-west-1:111122223333:blue',
      policyNames: renderTemplate(text, settings).policies.map(({ name }) => name)
    }
    const { nodeRoleArn } = others
    const stack = renderTemplate(adaptTemplate(text, { ...adaptation, others }), { ...settings, nodeRoleArn })
    expect(stack.resources.map(({ type }) => type)).toEqual(['AWS::CloudFormation::WaitConditionHandle'])
  })

  it('keeps the short forms of a template in their meaning', () => {
    const short = `Resources:
  KarpenterNodeRole:
    Type: AWS::IAM::Role
    Properties:
      RoleName: !Sub "KarpenterNodeRole-\${AWS::StackName}"
  Queue:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: !Join ["-", [a, !Ref AWS::Region]]
`
    const stack = renderTemplate(adaptTemplate(short, { ...adaptation, nodeRoleName: 'nodes' }), settings)
    expect(stack.queue).toEqual({
      name: 'a-eu-west-1',
      arn: 'arn:aws:sqs:eu-west-1:111122223333:a-eu-west-1',
      url: 'https://sqs.eu-west-1.amazonaws.com/111122223333/a-eu-west-1'
    })
  })

  it('says so when there is no such role to rename', () => {
    expect(() => adaptTemplate('Resources: {}', { ...adaptation, nodeRoleName: 'nodes' })).toThrow(
      'node-role-name: the template has no role KarpenterNodeRole'
    )
    expect(() => adaptTemplate('Resources: {}', { ...adaptation, nodeRolePolicies: ['arn'] })).toThrow(
      'node-role-policies: the template has no role KarpenterNodeRole'
    )
  })
})
