import { policySize, renderTemplate, type StackSettings } from '../../src/karpenter/rendered-stack.js'
import { builtInTemplateText } from '../../src/karpenter/template-built-in.js'

const settings: StackSettings = {
  clusterName: 'blue',
  stackName: 'Karpenter-blue',
  account: { id: '111122223333', partition: 'aws', region: 'eu-west-1', urlSuffix: 'amazonaws.com' }
}
const role = `
  KarpenterNodeRole:
    Type: AWS::IAM::Role
    Properties: { RoleName: nodes, Path: /karpenter/ }
`

describe('renderTemplate', () => {
  it('knows every name and ARN before the stack is made', () => {
    const stack = renderTemplate(builtInTemplateText('1.14.1'), settings)
    expect(stack.nodeRole).toEqual({
      logicalId: 'KarpenterNodeRole',
      name: 'KarpenterNodeRole-blue',
      arn: 'arn:aws:iam::111122223333:role/KarpenterNodeRole-blue'
    })
    expect(stack.queue).toEqual({
      name: 'blue',
      arn: 'arn:aws:sqs:eu-west-1:111122223333:blue',
      url: 'https://sqs.eu-west-1.amazonaws.com/111122223333/blue'
    })
    expect(stack.parameters).toEqual({ ClusterName: 'blue' })
    expect(stack.capabilities).toEqual(['CAPABILITY_NAMED_IAM'])
    expect(stack.policies.map(({ arn }) => arn)).toContain(
      'arn:aws:iam::111122223333:policy/KarpenterControllerInterruptionPolicy-blue'
    )
    expect(JSON.stringify(stack.policies)).not.toContain('${')
    expect(stack.names['SpotInterruptionRule']).toBe('SpotInterruptionRule')
  })

  it.each([
    ['aws-cn', 'cn-north-1', 'amazonaws.com.cn'],
    ['aws-us-gov', 'us-gov-west-1', 'amazonaws.com']
  ] as const)('is right in %s', (partition, region, urlSuffix) => {
    const account = { id: '111122223333', partition, region, urlSuffix }
    const stack = renderTemplate(builtInTemplateText('1.14.1'), { ...settings, account })
    const all = JSON.stringify(stack)
    expect(all).toContain(`arn:${partition}:ec2:${region}:*:subnet/*`)
    expect(all).toContain(`"ec2.${urlSuffix}"`)
    expect(all).not.toContain('arn:aws:')
  })

  it('respects paths, conditions, mappings and defaults of a template', () => {
    const stack = renderTemplate(
      `
Parameters:
  Size: { Type: String, Default: large }
Mappings:
  Names: { eu-west-1: { queue: from-map } }
Conditions:
  Large: !Equals [!Ref Size, large]
  Small: !Not [!Condition Large]
Resources:${role}
  Queue:
    Type: AWS::SQS::Queue
    Condition: Large
    Properties:
      QueueName: !FindInMap [Names, !Ref AWS::Region, queue]
      Unset: !If [Small, 1, !Ref AWS::NoValue]
  Other: { Type: AWS::SNS::Topic, Condition: Small }
`,
      settings
    )
    expect(stack.nodeRole.arn).toBe('arn:aws:iam::111122223333:role/karpenter/nodes')
    expect(stack.queue?.name).toBe('from-map')
    expect(stack.resources.map(({ logicalId }) => logicalId)).toEqual(['KarpenterNodeRole', 'Queue'])
    expect(stack.resources[1]?.properties).toEqual({ QueueName: 'from-map' })
    expect(stack.parameters).toEqual({})
  })

  it.each([
    ['not: a template', 'it has no Resources'],
    ['Resources: [', 'neither YAML nor JSON'],
    ['Resources: { A: {} }', 'resource A has no Type'],
    [`Parameters: { Vpc: { Type: String } }\nResources:${role}`, 'parameter Vpc has no default'],
    [
      `Resources:${role}  Q:\n    Type: AWS::SQS::Queue\n    Properties: { QueueName: !Ref Nothing }`,
      'Nothing is neither a parameter nor a resource'
    ],
    [
      `Resources:${role}  P:\n    Type: AWS::IAM::ManagedPolicy\n    Properties: { PolicyDocument: {} }`,
      'managed policy P has no ManagedPolicyName'
    ],
    [
      `Resources:${role}  P:\n    Type: AWS::IAM::ManagedPolicy\n    Properties: { ManagedPolicyName: p, PolicyDocument: "{" }`,
      'P: '
    ],
    ['Resources: { Q: { Type: AWS::SQS::Queue } }', 'no role that EC2 may take'],
    ['Resources: { KarpenterNodeRole: { Type: AWS::IAM::Role } }', 'has no RoleName']
  ])('refuses %j', (text, problem) => {
    expect(() => renderTemplate(text, settings)).toThrow(problem)
    expect(() => renderTemplate(text, settings)).toThrow(/^template: /)
  })
})

describe('policySize', () => {
  it('leaves white space out, as IAM does', () => {
    expect(policySize({ Sid: 'a b' })).toBe('{"Sid":"ab"}'.length)
  })
})
