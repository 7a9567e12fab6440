import type { SecurityGroup, Subnet } from '../../aws/discover.js'
import type { AnyResource } from '../../engine/resource.js'
import { discoveryTag } from '../../karpenter/names.js'
import { securityGroupTags } from '../../resources/network/security-group-tags.js'
import { subnetTags } from '../../resources/network/subnet-tags.js'
import type { ModelParts } from './parts.js'

/** Tags by which EC2NodeClasses find subnets and security groups. */
export function network({ inputs, found }: ModelParts): readonly AnyResource[] {
  const { aws, adopted } = found
  // EC2NodeClasses that find by ids or by tags of their own need none of these.
  const tagged = adopted === undefined || adopted.adoption.discoveryTags
  const clusterName = inputs.clusterName
  // By ids nothing new is tagged; what carries our tag already stays ours to remove.
  const chosen = <T extends Subnet | SecurityGroup>(things: readonly T[]): readonly T[] =>
    inputs.discovery === 'tags' ? things : things.filter(({ tags }) => tags[discoveryTag] === clusterName)
  const [subnets, securityGroups] = tagged ? [chosen(found.subnets), chosen(found.securityGroups)] : [[], []]
  return [
    subnetTags({ clusterName, ids: subnets.map((subnet) => subnet.id) }, { aws, discovered: subnets }),
    securityGroupTags(
      { clusterName, ids: securityGroups.map((group) => group.id) },
      { aws, discovered: securityGroups }
    )
  ]
}
