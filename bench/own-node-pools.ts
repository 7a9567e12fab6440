import { newest } from '../sandbox/index.js'

/** Inputs of an install of so many NodePools, each with an EC2NodeClass: `own-0` and on. */
export function withNodePools(cluster: string, count: number): Readonly<Record<string, string>> {
  return {
    'karpenter-version': newest,
    template: 'built-in',
    'smoke-test': 'false',
    'node-pools': Array.from({ length: count }, (_, index) => ownNodePool(cluster, index)).join('---\n')
  }
}

function ownNodePool(cluster: string, index: number): string {
  return `apiVersion: karpenter.k8s.aws/v1
kind: EC2NodeClass
metadata: { name: own-${index} }
spec:
  role: KarpenterNodeRole-${cluster}
  amiSelectorTerms: [{ alias: al2023@latest }]
  subnetSelectorTerms: [{ tags: { karpenter.sh/discovery: ${cluster} } }]
  securityGroupSelectorTerms: [{ tags: { karpenter.sh/discovery: ${cluster} } }]
---
apiVersion: karpenter.sh/v1
kind: NodePool
metadata: { name: own-${index} }
spec:
  template:
    spec:
      nodeClassRef: { group: karpenter.k8s.aws, kind: EC2NodeClass, name: own-${index} }
      requirements: [{ key: karpenter.sh/capacity-type, operator: In, values: [on-demand] }]
`
}
