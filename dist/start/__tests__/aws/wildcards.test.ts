import { matches, matchesAction } from '../../src/aws/wildcards.js'

it.each([
  ['arn:aws:iam::1:role/*', 'arn:aws:iam::1:role/team/nodes', true],
  ['arn:aws:iam::1:role/node?', 'arn:aws:iam::1:role/nodes', true],
  ['arn:aws:iam::1:role/node?', 'arn:aws:iam::1:role/node', false],
  ['arn:aws:iam::1:role/Nodes', 'arn:aws:iam::1:role/nodes', false],
  ['a.c', 'abc', false],
  ['a+(b)[c]', 'a+(b)[c]', true],
  ['*', '', true]
])('%s takes in %s: %s', (pattern, text, expected) => {
  expect(matches(pattern, text)).toBe(expected)
})

it('actions are compared without regard to case', () => {
  expect(matchesAction('EC2:describe*', 'ec2:DescribeImages')).toBe(true)
  expect(matchesAction('ec2:Describe*', 'ec2:RunInstances')).toBe(false)
})
