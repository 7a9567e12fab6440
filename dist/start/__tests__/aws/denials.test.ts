import { DescribeSubnetsCommand } from '@aws-sdk/client-ec2'
import { GetQueueAttributesCommand } from '@aws-sdk/client-sqs'
import { DescribeRuleCommand } from '@aws-sdk/client-eventbridge'
import type { Aws } from '../../src/aws/clients.js'
import { withoutEncoded } from '../../src/aws/denials.js'
import { accessDenied, awsProblem } from '../../src/aws/errors.js'
import { awsWith, Refusal } from './stand-in.js'

const encoded = `Encoded authorization failure message: ${'aB3-_'.repeat(120)}`
const user = 'User: arn:aws:sts::111122223333:assumed-role/d/r'

async function thrown(
  action: string,
  refusal: Refusal,
  call: (aws: Aws) => Promise<unknown>
): Promise<unknown> {
  const { aws, close } = await awsWith({
    [action]: () => {
      throw refusal
    }
  })
  const error = await call(aws).then(
    () => undefined,
    (caught: unknown) => caught
  )
  await close()
  return error
}

const subnets = async (aws: Aws) => (await aws.ec2()).send(new DescribeSubnetsCommand({}))
const queue = async (aws: Aws) =>
  (await aws.sqs()).send(new GetQueueAttributesCommand({ QueueUrl: 'https://sqs/1/blue' }))
const rule = async (aws: Aws) => (await aws.eventbridge()).send(new DescribeRuleCommand({ Name: 'r' }))

describe('A denial', () => {
  it('of EC2 is told without its encoded message', async () => {
    const error = await thrown(
      'DescribeSubnets',
      new Refusal(
        'UnauthorizedOperation',
        `You are not authorized to perform this operation. ${user} is not authorized to perform: ec2:DescribeSubnets because no identity-based policy allows the ec2:DescribeSubnets action. ${encoded}`,
        403
      ),
      subnets
    )
    expect(accessDenied(error)).toEqual({
      action: 'ec2:DescribeSubnets',
      resource: undefined,
      because: 'no identity-based policy allows the ec2:DescribeSubnets action'
    })
    expect(awsProblem('subnets', 'could not be read', error).message).toBe(
      "subnets: could not be read: the run's role may not call ec2:DescribeSubnets (no identity-based policy allows the ec2:DescribeSubnets action)"
    )
  })

  it.each<[string, string, Refusal, (aws: Aws) => Promise<unknown>, string]>([
    [
      'without a name',
      'DescribeSubnets',
      new Refusal('UnauthorizedOperation', 'You are not authorized to perform this operation.', 403),
      subnets,
      'ec2:DescribeSubnets'
    ],
    [
      'in small letters',
      'GetQueueAttributes',
      new Refusal(
        'AccessDeniedException',
        `${user} is not authorized to perform: sqs:getqueueattributes on resource: arn:q`,
        403
      ),
      queue,
      'sqs:GetQueueAttributes'
    ],
    [
      'of another action than the one that was called',
      'GetQueueAttributes',
      new Refusal(
        'AccessDeniedException',
        `${user} is not authorized to perform: kms:Decrypt on resource: k`,
        403
      ),
      queue,
      'kms:Decrypt'
    ],
    [
      'of a service that IAM calls otherwise',
      'DescribeRule',
      new Refusal('AccessDeniedException', 'Access denied', 400),
      rule,
      'events:DescribeRule'
    ]
  ])('%s is named by the command that was sent', async (_how, action, refusal, call, named) => {
    expect(accessDenied(await thrown(action, refusal, call))?.action).toBe(named)
  })

  it('in the text of an event is told without its encoded message as well', () => {
    expect(
      withoutEncoded(
        `Unauthorized: You are not authorized to perform this operation. ${encoded}, "status": 403`
      )
    ).toBe('Unauthorized: You are not authorized to perform this operation, "status": 403')
  })
})
