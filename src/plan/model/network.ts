import type { AnyResource } from '../../engine/resource.js'
import type { DiscoveryTagsPorts } from '../../resources/network/discovery-tags.js'
import { securityGroupTags } from '../../resources/network/security-group-tags.js'
import { subnetTags } from '../../resources/network/subnet-tags.js'
import type { ModelParts } from './parts.js'

/** Tags by which EC2NodeClasses find subnets and security groups. */
export function network({ inputs, found }: ModelParts): readonly AnyResource[] {
  const { aws, adopted, record } = found
  // EC2NodeClasses that find by ids or by tags of their own need none of these.
  const tagged = adopted === undefined || adopted.adoption.discoveryTags
  const [subnets, securityGroups] = tagged ? [found.subnets, found.securityGroups] : [[], []]
  const clusterName = inputs.clusterName
  const before = (id: string): Pick<DiscoveryTagsPorts, 'before'> => {
    const recorded = record?.resources[id]?.before
    return recorded === undefined ? {} : { before: recorded }
  }
  return [
    subnetTags(
      { clusterName, ids: subnets.map((subnet) => subnet.id) },
      { aws, discovered: subnets, ...before('subnet-tags') }
    ),
    securityGroupTags(
      { clusterName, ids: securityGroups.map((group) => group.id) },
      { aws, discovered: securityGroups, ...before('security-group-tags') }
    )
  ]
}
