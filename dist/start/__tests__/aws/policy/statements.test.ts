import { allowancesOf, statementsOf } from '../../../src/aws/policy/statements.js'

const read = { Effect: 'Allow', Action: 'ec2:DescribeImages', Resource: '*' }

it.each([
  ['an object', { Statement: [read] }],
  ['one statement alone', { Statement: read }],
  ['JSON', JSON.stringify({ Statement: [read] })],
  ['JSON in URL encoding, as IAM answers', encodeURIComponent(JSON.stringify({ Statement: [read] }))]
])('statements of %s', (_form, document) => {
  expect(statementsOf(document)).toEqual([read])
})

it('what is no policy has no statements', () => {
  expect(statementsOf({})).toEqual([])
  expect(statementsOf({ Statement: 'Allow' })).toEqual([])
  expect(() => statementsOf('{')).toThrow(SyntaxError)
})

it('what is allowed, and where: no denials, and no resources where only others are named', () => {
  expect(
    allowancesOf([
      {
        Statement: [
          { ...read, Action: ['a:B', 'a:C'], Resource: ['r', 's'] },
          { ...read, Effect: 'Deny' }
        ]
      },
      { Statement: { Effect: 'Allow', Action: 'iam:PassRole', NotResource: 'r' } }
    ])
  ).toEqual([
    { action: 'a:B', resources: ['r', 's'] },
    { action: 'a:C', resources: ['r', 's'] },
    { action: 'iam:PassRole', resources: [] }
  ])
})
