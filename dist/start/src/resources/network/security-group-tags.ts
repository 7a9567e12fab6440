import { readSecurityGroups } from '../../aws/discover.js'
import type { AnyResource } from '../../engine/resource.js'
import { discoveryTags, type DiscoveryTagsPorts, type DiscoveryTagsWanted } from './discovery-tags.js'
import { idOf } from '../ids.js'

/** karpenter.sh/discovery on the security groups that nodes are to have. */
export function securityGroupTags(wanted: DiscoveryTagsWanted, ports: DiscoveryTagsPorts): AnyResource {
  return discoveryTags(
    {
      id: idOf.securityGroupTags,
      title: 'Security group tags',
      input: 'security-groups',
      read: readSecurityGroups
    },
    wanted,
    ports
  )
}
