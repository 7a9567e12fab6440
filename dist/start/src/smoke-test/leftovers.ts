import type { Ailment } from '../engine/health.js'
import type { Kubernetes } from '../kubernetes/client.js'
import { lockedRun } from '../kubernetes/lease.js'
import { nodePools } from '../kubernetes/kinds.js'
import { type Manifest, textField } from '../kubernetes/manifest.js'
import { smokeTestLabel } from './objects.js'

/** Whether a smoke test of another run has left its NodePool. */
export async function hasLeftovers(kubernetes: Kubernetes, run: string): Promise<boolean> {
  return kubernetes.any(nodePools, { labelSelector: `${smokeTestLabel},${smokeTestLabel}!=${run}` })
}

/** The NodePools of smoke tests among these. */
export function testNodePools(pools: readonly Manifest[]): readonly Manifest[] {
  return pools.filter(({ metadata }) => metadata.labels?.[smokeTestLabel] !== undefined)
}

/** What of a smoke test's NodePool is left when its run is over; a run that is at work holds the lock. */
export async function leftoverAilments(
  kubernetes: Kubernetes,
  pools: readonly Manifest[],
  /** NodeClaims by NodePool. */
  claims: ReadonlyMap<string, number>
): Promise<ReadonlyMap<string, Ailment>> {
  if (pools.length === 0) return new Map()
  const locked = await lockedRun(kubernetes)
  return new Map(
    pools
      .filter((pool) => locked === undefined || runOf(pool) !== locked)
      .map((pool) => {
        const { name } = pool.metadata
        const count = claims.get(name) ?? 0
        const since = textField(pool, 'metadata', 'creationTimestamp') ?? ''
        const cost =
          count === 0
            ? 'no instance runs for it'
            : `${count} instance${count === 1 ? '' : 's'} run for it, ${count * 24} instance hours a day`
        return [
          name,
          {
            path: name,
            wanted: undefined,
            live: count,
            reason: `leftover smoke test of ${runOf(pool) ?? 'a run that did not leave its name'}, since ${since}: ${cost}`,
            severity: 'changes behaviour',
            install: 'remove it',
            fix: `So does mode smoke-test. By hand: kubectl delete nodepool,deployment -A -l ${smokeTestLabel}`
          }
        ] as const
      })
  )
}

function runOf(pool: Manifest): string | undefined {
  return textField(pool, 'metadata', 'annotations', 'setup-karpenter/run')
}
