import { renderedQueue, renderedRules } from '../../src/karpenter/rendered-interruption.js'
import { renderTemplate, type RenderedStack } from '../../src/karpenter/rendered-stack.js'
import { builtInTemplateText } from '../../src/karpenter/template-built-in.js'

const rendered = (edit: (text: string) => string = (text) => text): RenderedStack =>
  renderTemplate(edit(builtInTemplateText('1.14.0')), {
    clusterName: 'blue',
    stackName: 'Karpenter-blue',
    account: { id: '111122223333', partition: 'aws', region: 'eu-west-1', urlSuffix: 'amazonaws.com' }
  })
const arn = 'arn:aws:sqs:eu-west-1:111122223333:blue'

describe('The queue of a rendered stack', () => {
  it('has the attributes as SQS takes them, the policy, and no delay', () => {
    const queue = renderedQueue(rendered())
    expect(queue).toMatchObject({
      logicalId: 'KarpenterInterruptionQueue',
      name: 'blue',
      url: 'https://sqs.eu-west-1.amazonaws.com/111122223333/blue',
      attributes: {
        MessageRetentionPeriod: '300',
        SqsManagedSseEnabled: 'true',
        DelaySeconds: '0',
        VisibilityTimeout: '30',
        MaximumMessageSize: '262144',
        RedrivePolicy: ''
      },
      tags: {}
    })
    expect(queue?.policy).toMatchObject({ Id: 'EC2InterruptionPolicy', Statement: [{ Resource: arn }, {}] })
  })

  it("goes by the template's own delay, and leaves out what only CloudFormation can know", () => {
    const own = rendered((text) =>
      text.replace(
        'SqsManagedSseEnabled: true',
        'DelaySeconds: 5\n      KmsMasterKeyId: !GetAtt KarpenterNodeRole.RoleId\n      Tags: [{ Key: a, Value: b }]'
      )
    )
    expect(renderedQueue(own)).toMatchObject({ attributes: { DelaySeconds: '5' }, tags: { a: 'b' } })
    expect(renderedQueue(own)?.attributes).not.toHaveProperty('KmsMasterKeyId')
  })

  it('is none when the template gives it no name', () => {
    const unnamed = rendered((text) => text.replace(/ +QueueName:\n\s+Fn::Sub: \$\{ClusterName\}\n/, ''))
    expect(unnamed.queue).toBeUndefined()
    expect(renderedQueue(unnamed)).toBeUndefined()
    expect(renderedRules(unnamed)[0]?.targets).toEqual([{ Id: 'KarpenterInterruptionQueueTarget' }])
  })
})

describe('The rules of a rendered stack', () => {
  it('are five that lead to the queue', () => {
    const rules = renderedRules(rendered())
    expect(rules).toHaveLength(5)
    expect(rules[0]).toMatchObject({
      logicalId: 'ScheduledChangeRule',
      name: undefined,
      pattern: { source: ['aws.health'], 'detail-type': ['AWS Health Event'] },
      state: 'ENABLED',
      targets: [{ Id: 'KarpenterInterruptionQueueTarget', Arn: arn }]
    })
  })

  it.each([
    ['{"source":["aws.health"],"detail-type":["x"]}', { source: ['aws.health'], 'detail-type': ['x'] }],
    ['{"source"', undefined]
  ])('may have their pattern as text: %s', (pattern, expected) => {
    const own = rendered((template) =>
      template.replace(/EventPattern:\n(.+\n){4}/, `EventPattern: '${pattern}'\n`)
    )
    expect(renderedRules(own)[0]?.pattern).toEqual(expected)
  })

  it('of another bus than the default one are none of ours: no event of AWS is there', () => {
    const other = rendered((text) =>
      text.replace(
        'RebalanceRule:\n    Type: AWS::Events::Rule\n    Properties:',
        '$&\n      EventBusName: own'
      )
    )
    expect(renderedRules(other).map(({ logicalId }) => logicalId)).not.toContain('RebalanceRule')
    expect(renderedRules(other)).toHaveLength(4)
  })
})
