import type { SecurityGroup, Subnet } from '../../aws/discover.js'
import type { Concern } from '../finding.js'

const prefix = 'kubernetes.io/cluster/'

/**
 * What `kubernetes.io/cluster/<name>` says on the subnets and security groups of the nodes. Load balancer controllers take
 * of a node's several groups the one that has the cluster's tag, and give up when there is not exactly one (AWS Load
 * Balancer Controller, and Kubernetes' own for AWS).
 */
export function clusterTags(facts: {
  readonly clusterName: string
  readonly subnets: readonly Subnet[]
  readonly securityGroups: readonly SecurityGroup[]
}): readonly Concern[] {
  const { clusterName, subnets, securityGroups } = facts
  return [
    ...oneGroup(clusterName, securityGroups),
    ...shared('subnets', clusterName, subnets),
    ...shared('security-groups', clusterName, securityGroups)
  ]
}

function oneGroup(clusterName: string, groups: readonly SecurityGroup[]): Concern[] {
  const tag = `${prefix}${clusterName}`
  const tagged = groups.filter(({ tags }) => tags[tag] !== undefined).map(({ id }) => id)
  // That there is no group at all is said by another check.
  if (groups.length === 0 || tagged.length === 1) return []
  const [one = ''] = tagged
  return [
    {
      level: 'warning',
      subject: 'security-groups',
      problem:
        tagged.length === 0
          ? `none of them is tagged ${tag}, by which load balancer controllers choose among the groups of a node`
          : `${tagged.join(', ')} are all tagged ${tag}: load balancer controllers take exactly one, and fail for nodes with several`,
      evidence: groups.map(({ id, name }) => `${id} (${name})`).join(', '),
      fix:
        tagged.length === 0
          ? "Pass the cluster's own group as well (`security-groups` left out takes it), or set the tag on one of them."
          : `Keep it on one of them: pass \`security-groups\` with one of these only (${one}), or take the tag off the others (aws ec2 delete-tags --resources ${tagged.slice(1).join(' ')} --tags Key=${tag}).`
    }
  ]
}

function shared(
  input: 'subnets' | 'security-groups',
  clusterName: string,
  things: readonly (Subnet | SecurityGroup)[]
): Concern[] {
  const uses = things.flatMap(({ id, tags }) =>
    Object.entries(tags)
      .filter(([key]) => key.startsWith(prefix) && key !== `${prefix}${clusterName}`)
      .map(([key, value]) => ({ id, cluster: key.slice(prefix.length), owned: value === 'owned' }))
  )
  if (uses.length === 0) return []
  const clusters = [...new Set(uses.map(({ cluster }) => cluster))].map((name) => `"${name}"`).join(', ')
  const owned = uses.some((use) => use.owned)
  return [
    {
      level: owned ? 'warning' : 'note',
      subject: input,
      problem: owned
        ? `some belong to cluster ${clusters}, which may change or delete them`
        : `some are shared with cluster ${clusters}, whose nodes and pods take of the same ${input === 'subnets' ? 'addresses' : 'rules'}`,
      evidence: uses
        .map(
          ({ id, cluster, owned: own }) => `${id} is tagged ${prefix}${cluster}=${own ? 'owned' : 'shared'}`
        )
        .join(', '),
      fix: `Nothing, if that is meant. Else pass other \`${input}\`, or take the tag off where that cluster is gone.`
    }
  ]
}
