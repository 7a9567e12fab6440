import type { SecurityGroup, Subnet } from '../../aws/discover.js'
import type { AnyResource } from '../../engine/resource.js'
import { discoveryTag } from '../../karpenter/names.js'
import { securityGroupTags } from '../../resources/network/security-group-tags.js'
import { subnetTags } from '../../resources/network/subnet-tags.js'
import type { Tagged } from '../../resources/nodes/selection.js'
import type { ModelParts } from './parts.js'

/** What carries our tag, or is to: by ids nothing new is tagged, and what is already stays ours to remove. */
function chosen({ inputs, found }: ModelParts): {
  readonly subnets: readonly Subnet[]
  readonly securityGroups: readonly SecurityGroup[]
} {
  // EC2NodeClasses that find by ids or by tags of their own need none of these.
  const tagged = found.adopted === undefined || found.adopted.adoption.discoveryTags
  if (!tagged) return { subnets: [], securityGroups: [] }
  const isChosen = ({ tags }: Subnet | SecurityGroup): boolean =>
    inputs.discovery === 'tags' || tags[discoveryTag] === inputs.clusterName
  return { subnets: found.subnets.filter(isChosen), securityGroups: found.securityGroups.filter(isChosen) }
}

/** What an EC2NodeClass that goes by our tag is to find. */
export function taggedIds(parts: ModelParts): Tagged {
  const { subnets, securityGroups } = chosen(parts)
  return {
    clusterName: parts.inputs.clusterName,
    subnets: subnets.map(({ id }) => id),
    securityGroups: securityGroups.map(({ id }) => id)
  }
}

/** Tags by which EC2NodeClasses find subnets and security groups. */
export function network(parts: ModelParts): readonly AnyResource[] {
  const { aws } = parts.found
  const { subnets, securityGroups } = chosen(parts)
  const { clusterName, ...ids } = taggedIds(parts)
  return [
    subnetTags({ clusterName, ids: ids.subnets }, { aws, discovered: subnets }),
    securityGroupTags({ clusterName, ids: ids.securityGroups }, { aws, discovered: securityGroups })
  ]
}
