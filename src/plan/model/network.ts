import type { AnyResource } from '../../engine/resource.js'
import { securityGroupTags } from '../../resources/network/security-group-tags.js'
import { subnetTags } from '../../resources/network/subnet-tags.js'
import type { ModelParts } from './parts.js'

/** Tags by which EC2NodeClasses find subnets and security groups. */
export function network({ inputs, found }: ModelParts): readonly AnyResource[] {
  const { aws, adopted } = found
  // EC2NodeClasses that find by ids or by tags of their own need none of these.
  const tagged = adopted === undefined || adopted.adoption.discoveryTags
  const [subnets, securityGroups] = tagged ? [found.subnets, found.securityGroups] : [[], []]
  const clusterName = inputs.clusterName
  return [
    subnetTags({ clusterName, ids: subnets.map((subnet) => subnet.id) }, { aws, discovered: subnets }),
    securityGroupTags(
      { clusterName, ids: securityGroups.map((group) => group.id) },
      { aws, discovered: securityGroups }
    )
  ]
}
