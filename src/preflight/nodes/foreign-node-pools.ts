import { UserError } from '../../engine/errors.js'
import type { Kubernetes } from '../../kubernetes/client.js'
import { nodeClaims, nodePools } from '../../kubernetes/kinds.js'
import { notLooked } from '../../kubernetes/lean.js'
import { textField, type Manifest } from '../../kubernetes/manifest.js'

/** A NodePool, or the name that NodeClaims without one carry, with how many NodeClaims it has. */
export interface StandingNodePool {
  /** Undefined: NodeClaims that are of no NodePool. */
  readonly name: string | undefined
  /** The NodePool itself is still there. */
  readonly exists: boolean
  readonly ours: boolean
  readonly nodes: number
  /** Of NodeClaims of no NodePool. */
  readonly claims: readonly string[]
}

/** Every NodePool of the cluster and every NodeClaim, counted by it; two reads. `removed`: names that a removal takes. */
export async function standingNodePools(
  kubernetes: Kubernetes,
  isOurs: (pool: Manifest) => boolean,
  removed: readonly string[]
): Promise<readonly StandingNodePool[]> {
  const [pools, claims] = await Promise.all([
    kubernetes.pick(nodePools, (pool) => ({ name: pool.metadata.name, ours: isOurs(pool) }), notLooked),
    kubernetes.pick(
      nodeClaims,
      (claim) => ({
        name: claim.metadata.name,
        pool: textField(claim, 'metadata', 'labels', 'karpenter.sh/nodepool')
      }),
      notLooked
    )
  ])
  const owned = new Map<string | undefined, boolean>(pools.items.map(({ name, ours }) => [name, ours]))
  const names = new Set([...owned.keys(), ...claims.items.map(({ pool }) => pool)])
  return [...names].map((name) => {
    const own = claims.items.filter(({ pool }) => pool === name)
    return {
      name,
      exists: owned.has(name),
      ours: owned.get(name) ?? (name !== undefined && removed.includes(name)),
      nodes: own.length,
      claims: name === undefined ? own.map((claim) => claim.name) : []
    }
  })
}

/**
 * Why the controller must stay: NodePools that a removal leaves would have nobody to make, drain or end their nodes, and
 * deleting one later would hang on Karpenter's finalizers. Undefined when there are none, or the controller is not ours.
 */
export function foreignNodePools(
  controllerIsOurs: boolean,
  standing: readonly StandingNodePool[]
): UserError | undefined {
  const foreign = standing.filter(({ ours }) => !ours)
  if (!controllerIsOurs || foreign.length === 0) return undefined
  const problem = foreign.map(describe).join('\n  ')
  const commands = foreign.flatMap(commandsOf)
  return new UserError(
    'NodePools',
    `the controller is ours to take away, and these are not:\n  ${problem}\n  Without a controller their nodes are neither drained nor ended, and go on costing.`,
    `Delete them first if they may go, wait until their nodes are gone, then run again:\n  ${commands.join('\n  ')}`,
    { state: 'Nothing was changed.' }
  )
}

function describe({ name, exists, nodes, claims }: StandingNodePool): string {
  const count = `${nodes} ${nodes === 1 ? 'node' : 'nodes'}`
  if (name === undefined) return `NodeClaims of no NodePool: ${claims.join(', ')} (${count})`
  return exists ? `NodePool ${name} (${count})` : `NodeClaims of NodePool ${name}, which is gone (${count})`
}

function commandsOf({ name, exists, claims }: StandingNodePool): readonly string[] {
  if (name === undefined) return [`kubectl delete nodeclaim ${claims.join(' ')}`]
  const selector = `nodeclaim -l karpenter.sh/nodepool=${name}`
  return exists
    ? [`kubectl delete nodepool ${name}`, `kubectl wait --for=delete ${selector} --timeout=30m`]
    : [`kubectl delete ${selector}`]
}
