import { isClaimOfEc2, isPoolOfEc2 } from '../../src/karpenter/node-class-group.js'

it.each([
  ['karpenter.k8s.aws', true],
  ['eks.amazonaws.com', false],
  ['karpenter.azure.com', false],
  [undefined, true]
])('a NodePool or NodeClaim whose node class is of group %s is ours to look at: %s', (group, expected) => {
  const nodeClassRef = { name: 'default', ...(group !== undefined && { group }) }
  const of = { apiVersion: 'karpenter.sh/v1', metadata: { name: 'default' } }
  expect(isPoolOfEc2({ ...of, kind: 'NodePool', spec: { template: { spec: { nodeClassRef } } } })).toBe(
    expected
  )
  expect(isClaimOfEc2({ ...of, kind: 'NodeClaim', spec: { nodeClassRef } })).toBe(expected)
})
