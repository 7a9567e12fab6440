import type { Difference } from '../../src/engine/difference.js'
import { type ClaimFacts, nodeDrift, type NodeDriftFacts } from '../../src/upgrade/node-drift.js'

const containing = (part: string): unknown => expect.stringContaining(part)
const difference = (path: string, wanted: unknown = 'new', live: unknown = 'old'): Difference => ({
  path,
  wanted,
  live,
  reason: '',
  severity: 'cosmetic'
})
const claim = (name: string, more: Partial<ClaimFacts> = {}): ClaimFacts => ({
  name,
  nodePool: 'default',
  nodeClass: 'default',
  labels: { 'kubernetes.io/arch': 'amd64' },
  drifted: false,
  ...more
})
const nodeClass = (spec: object = {}, name = 'default') => ({
  apiVersion: 'karpenter.k8s.aws/v1',
  kind: 'EC2NodeClass',
  metadata: { name },
  spec: { amiSelectorTerms: [{ alias: 'al2023@v20260101' }], ...spec }
})
const nodePool = (requirements: readonly object[] = []) => ({
  apiVersion: 'karpenter.sh/v1',
  kind: 'NodePool',
  metadata: { name: 'default' },
  spec: { template: { spec: { requirements } } }
})
const claims = [claim('a'), claim('b'), claim('c', { nodePool: 'batch', nodeClass: 'batch' })]

function drift(facts: Partial<NodeDriftFacts>): ReturnType<typeof nodeDrift> {
  return nodeDrift({
    from: '1.14.0',
    to: '1.14.0',
    hashes: { from: 'v5', to: 'v5' },
    claims,
    nodePools: [],
    nodeClasses: [],
    wantedNodeClasses: [nodeClass()],
    securityGroupTags: false,
    ...facts
  })
}
const changedClass = (...differences: Difference[]): Partial<NodeDriftFacts> => ({
  nodeClasses: [{ manifest: nodeClass(), differences }]
})
const changedPool = (requirements: readonly object[], ...paths: string[]): Partial<NodeDriftFacts> => ({
  nodePools: [{ manifest: nodePool(requirements), differences: paths.map((path) => difference(path)) }]
})

describe('nodeDrift', () => {
  it('expects no node to be replaced by a change of version alone, and says why the hash does not', () => {
    expect(drift({ from: '1.2.1', hashes: { from: 'v4', to: 'v5' } })).toEqual({
      nodes: 3,
      replaced: 0,
      mayBeReplaced: 0,
      driftedAlready: 0,
      causes: [],
      notes: [expect.stringMatching(/from v4 to v5: .* replaces no node/)]
    })
    expect(drift({ from: '1.12.0' }).notes).toEqual([])
    expect(drift({ from: '1.2.1', claims: [] }).notes).toEqual([])
  })

  it.each(['spec.userData', 'spec.tags.team', 'spec.role', 'spec.blockDeviceMappings[0].ebs.volumeSize'])(
    'replaces all nodes of an EC2NodeClass whose %s changes',
    (path) => {
      expect(drift(changedClass(difference(path)))).toMatchObject({
        replaced: 2,
        mayBeReplaced: 0,
        causes: [{ object: 'EC2NodeClass default', nodes: 2, certain: true, reason: containing(path) }]
      })
    }
  )

  it.each(['metadata.labels.team', 'spec.ipPrefixCount'])('replaces none for %s', (path) => {
    expect(drift(changedClass(difference(path)))).toMatchObject({ replaced: 0, mayBeReplaced: 0, causes: [] })
  })

  it('says that it does not know the hash of a version where it does not', () => {
    const hashes = { from: 'v6', to: undefined }
    expect(drift({ from: '1.15.2', to: '1.99.0', hashes }).notes).toEqual([
      'whether the hash of EC2NodeClasses is another one (v6 of 1.15.2, not known of 1.99.0) is not known: if it is, Karpenter 1.99.0 renews it on EC2NodeClasses and NodeClaims alike, and replaces no node for that'
    ])
    expect(drift({ from: '1.99.0', to: '1.99.0', hashes: { from: undefined, to: undefined } }).notes).toEqual(
      []
    )
    expect(drift({ from: '1.15.2', to: '1.99.0', hashes: { from: 'v6', to: 'v6' } }).notes).toEqual([])
  })

  it('says of kubelet that it is part of the hash only since 1.1', () => {
    const changed = changedClass(difference('spec.kubelet.maxPods'))
    expect(drift({ ...changed, from: '1.0.5', to: '1.0.8' }).replaced).toBe(0)
    expect(drift({ ...changed, from: '1.1.0', to: '1.1.1' }).replaced).toBe(2)
  })

  it.each([
    'spec.subnetSelectorTerms',
    'spec.securityGroupSelectorTerms',
    'spec.capacityReservationSelectorTerms'
  ])('says of %s that nodes which are no longer found may be replaced', (path) => {
    expect(drift(changedClass(difference(path)))).toMatchObject({
      replaced: 0,
      mayBeReplaced: 2,
      causes: [{ nodes: 2, certain: false }]
    })
  })

  it('replaces all for another AMI family, and none for one that says what the alias says', () => {
    const terms = (alias: string): object => ({ amiSelectorTerms: [{ alias }] })
    const changed = (spec: object, path: string, live: unknown): ReturnType<typeof nodeDrift> =>
      drift({
        nodeClasses: [
          { manifest: nodeClass(spec), differences: [{ ...difference(path, undefined), wanted: spec, live }] }
        ]
      })
    const [path, was] = ['spec.amiSelectorTerms', [{ alias: 'al2023@v20260101' }]]
    expect(changed(terms('bottlerocket@v1.40.0'), path, was)).toMatchObject({ replaced: 2, mayBeReplaced: 0 })
    expect(changed(terms('al2023@v20260201'), path, was)).toMatchObject({ replaced: 0, mayBeReplaced: 2 })
    expect(changed({ amiFamily: 'AL2023' }, 'spec.amiFamily', undefined)).toMatchObject({ replaced: 0 })
    expect(changed({ amiFamily: 'Custom' }, 'spec.amiFamily', undefined)).toMatchObject({ replaced: 2 })
  })

  it('replaces all nodes of a NodePool whose template changes, and none for its limits and budgets', () => {
    expect(drift(changedPool([], 'spec.template.spec.taints', 'spec.limits.cpu'))).toMatchObject({
      replaced: 2,
      causes: [{ object: 'NodePool default', reason: containing('spec.template.spec.taints changes,') }]
    })
    expect(drift(changedPool([], 'spec.limits.cpu', 'spec.disruption.budgets'))).toMatchObject({
      replaced: 0
    })
  })

  it('counts for requirements the nodes whose labels do not meet them', () => {
    const arm = { key: 'kubernetes.io/arch', operator: 'In', values: ['arm64'] }
    const both = { ...arm, values: ['arm64', 'amd64'] }
    const mixed = [...claims, claim('d', { labels: { 'kubernetes.io/arch': 'arm64' } })]
    const path = 'spec.template.spec.requirements'
    expect(drift({ ...changedPool([arm], path), claims: mixed })).toMatchObject({
      replaced: 2,
      causes: [{ certain: true, nodes: 2 }]
    })
    expect(drift({ ...changedPool([both], path), claims: mixed })).toMatchObject({ replaced: 0, causes: [] })
  })

  it('counts none that had drifted before among those of this run, which may undo why', () => {
    const mixed = [claim('a', { drifted: true }), claim('b')]
    expect(drift({ ...changedClass(difference('spec.userData')), claims: mixed })).toMatchObject({
      nodes: 2,
      replaced: 1,
      driftedAlready: 1,
      causes: [{ nodes: 1 }]
    })
  })

  it('counts a node with two causes once', () => {
    const both = {
      ...changedClass(difference('spec.userData')),
      ...changedPool([], 'spec.template.spec.taints')
    }
    expect(drift(both)).toMatchObject({ replaced: 2, mayBeReplaced: 0, causes: [{ nodes: 2 }, { nodes: 2 }] })
  })

  it('says that security groups that get the tag of the selector may replace nodes', () => {
    const terms = [{ tags: { 'karpenter.sh/discovery': 'blue' } }]
    const facts = {
      securityGroupTags: true,
      wantedNodeClasses: [nodeClass({ securityGroupSelectorTerms: terms })]
    }
    expect(drift(facts)).toMatchObject({ replaced: 0, mayBeReplaced: 2 })
    const byId = {
      ...facts,
      wantedNodeClasses: [nodeClass({ securityGroupSelectorTerms: [{ id: 'sg-1' }] })]
    }
    expect(drift(byId)).toMatchObject({ mayBeReplaced: 0 })
  })

  it('tells nodes that follow the latest image and nodes that had drifted before from those of this run', () => {
    const { replaced, driftedAlready, notes } = drift({
      claims: [claim('a', { drifted: true }), claim('b')],
      wantedNodeClasses: [nodeClass({ amiSelectorTerms: [{ alias: 'al2023@latest' }] })]
    })
    expect([replaced, driftedAlready]).toEqual([0, 1])
    expect(notes).toEqual([
      expect.stringMatching(/al2023@latest: of its 2 nodes, .* with or without this run/)
    ])
  })
})
