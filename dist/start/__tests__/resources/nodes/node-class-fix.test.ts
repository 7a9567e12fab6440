import type { Condition } from '../../../src/kubernetes/conditions.js'
import { nodeClassFix } from '../../../src/resources/nodes/ec2-node-class.js'

const failing = (type: string, reason: string, message = ''): Condition => ({
  type,
  status: 'False',
  reason,
  message,
  lastTransitionTime: '',
  observedGeneration: 1
})
// As the controller writes it, pkg/controllers/nodeclass/validation.go.
const waits = failing(
  'ValidationSucceeded',
  'DependenciesNotReady',
  'Awaiting AMI, Instance Profile, Security Group, and Subnet resolution'
)
const ready = failing('Ready', 'UnhealthyDependents', 'SubnetsReady=False, AMIsReady=False')

describe('The fix for an EC2NodeClass that is not Ready', () => {
  it.each([
    ['InvalidKubeletConfiguration', 'unknown field "maxPod"'],
    ['UnsupportedKubeletConfiguration', 'the AMI family Bottlerocket does not apply seccompDefault'],
    ['KubeletExpressionInvalid', 'ERROR: undeclared reference'],
    ['KubeletExpressionEvaluationFailed', 'no such key'],
    ['KubeletExpressionsDisabled', 'spec.kubelet contains a CEL expression']
  ])('is spec.kubelet, which the controller judges, for %s', (reason, message) => {
    const fix = nodeClassFix([failing('ValidationSucceeded', reason, message), ready])
    expect(fix).toMatch(/^Correct spec\.kubelet .* from 1\.15 on .* Karpenter's controller that refuses/)
  })

  it.each([
    [failing('SubnetsReady', 'SubnetsNotFound'), /^Tag the subnets/],
    [failing('SecurityGroupsReady', 'SecurityGroupsNotFound'), /^Tag the security group/],
    [failing('AMIsReady', 'AMINotFound'), /amiSelectorTerms/],
    [failing('AMIsReady', 'UnsupportedAlias'), /amiSelectorTerms/],
    [
      failing('InstanceProfileReady', 'InstanceProfileReady', 'creating instance profile'),
      /^The node role must exist/
    ]
  ])('goes by the cause, not by what waits for it and names everything: %j', (cause, fix) => {
    expect(nodeClassFix([cause, waits, ready])).toMatch(fix)
    expect(nodeClassFix([waits, cause, ready])).toMatch(fix)
  })

  it.each([
    ['RunInstancesAuthCheckFailed', /policies, a permissions boundary/],
    ['CreateFleetAuthCheckFailed', /policies, a permissions boundary/],
    ['TagValidationFailed', /out of spec\.tags/],
    ['ClusterCIDRResolutionFailed', /eks:DescribeCluster/],
    ['UserDataSizeLimitExceeded', /^Correct what the message names/],
    ['DRADisabled', /^Correct what the message names/]
  ])('goes by the reason of the validation: %s', (reason, fix) => {
    expect(nodeClassFix([failing('ValidationSucceeded', reason), ready])).toMatch(fix)
  })

  it('goes by Ready where nothing else fails, as up to 1.2', () => {
    expect(
      nodeClassFix([failing('Ready', 'NodeClassNotReady', 'Failed to detect the cluster CIDR')])
    ).toMatch(/eks:DescribeCluster/)
  })
})
