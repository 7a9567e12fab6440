import { resource, type AnyResource } from '../../engine/resource.js'
import type { Condition } from '../../kubernetes/conditions.js'
import { nodePools } from '../../kubernetes/kinds.js'
import { isManifest, type Manifest } from '../../kubernetes/manifest.js'
import { drainClaims, type DrainPorts } from '../removal/claim-drain.js'
import {
  awaitGone,
  finalizersOf,
  isOurs,
  manifestResource,
  type KubernetesPorts
} from '../kubernetes-object.js'
import { nodePoolSeverity } from './node-severity.js'
import { awaitReady } from './ready.js'
import { ownerOfObject } from '../../adoption/owners/object-owner.js'
import { leftTo } from '../../adoption/owners/owner-evidence.js'

export function nodePoolFix(conditions: readonly Condition[]): string {
  const text = conditions.map((one) => `${one.type} ${one.reason}`).join(' ')
  return /NodeClass/.test(text)
    ? 'The EC2NodeClass that it refers to must exist and be Ready: check nodeClassRef in node-pools, and the conditions of that EC2NodeClass.'
    : 'Correct what the message names in node-pools, and run again.'
}

/** What NodePools and EC2NodeClasses are made and removed with. */
export interface NodeObjectPorts extends KubernetesPorts {
  readonly removal: Pick<DrainPorts, 'aws' | 'forceDrain' | 'controllerName'>
  /** Whether the record says that we made it. */
  readonly created?: boolean
}

/** What Karpenter may make nodes for. Ready when its EC2NodeClass is and its own fields are valid. */
export function nodePool(manifest: Manifest, ports: NodeObjectPorts): AnyResource {
  const { kubernetes, ownership, removal } = ports
  const { name } = manifest.metadata
  return resource(
    manifestResource({
      ...ports,
      id: `node-pool/${name}`,
      layer: 'karpenter',
      kind: nodePools,
      manifest,
      severity: nodePoolSeverity,
      settle: async (step, known) => awaitReady(kubernetes, nodePools, name, step, nodePoolFix, known),
      remove: async (step) => {
        const within = kubernetes.within(step.signal)
        const live = await within.get(nodePools, name)
        if (live !== undefined && !isOurs(live, ownership)) {
          return {
            outcome: 'kept',
            reason: leftTo(`NodePool ${name}`, ownerOfObject(live, ownership)),
            inUse: true
          }
        }
        // Deleted again when it ends already: a finalizer of somebody else's may hold it.
        if (live !== undefined && (await within.delete(nodePools, { name })) === 'deleted') {
          step.changed(`deleted NodePool ${name}`)
        }
        // A run that was killed here left NodeClaims whose NodePool is gone already.
        await drainClaims(
          { ...removal, kubernetes, created: live !== undefined || ports.created === true },
          name,
          step
        )
        await awaitGone(within, nodePools, { name }, step, finalizersOf)
        return { outcome: live === undefined ? 'absent' : 'removed' }
      }
    }),
    isManifest
  )
}
