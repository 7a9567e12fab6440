import { matches } from '../../src/engine/wildcards.js'

it.each([
  ['node-pool/*', 'node-pool/default', true],
  ['node-pool/*', 'a node-pool/default', false],
  ['*/default', 'node-pool/default', true],
  ['*/default', 'node-pool/default-2', false],
  ['node?', 'nodes', true],
  ['node?', 'node', false],
  ['?o?e', 'node', true],
  ['*o*e*', 'node pool', true],
  ['Nodes', 'nodes', false],
  ['a.c', 'abc', false],
  ['a+(b)[c]{d}^$|\\', 'a+(b)[c]{d}^$|\\', true],
  ['a*c', 'a\nb\nc', true],
  ['*', '', true]
])('%j takes in %j: %s', (pattern, text, expected) => {
  expect(matches(pattern, text)).toBe(expected)
})
