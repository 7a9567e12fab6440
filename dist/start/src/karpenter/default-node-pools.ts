import { discoveryTag } from './names.js'
import type { EC2NodeClass, NodePool, Requirement, SelectorTerm } from './types.js'

/** What the getting-started guide's NodePool asks for (1.0 to 1.14). */
export const guideRequirements: readonly Requirement[] = [
  { key: 'kubernetes.io/os', operator: 'In', values: ['linux'] },
  { key: 'kubernetes.io/arch', operator: 'In', values: ['amd64'] },
  { key: 'karpenter.sh/capacity-type', operator: 'In', values: ['on-demand'] },
  { key: 'karpenter.k8s.aws/instance-category', operator: 'In', values: ['c', 'm', 'r'] },
  { key: 'karpenter.k8s.aws/instance-generation', operator: 'Gt', values: ['2'] }
]

export interface NodeClassSettings {
  readonly clusterName: string
  readonly nodeRoleName: string
  /** The user's tags; Karpenter puts them on instances, volumes and launch templates. */
  readonly tags?: Readonly<Record<string, string>>
  /** What nodes run in and have, by id; undefined: it is found by the discovery tag. */
  readonly ids?: { readonly subnets: readonly string[]; readonly securityGroups: readonly string[] }
}

/** Terms that find the subnets or security groups of the inputs. */
export function selectorTerms(
  { clusterName, ids }: Pick<NodeClassSettings, 'clusterName' | 'ids'>,
  of: 'subnets' | 'securityGroups'
): readonly SelectorTerm[] {
  return ids === undefined ? byDiscoveryTag(clusterName) : ids[of].map((id) => ({ id }))
}

function byDiscoveryTag(clusterName: string): readonly SelectorTerm[] {
  return [{ tags: { [discoveryTag]: clusterName } }]
}

/**
 * An EC2NodeClass with the guide's settings: subnets and security groups by discovery tag, and the newest image of
 * Amazon Linux 2023. The guide pins a dated image; a date goes stale, so who wants one gives manifests in node-pools.
 */
export function defaultNodeClass(name: string, settings: NodeClassSettings): EC2NodeClass {
  const { nodeRoleName, tags = {} } = settings
  return {
    apiVersion: 'karpenter.k8s.aws/v1',
    kind: 'EC2NodeClass',
    metadata: { name },
    spec: {
      role: nodeRoleName,
      amiSelectorTerms: [{ alias: 'al2023@latest' }],
      subnetSelectorTerms: selectorTerms(settings, 'subnets'),
      securityGroupSelectorTerms: selectorTerms(settings, 'securityGroups'),
      ...(Object.keys(tags).length > 0 && { tags })
    }
  }
}

/** What `node-pools: default` stands for: the guide's NodePool and EC2NodeClass, both called `default`. */
export function defaultNodePools(settings: NodeClassSettings): {
  readonly nodePools: readonly NodePool[]
  readonly nodeClasses: readonly EC2NodeClass[]
} {
  const nodePool: NodePool = {
    apiVersion: 'karpenter.sh/v1',
    kind: 'NodePool',
    metadata: { name: 'default' },
    spec: {
      template: {
        spec: {
          nodeClassRef: { group: 'karpenter.k8s.aws', kind: 'EC2NodeClass', name: 'default' },
          requirements: guideRequirements,
          expireAfter: '720h'
        }
      },
      disruption: { consolidationPolicy: 'WhenEmptyOrUnderutilized', consolidateAfter: '1m' },
      limits: { cpu: '1000', memory: '1000Gi' }
    }
  }
  return { nodePools: [nodePool], nodeClasses: [defaultNodeClass('default', settings)] }
}
