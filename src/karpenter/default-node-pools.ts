import type { Manifest } from '../kubernetes/manifest.js'

export interface NodeClassFacts {
  readonly clusterName: string
  readonly nodeRoleName: string
  readonly tags: Readonly<Record<string, string>>
}

/** What Karpenter's selectors find subnets and security groups by. */
const discoveryTag = 'karpenter.sh/discovery'

/**
 * The EC2NodeClass that needs nothing but the cluster: AL2023's newest AMI, the node role, whatever carries the discovery
 * tag. `@latest` follows AWS's releases; give a manifest of your own with `al2023@v<date>` to pin it.
 */
export function defaultNodeClass(name: string, facts: NodeClassFacts): Manifest {
  return {
    apiVersion: 'karpenter.k8s.aws/v1',
    kind: 'EC2NodeClass',
    metadata: { name },
    spec: {
      role: facts.nodeRoleName,
      amiSelectorTerms: [{ alias: 'al2023@latest' }],
      subnetSelectorTerms: [{ tags: { [discoveryTag]: facts.clusterName } }],
      securityGroupSelectorTerms: [{ tags: { [discoveryTag]: facts.clusterName } }],
      ...(Object.keys(facts.tags).length > 0 && { tags: facts.tags })
    }
  }
}

/** The guide's NodePool with the limits and consolidation that it names (getting-started, 1.2 and 1.14). */
export function defaultNodePool(name: string, nodeClass: string): Manifest {
  return {
    apiVersion: 'karpenter.sh/v1',
    kind: 'NodePool',
    metadata: { name },
    spec: {
      template: {
        spec: {
          requirements: [
            { key: 'kubernetes.io/arch', operator: 'In', values: ['amd64'] },
            { key: 'kubernetes.io/os', operator: 'In', values: ['linux'] },
            { key: 'karpenter.sh/capacity-type', operator: 'In', values: ['on-demand'] },
            { key: 'karpenter.k8s.aws/instance-category', operator: 'In', values: ['c', 'm', 'r'] },
            { key: 'karpenter.k8s.aws/instance-generation', operator: 'Gt', values: ['2'] }
          ],
          nodeClassRef: { group: 'karpenter.k8s.aws', kind: 'EC2NodeClass', name: nodeClass },
          expireAfter: '720h'
        }
      },
      limits: { cpu: '1000', memory: '1000Gi' },
      disruption: { consolidationPolicy: 'WhenEmptyOrUnderutilized', consolidateAfter: '1m' }
    }
  }
}
