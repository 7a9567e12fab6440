import type { Look } from '../engine/health.js'
import { isPoolOfEc2 } from '../karpenter/node-class-group.js'
import type { Kubernetes } from '../kubernetes/client.js'
import { failing } from '../kubernetes/conditions.js'
import { nodePools } from '../kubernetes/kinds.js'
import { lean, notLooked } from '../kubernetes/lean.js'
import type { Manifest } from '../kubernetes/manifest.js'

/** Milliseconds that a controller may take to look at every EC2NodeClass: one that has just started has looked at none. */
const patience = 30_000
const betweenLooks = 2_000

/**
 * The cluster's NodePools of EC2 once Karpenter has made up its mind about them. While the Ready of an EC2NodeClass is Unknown, as
 * it is for seconds after another version's controller has started, its NodePools are called not Ready (`SetFalse` with
 * `NodeClassReadinessUnknown`, karpenter pkg/controllers/nodepool/readiness, 1.0 to 1.15). One that stays so for 30 s is given
 * as it is.
 */
export async function decidedNodePools(kubernetes: Kubernetes, look: Look): Promise<readonly Manifest[]> {
  const began = look.now()
  while (true) {
    const { items } = await kubernetes.pick(
      nodePools,
      (pool) => (isPoolOfEc2(pool) ? lean(pool) : undefined),
      notLooked
    )
    const pools = items.filter((pool) => pool !== undefined)
    if (!pools.some(isUndecided) || look.now() - began >= patience) return pools
    await look.pause(betweenLooks)
  }
}

function isUndecided(pool: Manifest): boolean {
  return failing(pool).some(({ reason }) => reason === 'NodeClassReadinessUnknown')
}
