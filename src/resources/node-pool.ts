import type { Severity } from '../engine/difference.js'
import { resource, type AnyResource, type Step } from '../engine/resource.js'
import { conditionsOf, describe, type Condition } from '../kubernetes/conditions.js'
import { nodeClaims, nodePools } from '../kubernetes/kinds.js'
import { isManifest, textField, type Manifest } from '../kubernetes/manifest.js'
import { decided, View } from '../kubernetes/view.js'
import { isOurs, manifestResource, type KubernetesPorts } from './kubernetes-object.js'
import { awaitReady } from './ready.js'

function severity(path: string): Severity {
  return path.startsWith('metadata.') || path.startsWith('spec.weight') ? 'cosmetic' : 'breaks scaling'
}

export function nodePoolFix(conditions: readonly Condition[]): string {
  const text = conditions.map((one) => `${one.type} ${one.reason}`).join(' ')
  return /NodeClass/.test(text)
    ? 'The EC2NodeClass that it refers to must exist and be Ready: check nodeClassRef in node-pools, and the conditions of that EC2NodeClass.'
    : 'Correct what the message names in node-pools, and run again.'
}

/** What Karpenter may make nodes for. Ready when its EC2NodeClass is and its own fields are valid. */
export function nodePool(manifest: Manifest, ports: KubernetesPorts): AnyResource {
  const { kubernetes, ownership } = ports
  const { name } = manifest.metadata
  return resource(
    manifestResource({
      ...ports,
      id: `node-pool/${name}`,
      layer: 'karpenter',
      kind: nodePools,
      manifest,
      severity,
      settle: async (step, known) => awaitReady(kubernetes, nodePools, name, step, nodePoolFix, known),
      remove: async (step) => {
        const within = kubernetes.within(step.signal)
        const live = await within.get(nodePools, name)
        if (live !== undefined && !isOurs(live, ownership)) {
          return { outcome: 'kept', reason: `NodePool ${name} was there before` }
        }
        if (live !== undefined) {
          await within.delete(nodePools, { name })
          step.changed(`deleted NodePool ${name}`)
        }
        // A run that was killed here left NodeClaims whose NodePool is gone already.
        await awaitNoClaims(ports, name, step)
        return { outcome: live === undefined ? 'absent' : 'removed' }
      }
    }),
    isManifest
  )
}

/** Waits until the NodePool's NodeClaims are gone, which is when Karpenter has drained and ended their instances. */
export async function awaitNoClaims(ports: KubernetesPorts, nodePoolName: string, step: Step): Promise<void> {
  const view = new View(ports.kubernetes, step.signal)
  try {
    const claims = await view.follow(nodeClaims, { labelSelector: `karpenter.sh/nodepool=${nodePoolName}` })
    await view.until(() => {
      if (claims.objects.length === 0) return decided(undefined)
      const shown = claims.objects.slice(0, 3).map(blockerOf)
      const more = claims.objects.length - shown.length
      step.waiting(
        `${claims.objects.length} NodeClaims of NodePool ${nodePoolName} to go: ${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`
      )
      return undefined
    })
  } finally {
    step.waiting(undefined)
    await view.close()
  }
}

/** `default-x7k2p (Drained=False: 2 pods are waiting to be evicted)`. */
function blockerOf(claim: Manifest): string {
  const blocking = conditionsOf(claim).find(
    (one) => ['Drained', 'VolumesDetached', 'InstanceTerminating'].includes(one.type) && one.status !== 'True'
  )
  const node = textField(claim, 'status', 'nodeName')
  const why =
    blocking === undefined ? (node === undefined ? '' : ` (node ${node})`) : ` (${describe(blocking)})`
  return `${claim.metadata.name}${why}`
}
