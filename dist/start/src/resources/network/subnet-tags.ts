import { readSubnets } from '../../aws/discover.js'
import type { AnyResource } from '../../engine/resource.js'
import { discoveryTags, type DiscoveryTagsPorts, type DiscoveryTagsWanted } from './discovery-tags.js'
import { idOf } from '../ids.js'

/** karpenter.sh/discovery on the subnets that nodes may run in. */
export function subnetTags(wanted: DiscoveryTagsWanted, ports: DiscoveryTagsPorts): AnyResource {
  return discoveryTags(
    { id: idOf.subnetTags, title: 'Subnet tags', input: 'subnets', read: readSubnets },
    wanted,
    ports
  )
}
