import { readText } from './read-text.js'

const settings = {
  source: 'live.yaml',
  clusterName: 'blue',
  nodeRoleName: 'KarpenterNodeRole-blue',
  kubernetesVersion: '1.34'
}

/** As `kubectl get ec2nodeclass default -o yaml` prints it. */
const printed = `apiVersion: v1
kind: List
items:
- apiVersion: karpenter.k8s.aws/v1
  kind: EC2NodeClass
  metadata:
    annotations:
      compatibility.karpenter.k8s.aws/v1beta1-nodeclass-hash: "1"
      karpenter.k8s.aws/ec2nodeclass-hash: "9767139434416798171"
      karpenter.k8s.aws/ec2nodeclass-hash-version: v4
      karpenter.sh/stored-version-migrated: "true"
      kubectl.kubernetes.io/last-applied-configuration: "{}"
      setup-karpenter/run: https://github.com/o/r/actions/runs/1
      team: a
    creationTimestamp: "2026-01-01T00:00:00Z"
    finalizers: [karpenter.k8s.aws/termination]
    generation: 2
    labels: { app.kubernetes.io/managed-by: setup-karpenter, tier: gold }
    managedFields: [{ manager: kubectl }]
    name: default
    resourceVersion: "4711"
    uid: 0a1b2c3d-0000-0000-0000-000000000000
  spec:
    role: KarpenterNodeRole-blue
    amiSelectorTerms: [{ alias: al2023@latest }]
    subnetSelectorTerms: [{ id: subnet-1 }]
    securityGroupSelectorTerms: [{ id: sg-1 }]
  status: { conditions: [] }
`

it('An object as the server prints it keeps its name, labels and annotations, with one warning', () => {
  const { nodeClasses, warnings } = readText(printed, settings)
  expect(nodeClasses).toEqual([
    {
      apiVersion: 'karpenter.k8s.aws/v1',
      kind: 'EC2NodeClass',
      metadata: { name: 'default', labels: { tier: 'gold' }, annotations: { team: 'a' } },
      spec: {
        role: 'KarpenterNodeRole-blue',
        amiSelectorTerms: [{ alias: 'al2023@latest' }],
        subnetSelectorTerms: [{ id: 'subnet-1' }],
        securityGroupSelectorTerms: [{ id: 'sg-1' }]
      }
    }
  ])
  expect(warnings).toEqual([
    'live.yaml: document 1 (line 1), EC2NodeClass default: left out what the server and Karpenter set themselves: ' +
      'metadata.creationTimestamp, metadata.finalizers, metadata.generation, metadata.managedFields, metadata.resourceVersion, metadata.uid, ' +
      'metadata.labels app.kubernetes.io/managed-by, metadata.annotations compatibility.karpenter.k8s.aws/v1beta1-nodeclass-hash, ' +
      'metadata.annotations karpenter.k8s.aws/ec2nodeclass-hash, metadata.annotations karpenter.k8s.aws/ec2nodeclass-hash-version, ' +
      'metadata.annotations karpenter.sh/stored-version-migrated, metadata.annotations kubectl.kubernetes.io/last-applied-configuration, ' +
      'metadata.annotations setup-karpenter/run, status'
  ])
})

it('A NodePool loses its hash, and says nothing of what is null', () => {
  const { nodePools, warnings } = readText(
    `apiVersion: karpenter.sh/v1
kind: NodePool
metadata:
  name: a
  creationTimestamp: null
  annotations: { karpenter.sh/nodepool-hash: "1", karpenter.sh/nodepool-hash-version: v3 }
spec:
  template:
    spec:
      nodeClassRef: { group: karpenter.k8s.aws, kind: EC2NodeClass, name: a }
      requirements: []
`,
    settings
  )
  expect(nodePools[0]?.metadata).toEqual({ name: 'a' })
  expect(warnings).toEqual([
    expect.stringMatching(
      /: metadata\.annotations karpenter\.sh\/nodepool-hash, metadata\.annotations karpenter\.sh\/nodepool-hash-version$/
    )
  ])
})

it('A label that is no text is a problem, as it is for the server', () => {
  const text = printed.replace('tier: gold', 'tier: yes')
  expect(() => readText(text, settings)).toThrow('metadata.labels.tier is read as true: write it in quotes')
})
