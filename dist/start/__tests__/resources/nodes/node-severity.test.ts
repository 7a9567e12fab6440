import { nodeClassSeverity, nodePoolSeverity } from '../../../src/resources/nodes/node-severity.js'

it.each([
  ['spec.limits.cpu', { wanted: '1000', live: '4' }, 'breaks scaling', 'no node is made beyond it'],
  ['spec.limits.cpu', { wanted: '1000', live: '4000' }, 'changes behaviour', 'how much it may cost'],
  ['spec.limits.memory', { wanted: '1000Gi', live: '1Ti' }, 'changes behaviour', 'how much it may cost'],
  ['spec.limits.memory', { wanted: '1000Gi', live: undefined }, 'changes behaviour', 'how much it may cost'],
  ['spec.limits.nvidia.com/gpu', { wanted: undefined, live: '0' }, 'breaks scaling', 'no node is made'],
  ['spec.template.spec.requirements', {}, 'breaks scaling', 'which nodes can be made at all'],
  ['spec.template.spec.taints', {}, 'breaks scaling', 'pods do not land'],
  ['spec.template.metadata', {}, 'changes behaviour', 'which pods choose its nodes'],
  ['spec.disruption.consolidateAfter', {}, 'changes behaviour', 'when nodes are replaced'],
  ['spec.template.spec.expireAfter', {}, 'changes behaviour', 'when nodes are replaced'],
  ['spec.weight', {}, 'changes behaviour', 'which NodePool is asked first'],
  ['metadata.labels.team', {}, 'cosmetic', 'does not read it']
])('%s of a NodePool: %j', (path, found, severity, effect) => {
  expect(nodePoolSeverity(path, { wanted: 'a', live: 'b', ...found })).toEqual({
    severity,
    effect: expect.stringContaining(effect) as unknown
  })
})

it.each([
  ['spec.metadataOptions.httpTokens', 'weakens security'],
  ['spec.blockDeviceMappings[0].ebs.encrypted', 'weakens security'],
  ['spec.blockDeviceMappings[0].ebs.volumeSize', 'changes behaviour'],
  ['spec.subnetSelectorTerms', 'breaks scaling'],
  ['spec.role', 'breaks scaling'],
  ['spec.userData', 'breaks scaling'],
  ['spec.kubelet.maxPods', 'changes behaviour'],
  ['spec.detailedMonitoring', 'changes behaviour'],
  ['spec.tags.owner', 'cosmetic']
])('%s of an EC2NodeClass %s', (path, severity) => {
  expect(nodeClassSeverity(path, { wanted: 'a', live: 'b' }).severity).toBe(severity)
})
