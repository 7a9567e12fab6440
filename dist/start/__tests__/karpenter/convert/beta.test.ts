import { readText, type TextSettings } from './read-text.js'

const settings: TextSettings = {
  source: 'beta.yaml',
  clusterName: 'blue',
  nodeRoleName: 'KarpenterNodeRole-blue',
  kubernetesVersion: '1.32'
}

/** The getting-started guide's of 0.37. */
const guide = `
apiVersion: karpenter.sh/v1beta1
kind: NodePool
metadata: { name: default }
spec:
  template:
    spec:
      requirements:
        - { key: kubernetes.io/arch, operator: In, values: [amd64] }
      kubelet: { maxPods: 20 }
      nodeClassRef:
        apiVersion: karpenter.k8s.aws/v1beta1
        kind: EC2NodeClass
        name: default
  limits: { cpu: 1000 }
  disruption:
    consolidationPolicy: WhenUnderutilized
    expireAfter: 240h
---
apiVersion: karpenter.k8s.aws/v1beta1
kind: EC2NodeClass
metadata: { name: default }
spec:
  amiFamily: AL2
  role: "KarpenterNodeRole-\${CLUSTER_NAME}"
  subnetSelectorTerms: [{ tags: { karpenter.sh/discovery: blue } }]
  securityGroupSelectorTerms: [{ tags: { karpenter.sh/discovery: blue } }]
`

describe('v1beta1', () => {
  it('becomes v1, with what moved in its place', () => {
    const { nodePools, nodeClasses } = readText(guide, settings)
    expect(nodePools.map((one) => one.spec)).toEqual([
      {
        template: {
          spec: {
            requirements: [{ key: 'kubernetes.io/arch', operator: 'In', values: ['amd64'] }],
            nodeClassRef: { group: 'karpenter.k8s.aws', kind: 'EC2NodeClass', name: 'default' },
            expireAfter: '240h'
          }
        },
        limits: { cpu: 1000 },
        disruption: { consolidationPolicy: 'WhenEmptyOrUnderutilized', consolidateAfter: '0s' }
      }
    ])
    expect(nodeClasses.map((one) => one.spec)).toEqual([
      {
        role: 'KarpenterNodeRole-blue',
        amiSelectorTerms: [{ alias: 'al2@latest' }],
        subnetSelectorTerms: [{ tags: { 'karpenter.sh/discovery': 'blue' } }],
        securityGroupSelectorTerms: [{ tags: { 'karpenter.sh/discovery': 'blue' } }],
        metadataOptions: {
          httpEndpoint: 'enabled',
          httpProtocolIPv6: 'disabled',
          httpPutResponseHopLimit: 2,
          httpTokens: 'required'
        },
        kubelet: { maxPods: 20 }
      }
    ])
  })

  it('says each step in a warning', () => {
    const { warnings } = readText(guide, settings)
    expect(warnings).toEqual([
      expect.stringContaining('karpenter.sh/v1beta1 is not served since 1.1'),
      expect.stringContaining('expireAfter moved to spec.template.spec, and is forceful'),
      expect.stringContaining('replaced ${CLUSTER_NAME} by blue'),
      expect.stringContaining('karpenter.k8s.aws/v1beta1 is not served since 1.1'),
      expect.stringContaining('kubelet settings moved to EC2NodeClass default')
    ])
  })

  it('keeps WhenEmpty and its pause, and images that are selected', () => {
    const text = guide
      .replace('WhenUnderutilized', 'WhenEmpty\n    consolidateAfter: 30s')
      .replace('amiFamily: AL2', 'amiFamily: AL2\n  amiSelectorTerms: [{ id: ami-1 }]')
    const { nodePools, nodeClasses } = readText(text, settings)
    expect(nodePools[0]?.spec.disruption).toEqual({
      consolidationPolicy: 'WhenEmpty',
      consolidateAfter: '30s'
    })
    expect(nodeClasses[0]?.spec).toMatchObject({ amiFamily: 'AL2', amiSelectorTerms: [{ id: 'ami-1' }] })
  })

  it('wants the EC2NodeClass where kubelet settings must go into it', () => {
    expect(() => readText(guide.split('---')[0] ?? '', { ...settings, liveNodeClasses: [] })).toThrow(
      'its kubelet settings belong to EC2NodeClass default now'
    )
  })
})
