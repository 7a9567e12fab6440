import { nodeClassEffect, nodePoolEffect } from '../../src/karpenter/drift-hash.js'

describe('drift hash', () => {
  it.each([
    ['spec.userData', 'all'],
    ['spec.tags.team', 'all'],
    ['spec.kubelet.maxPods', 'all'],
    ['spec.amiSelectorTerms[0].alias', 'those that no longer fit'],
    ['spec.amiFamily', 'none'],
    ['spec.ipPrefixCount', 'none'],
    ['metadata.labels.team', 'none'],
    ['', 'none']
  ])('a change of %s in an EC2NodeClass reaches: %s', (path, effect) => {
    expect(nodeClassEffect(path, '1.14.0')).toBe(effect)
  })

  it.each([
    ['spec.template.metadata.labels.team', 'all'],
    ['spec.template.spec.expireAfter', 'all'],
    ['spec.template.spec.requirements', 'those that no longer fit'],
    ['spec.limits.cpu', 'none'],
    ['spec.disruption.consolidateAfter', 'none']
  ])('a change of %s in a NodePool reaches: %s', (path, effect) => {
    expect(nodePoolEffect(path)).toBe(effect)
  })
})
