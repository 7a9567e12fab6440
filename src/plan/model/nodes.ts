import { ownerOfObject } from '../../adoption/owners/object-owner.js'
import type { AnyResource } from '../../engine/resource.js'
import { ofMark } from '../../engine/standing.js'
import type { RemovalInput } from '../../inputs/inputs.js'
import { ec2NodeClasses, type Kind, nodePools } from '../../kubernetes/kinds.js'
import { type Manifest, textField } from '../../kubernetes/manifest.js'
import { readsTogether } from '../../kubernetes/reads-together.js'
import { waitsTogether } from '../../kubernetes/waits-together.js'
import { ec2NodeClass } from '../../resources/nodes/ec2-node-class.js'
import { withSelected } from '../../resources/nodes/selection.js'
import { launchLeftovers } from '../../resources/removal/launch-leftovers.js'
import { launchedInstances } from '../../resources/removal/launched-instances.js'
import { RemovalView } from '../../resources/removal/removal-view.js'
import { nodePool, type NodeObjectPorts } from '../../resources/nodes/node-pool.js'
import { taggedIds } from './network.js'
import { changesVersion, type ModelParts } from './parts.js'
import { idOf, nameIn } from '../../resources/ids.js'

/** EC2NodeClasses and NodePools; in a removal also what Karpenter made of them. */
export function nodes(parts: ModelParts): readonly AnyResource[] {
  const { found, decisions, ownership, removal } = parts
  const { aws, kubernetes } = found
  const classIds = decisions.nodeClasses.map((manifest) => idOf.ec2NodeClass(manifest.metadata.name))
  const instances = removal === undefined ? [] : [idOf.instances]
  const view = new RemovalView(kubernetes, textField(decisions.values, 'nameOverride') || 'karpenter')
  const ports = (
    kind: Kind<Manifest>,
    manifests: readonly Manifest[],
    dependsOn: readonly string[],
    looked?: (object: Manifest) => Manifest
  ): NodeObjectPorts => ({
    kubernetes,
    ownership,
    readByName: readsTogether(kubernetes, kind, names(manifests), looked),
    awaitByName: waitsTogether(kubernetes, kind, names(manifests), looked),
    dependsOn: [...dependsOn, ...instances],
    removal: {
      aws,
      forceDrain: removal?.forceDrain === true,
      view
    }
  })
  const { nodeClasses, nodePools: pools } = decisions
  const tagged = taggedIds(parts)
  const ofClasses = ports(
    ec2NodeClasses,
    nodeClasses,
    [idOf.helmRelease, idOf.crds, idOf.subnetTags, idOf.securityGroupTags, idOf.nodeAccess],
    (object) => withSelected(object, tagged)
  )
  const ofPools = ports(nodePools, pools, [
    idOf.helmRelease,
    idOf.crds,
    idOf.spotServiceLinkedRole,
    idOf.nodeAccess
  ])
  /** It waits for its own alone; but nodes of a NodePool may be of an EC2NodeClass that it had before. */
  const classesOf = (pool: Manifest): readonly string[] => {
    const own = textField(pool, 'spec', 'template', 'spec', 'nodeClassRef', 'name')
    return removal === undefined ? classIds.filter((id) => nameIn(idOf.ec2NodeClass, id) === own) : classIds
  }
  return [
    ...(removal === undefined ? [] : launched(parts, removal)),
    ...nodeClasses.map((manifest) =>
      ec2NodeClass(manifest, {
        ...ofClasses,
        tagged,
        ...(changesVersion(parts) && { newHash: { version: decisions.facts.nodeClassHash.value } })
      })
    ),
    ...pools.map((manifest) => {
      const onceWritten = classesOf(manifest)
      return nodePool(manifest, {
        ...ofPools,
        dependsOn: [...ofPools.dependsOn, ...onceWritten],
        onceWritten
      })
    })
  ]
}

function names(manifests: readonly Manifest[]): readonly string[] {
  return manifests.map(({ metadata }) => metadata.name)
}

/** What Karpenter made: no part of the wanted state, and in the way of a removal. */
function launched(
  { inputs, found, decisions, ownership }: ModelParts,
  { removeAdopted }: RemovalInput
): readonly AnyResource[] {
  const { aws, cluster, kubernetes, record } = found
  /** By the same rule as the object itself. */
  const goes = (object: Manifest): boolean => {
    const { name } = object.metadata
    const id = object.kind === 'NodePool' ? idOf.nodePool(name) : idOf.ec2NodeClass(name)
    const claim = { recorded: record?.resources[id], removeAdopted }
    return ofMark(ownerOfObject(object, ownership), name, claim).stays === undefined
  }
  const clusterName = cluster.name
  const pools = names(decisions.nodePools)
  return [
    launchedInstances(
      { clusterName, nodePools: pools },
      {
        aws,
        kubernetes,
        goes,
        // Until the last instance has ended, nothing goes that a node works with.
        dependsOn: [idOf.helmRelease, idOf.nodeAccess, idOf.subnetTags, idOf.securityGroupTags]
      }
    ),
    launchLeftovers(
      {
        clusterName,
        region: inputs.region,
        nodeRoleName: decisions.stack.nodeRole.name,
        nodePools: pools,
        nodeClasses: names(decisions.nodeClasses)
      },
      { aws, kubernetes, goes, dependsOn: [idOf.stack] }
    )
  ]
}
