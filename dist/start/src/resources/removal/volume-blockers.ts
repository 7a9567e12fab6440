import { conditionOf } from '../../kubernetes/conditions.js'
import { field, textField, type Manifest } from '../../kubernetes/manifest.js'
import type { Blocker } from './drain-blockers.js'

/** Names of the nodes that are drained and whose NodeClaims wait until their volumes are detached (Karpenter 1.2 and 1.14). */
export function nodesAwaitingVolumes(claims: readonly Manifest[]): readonly string[] {
  return claims.flatMap((claim) => {
    const detached = conditionOf(claim, 'VolumesDetached')
    const waits = conditionOf(claim, 'Drained')?.status === 'True' && detached !== undefined
    return waits && detached.status !== 'True' ? (textField(claim, 'status', 'nodeName') ?? []) : []
  })
}

/** The VolumeAttachments that hold these nodes, with the volume and driver of each, and what the driver says of it. */
export function volumeBlockers(
  nodes: ReadonlySet<string>,
  attachments: readonly Manifest[]
): readonly Blocker[] {
  return attachments.flatMap((attachment): readonly Blocker[] => {
    const node = textField(attachment, 'spec', 'nodeName') ?? ''
    if (!nodes.has(node)) return []
    const { name } = attachment.metadata
    const driver = textField(attachment, 'spec', 'attacher') ?? ''
    const volume = textField(attachment, 'spec', 'source', 'persistentVolumeName')
    const which = volume === undefined ? 'an inline volume' : `volume ${volume}`
    const error = textField(attachment, 'status', 'detachError', 'message')
    const asked = field(attachment, 'metadata', 'deletionTimestamp') !== undefined
    const said =
      error ??
      (asked
        ? 'the driver was asked to detach it, and has not said that it did'
        : 'nobody has asked to detach it yet')
    return [
      {
        pod: `VolumeAttachment ${name}`,
        kind: 'volume',
        why: `on ${node}: ${which} of driver ${driver} is not detached: ${said}`,
        fix: `see that the controller of driver ${driver} runs and may detach volumes; where the volume is off the instance for certain, kubectl delete volumeattachment ${name}`
      }
    ]
  })
}
