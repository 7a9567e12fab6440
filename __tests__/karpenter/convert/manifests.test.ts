import fc from 'fast-check'
import { dump } from 'js-yaml'
import { isMap, mapAt } from '../../../src/engine/json.js'
import { readManifests } from '../../../src/karpenter/convert/manifests.js'

const facts = { clusterName: 'eksworkshop', nodeRoleName: 'KarpenterNodeRole-eksworkshop', tags: {} }

/** The guide's manifest: its wrong group, its placeholder, and both of consolidation and ttlSecondsAfterEmpty. */
const guide = `
apiVersion: karpenter.sh/v1alpha5
kind: Provisioner
metadata:
  name: default
spec:
  labels:
    intent: apps
  requirements:
    - key: karpenter.sh/capacity-type
      operator: In
      values: [spot]
  limits:
    resources:
      cpu: 1000
      memory: 1000Gi
  consolidation:
    enabled: true
  ttlSecondsAfterEmpty: 30
  ttlSecondsUntilExpired: 2592000
  providerRef:
    name: default
---
apiVersion: karpenter.k8s.aws/v1alpha1
kind: AWSNodeTemplate
metadata:
  name: default
spec:
  subnetSelector:
    karpenter.sh/discovery: \${CLUSTER_NAME}
  securityGroupSelector:
    karpenter.sh/discovery: \${CLUSTER_NAME}
  tags:
    team: platform
`

describe('readManifests', () => {
  const read = readManifests(guide, 'guide.yaml', facts)
  const pool = mapAt(read.nodePools[0], 'spec')
  const nodeClass = mapAt(read.nodeClasses[0], 'spec')

  it("converts the guide's Provisioner, consolidation winning over ttlSecondsAfterEmpty", () => {
    expect(pool['disruption']).toEqual({
      consolidationPolicy: 'WhenEmptyOrUnderutilized',
      consolidateAfter: '0s'
    })
    expect(read.warnings).toContainEqual(expect.stringMatching(/ttlSecondsAfterEmpty exclude each other/))
    expect(pool['limits']).toEqual({ cpu: '1000', memory: '1000Gi' })
    expect(mapAt(mapAt(pool, 'template'), 'metadata')).toEqual({ labels: { intent: 'apps' } })
    expect(mapAt(mapAt(pool, 'template'), 'spec')).toMatchObject({
      nodeClassRef: { group: 'karpenter.k8s.aws', kind: 'EC2NodeClass', name: 'default' },
      expireAfter: '2592000s'
    })
  })

  it('writes out what the old webhook assumed, and says so', () => {
    const requirements = mapAt(mapAt(pool, 'template'), 'spec')['requirements']
    expect(requirements).toEqual([
      { key: 'karpenter.sh/capacity-type', operator: 'In', values: ['spot'] },
      { key: 'kubernetes.io/os', operator: 'In', values: ['linux'] },
      { key: 'kubernetes.io/arch', operator: 'In', values: ['amd64'] },
      { key: 'karpenter.k8s.aws/instance-category', operator: 'In', values: ['c', 'm', 'r'] },
      { key: 'karpenter.k8s.aws/instance-generation', operator: 'Gt', values: ['2'] }
    ])
    expect(read.warnings).toContainEqual(expect.stringContaining('written out'))
  })

  it("converts the guide's AWSNodeTemplate", () => {
    expect(nodeClass).toMatchObject({
      role: 'KarpenterNodeRole-eksworkshop',
      amiSelectorTerms: [{ alias: 'al2023@latest' }],
      subnetSelectorTerms: [{ tags: { 'karpenter.sh/discovery': 'eksworkshop' } }],
      securityGroupSelectorTerms: [{ tags: { 'karpenter.sh/discovery': 'eksworkshop' } }],
      tags: { team: 'platform' }
    })
  })

  it("takes a Provisioner under the guide's wrong group, with a warning", () => {
    const wrong = guide.replace('karpenter.sh/v1alpha5', 'karpenter.k8s.aws/v1alpha5')
    const converted = readManifests(wrong, 'guide.yaml', facts)
    expect(converted.nodePools).toEqual(read.nodePools)
    expect(converted.warnings).toContainEqual(expect.stringContaining('its group is karpenter.sh'))
  })

  it('makes a default EC2NodeClass where a Provisioner refers to one that is not in the text', () => {
    const converted = readManifests(guide.split('---')[0] ?? '', 'guide.yaml', facts)
    expect(converted.nodeClasses.map((each) => each.metadata.name)).toEqual(['default'])
    expect(converted.warnings).toContainEqual(
      expect.stringContaining('AWSNodeTemplate default is not in the manifest')
    )
  })

  it("makes no EC2NodeClass for a v1 NodePool: it may be the cluster's own", () => {
    const text = dump(read.nodePools[0])
    expect(readManifests(text, 'pools.yaml', facts)).toMatchObject({
      nodePools: read.nodePools,
      nodeClasses: [],
      warnings: []
    })
  })

  it('never scales down where the Provisioner did not', () => {
    const text = guide.replace('enabled: true', 'enabled: false').replace('  ttlSecondsAfterEmpty: 30\n', '')
    const converted = readManifests(text, 'guide.yaml', facts)
    expect(mapAt(converted.nodePools[0], 'spec')['disruption']).toMatchObject({ consolidateAfter: 'Never' })
  })

  it('lists every problem with its document', () => {
    const text =
      'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\n---\nkind: NodePool\n---\napiVersion: karpenter.sh/v1beta1\nkind: NodePool\nmetadata: {name: b}\n'
    expect(() => readManifests(text, 'pools.yaml', facts)).toThrow(
      /^node-pools: pools\.yaml: document 1: Deployment a .*\ndocument 2: apiVersion, kind.*\ndocument 3: NodePool b \(karpenter\.sh\/v1beta1\) is not supported/
    )
  })

  it.each([
    ['', 'has no manifest'],
    ['a: [', 'is not YAML']
  ])('refuses %j', (text, problem) => {
    expect(() => readManifests(text, 'pools.yaml', facts)).toThrow(problem)
  })

  it('gives any Provisioner what v1 requires', () => {
    const seconds = fc.option(fc.nat({ max: 1e7 }), { nil: undefined })
    const selector = fc.dictionary(fc.constantFrom('aws-ids', 'Name', 'team'), fc.constantFrom('a', 'a,b'))
    fc.assert(
      fc.property(seconds, seconds, fc.boolean(), selector, (empty, expired, enabled, subnetSelector) => {
        const spec = {
          ...(empty !== undefined && { ttlSecondsAfterEmpty: empty }),
          ...(expired !== undefined && { ttlSecondsUntilExpired: expired }),
          consolidation: { enabled },
          provider: { subnetSelector }
        }
        const text = dump({
          apiVersion: 'karpenter.sh/v1alpha5',
          kind: 'Provisioner',
          metadata: { name: 'p' },
          spec
        })
        const { nodePools, nodeClasses } = readManifests(text, 'p.yaml', facts)
        const own = mapAt(nodePools[0], 'spec')
        expect(mapAt(own, 'disruption')['consolidateAfter']).toMatch(/^(\d+s|Never)$/)
        expect(mapAt(mapAt(own, 'template'), 'spec')['expireAfter']).toMatch(/^(\d+s|Never)$/)
        const terms = mapAt(nodeClasses[0], 'spec')['subnetSelectorTerms']
        expect(Array.isArray(terms) && terms.length > 0 && terms.every(isMap)).toBe(true)
      })
    )
  })
})
