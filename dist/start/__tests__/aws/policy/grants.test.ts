import { policyDifferences } from '../../../src/aws/policy/differences.js'
import type { Grants } from '../../../src/aws/policy/grants.js'

const statement = {
  Sid: 'One',
  Effect: 'Allow',
  Action: ['ec2:RunInstances', 'ec2:CreateFleet'],
  Resource: 'arn:aws:ec2:*:*:instance/*',
  Condition: { StringEquals: { 'aws:RequestedRegion': ['eu-west-1'] } }
}
const policy = (one: object) => ({ Version: '2012-10-17', Statement: [one] })
const grants = (wanted: object, live: object): readonly Grants[] =>
  policyDifferences(policy(wanted), policy(live)).map((difference) => difference.grants)

const less: Grants = { less: true, more: false }
const more: Grants = { less: false, more: true }
const both: Grants = { less: true, more: true }

describe('A live statement', () => {
  it.each<[string, object, Grants]>([
    ['with an action less', { Action: 'ec2:CreateFleet' }, less],
    ['with an action more', { Action: [...statement.Action, 'ec2:StopInstances'] }, more],
    ['with another action', { Action: ['ec2:RunInstances', 'ec2:StopInstances'] }, both],
    ['with a wildcard over all actions', { Action: 'EC2:*' }, more],
    ['with a narrower resource', { Resource: 'arn:aws:ec2:eu-west-1:1:instance/*' }, less],
    ['with every resource', { Resource: '*' }, more],
    ['with NotAction', { Action: undefined, NotAction: ['ec2:RunInstances'] }, both],
    ['without its condition', { Condition: {} }, more],
    [
      'with a condition more',
      { Condition: { ...statement.Condition, Bool: { 'aws:SecureTransport': 'true' } } },
      less
    ],
    [
      'with a value more in its condition',
      { Condition: { StringEquals: { 'aws:RequestedRegion': ['eu-west-1', 'eu-west-2'] } } },
      more
    ],
    [
      'with a star where the operator knows none',
      { Condition: { StringEquals: { 'aws:RequestedRegion': ['*'] } } },
      both
    ],
    ['that denies', { Effect: 'Deny' }, less]
  ])('%s', (_what, change, expected) => {
    const live = JSON.parse(JSON.stringify({ ...statement, ...change })) as object
    expect(grants(statement, live)).toEqual([expected])
  })

  it('that denies more, or is a denial that was added, lets less be done', () => {
    const denial = { ...statement, Effect: 'Deny' }
    expect(grants(denial, { ...denial, Action: '*' })).toEqual([less])
    expect(grants(denial, { ...denial, Action: 'ec2:RunInstances' })).toEqual([more])
    expect(
      policyDifferences(policy(statement), {
        Version: '2012-10-17',
        Statement: [statement, { ...denial, Sid: 'Two' }]
      })
    ).toMatchObject([{ statement: 'Two', change: 'added', grants: less }])
  })

  it('with a value more under a negated operator lets less be done', () => {
    const not = (...values: readonly string[]) => ({
      ...statement,
      Condition: { StringNotLike: { 'aws:PrincipalArn': values } }
    })
    expect(grants(not('a*'), not('a*', 'b*'))).toEqual([less])
    expect(grants(not('abc'), not('a*'))).toEqual([less])
  })
})
