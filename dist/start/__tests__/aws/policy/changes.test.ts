import { policyChanges } from '../../../src/aws/policy/changes.js'

describe('policyChanges', () => {
  const policy = (name: string, ...statements: readonly unknown[]): { name: string; document: unknown } => ({
    name,
    document: { Version: '2012-10-17', Statement: statements }
  })
  const read = { Sid: 'Read', Effect: 'Allow', Action: 'ec2:DescribeImages', Resource: '*' }

  it('finds nothing where a list of one became its value', () => {
    const after = policy('b', { ...read, Action: ['ec2:DescribeImages'], Resource: ['*'] })
    expect(policyChanges([policy('a', read)], [after])).toEqual({
      added: [],
      removed: [],
      statements: [],
      policies: { added: ['b'], removed: ['a'] }
    })
  })

  it('counts no denial among what is allowed, and says it by its statement', () => {
    const deny = { Sid: 'No', Effect: 'Deny', Action: 'ec2:RunInstances', Resource: '*' }
    const changes = policyChanges([policy('a', read)], [policy('a', read, deny)])
    expect(changes.added).toEqual([])
    expect(changes.statements).toEqual([
      {
        policy: 'a',
        statement: 'No',
        change: 'added',
        gains: ['Effect: Deny', 'Action: ec2:RunInstances', 'Resource: *'],
        loses: []
      }
    ])
  })
})
