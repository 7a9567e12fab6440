import { describe, expect, it } from '@jest/globals'
import { Account } from './account.js'

const trust = { Version: '2012-10-17', Statement: [] }
const resources = {
  Jobs: { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'jobs' } },
  Nodes: { Type: 'AWS::IAM::Role', Properties: { RoleName: 'nodes', AssumeRolePolicyDocument: trust } }
}

describe("a stack's tags", () => {
  const made = async (): Promise<Account> => {
    const account = new Account()
    await account.call('CreateStack', {
      StackName: 'one',
      TemplateBody: JSON.stringify({ Resources: resources }),
      Capabilities: ['CAPABILITY_NAMED_IAM'],
      Tags: [{ Key: 'team', Value: 'platform' }]
    })
    await account.settled('one')
    return account
  }

  it("are on its queue, with CloudFormation's own", async () => {
    const account = await made()
    const { StackId } = await account.stack('one')
    expect([...account.queueTags.values()]).toEqual([
      {
        team: 'platform',
        'aws:cloudformation:logical-id': 'Jobs',
        'aws:cloudformation:stack-id': StackId,
        'aws:cloudformation:stack-name': 'one'
      }
    ])
  })

  it("are on its role without CloudFormation's own, which roles do not get", async () => {
    const account = await made()
    expect(account.roles.get('nodes')?.tags).toEqual([{ Key: 'team', Value: 'platform' }])
  })
})
