import { resource, type AnyResource } from '../../engine/resource.js'
import type { Condition } from '../../kubernetes/conditions.js'
import { nodePools } from '../../kubernetes/kinds.js'
import { isManifest, type Manifest } from '../../kubernetes/manifest.js'
import type { ReadByName } from '../../kubernetes/reads-together.js'
import { type AwaitByName, waitsApart } from '../../kubernetes/waits-together.js'
import { drainClaims, type DrainPorts } from '../removal/claim-drain.js'
import { goneOf, manifestResource, type KubernetesPorts } from '../kubernetes-object.js'
import { nodePoolSeverity } from './node-severity.js'
import { awaitReady } from './ready.js'
import { idOf } from '../ids.js'

export function nodePoolFix(conditions: readonly Condition[]): string {
  const text = conditions.map((one) => `${one.type} ${one.reason}`).join(' ')
  return /NodeClass/.test(text)
    ? 'The EC2NodeClass that it refers to must exist and be Ready: check nodeClassRef in node-pools, and the conditions of that EC2NodeClass.'
    : 'Correct what the message names in node-pools, and run again.'
}

/** What NodePools and EC2NodeClasses are made and removed with. */
export interface NodeObjectPorts extends KubernetesPorts {
  readonly removal: Pick<DrainPorts, 'aws' | 'forceDrain' | 'view'>
  /** Of what it depends on, as a resource has it. */
  readonly onceWritten?: readonly string[]
  /** How it is read; by itself when left out. */
  readonly readByName?: ReadByName
  /** How it is waited for; by itself when left out. */
  readonly awaitByName?: AwaitByName
}

/** What Karpenter may make nodes for. Ready when its EC2NodeClass is and its own fields are valid. */
export function nodePool(manifest: Manifest, ports: NodeObjectPorts): AnyResource {
  const { kubernetes, removal, awaitByName = waitsApart(kubernetes, nodePools) } = ports
  const { name } = manifest.metadata
  const own = manifestResource({
    ...ports,
    id: idOf.nodePool(name),
    layer: 'karpenter',
    kind: nodePools,
    manifest,
    severity: nodePoolSeverity,
    settle: async (step, known) => {
      await awaitReady(awaitByName, { kind: nodePools, name, known, fix: nodePoolFix }, step)
    },
    works: true,
    remove: async (_live, step) => {
      // Deleted again when it ends already: a finalizer of somebody else's may hold it.
      const deleted = await kubernetes.within(step.signal).delete(nodePools, { name })
      if (deleted === 'deleted') step.changed(`deleted NodePool ${name}`)
      return { outcome: 'removed' }
    },
    // A run that was killed here left NodeClaims whose NodePool is gone already.
    afterRemoval: async ({ kept, ours }, step) => {
      if (kept) return
      await drainClaims({ ...removal, kubernetes, created: ours }, name, step)
      try {
        const isGone = goneOf<Manifest>(`NodePool ${name}`, step)
        await removal.view.use(step, async (watched) => {
          const pools = await watched.pools()
          await watched.until(() => isGone(pools.named(name)))
        })
      } finally {
        step.waiting(undefined)
      }
    }
  })
  return resource(
    { ...own, ...(ports.onceWritten !== undefined && { onceWritten: ports.onceWritten }) },
    isManifest
  )
}
