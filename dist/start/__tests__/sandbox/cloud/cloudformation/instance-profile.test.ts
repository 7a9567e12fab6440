import { describe, expect, it } from '@jest/globals'
import { Account } from './account.js'

const trust = { Version: '2012-10-17', Statement: [] }
const role = (RoleName: string): unknown => ({
  Type: 'AWS::IAM::Role',
  Properties: { RoleName, AssumeRolePolicyDocument: trust }
})

function stack(profile: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return {
    StackName: 'one',
    Capabilities: ['CAPABILITY_NAMED_IAM'],
    TemplateBody: JSON.stringify({
      Resources: {
        First: role('first'),
        Second: role('second'),
        Profile: { Type: 'AWS::IAM::InstanceProfile', Properties: profile }
      },
      Outputs: { Arn: { Value: { 'Fn::GetAtt': ['Profile', 'Arn'] } }, Name: { Value: { Ref: 'Profile' } } }
    })
  }
}

const nodes = { InstanceProfileName: 'nodes', Roles: [{ Ref: 'First' }] }

describe('an instance profile of a stack', () => {
  it('is made with its role in it, and known by name and ARN', async () => {
    const account = new Account()
    await account.call('CreateStack', stack(nodes))
    expect(await account.settled('one')).toMatchObject({
      StackStatus: 'CREATE_COMPLETE',
      Outputs: [
        { OutputKey: 'Arn', OutputValue: 'arn:aws:iam::111122223333:instance-profile/nodes' },
        { OutputKey: 'Name', OutputValue: 'nodes' }
      ]
    })
    expect([...account.instanceProfiles]).toEqual([['nodes', new Set(['first'])]])
  })

  it('exchanges its role in place', async () => {
    const account = new Account()
    await account.call('CreateStack', stack(nodes))
    await account.settled('one')
    await account.call('UpdateStack', stack({ ...nodes, Roles: [{ Ref: 'Second' }] }))
    expect(await account.settled('one')).toMatchObject({ StackStatus: 'UPDATE_COMPLETE' })
    expect([...account.instanceProfiles]).toEqual([['nodes', new Set(['second'])]])
  })

  it('goes with the stack, the role out of it first', async () => {
    const account = new Account()
    await account.call('CreateStack', stack(nodes))
    await account.settled('one')
    await account.call('DeleteStack', { StackName: 'one' })
    await expect(account.settled('one')).rejects.toThrow('does not exist')
    expect(account.instanceProfiles.size).toBe(0)
    const removal = account.calls.filter((call) => /Remove|Delete/.test(call) && call.includes('Profile'))
    expect(removal).toEqual(['iam:RemoveRoleFromInstanceProfile', 'iam:DeleteInstanceProfile'])
  })

  it('fails where its name is taken, and what had the name stays', async () => {
    const account = new Account()
    account.instanceProfiles.set('nodes', new Set())
    await account.call('CreateStack', stack(nodes))
    expect(await account.settled('one')).toMatchObject({ StackStatus: 'ROLLBACK_COMPLETE' })
    expect((await account.events('one')).join('\n')).toContain("identifier 'nodes' already exists.")
    expect(account.instanceProfiles.has('nodes')).toBe(true)
  })

  it('cannot be without a role', async () => {
    const account = new Account()
    await account.call('CreateStack', stack({ InstanceProfileName: 'nodes' }))
    expect(await account.settled('one')).toMatchObject({ StackStatus: 'ROLLBACK_COMPLETE' })
    expect((await account.events('one')).join('\n')).toContain('required key [Roles] not found')
  })
})
