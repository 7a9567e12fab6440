import type { Finding } from '../engine/findings.js'
import { healthFindings } from '../engine/findings.js'
import type { Graph } from '../engine/graph.js'
import { type Health, type Unread, well } from '../engine/health.js'
import type { Inspection, Step } from '../engine/resource.js'
import type { Kubernetes } from '../kubernetes/client.js'
import { KubernetesError } from '../kubernetes/errors.js'
import { notLooked } from '../kubernetes/lean.js'
import { nodeClaims } from '../kubernetes/kinds.js'
import type { Manifest } from '../kubernetes/manifest.js'
import { notReady } from '../resources/nodes/node-health.js'
import { nodePoolFix } from '../resources/nodes/node-pool.js'
import { smokeTestLabel } from '../smoke-test/objects.js'
import { leftoverAilments, testNodePools } from '../smoke-test/leftovers.js'
import { claimAilments, stuckOf } from './claims.js'
import { decidedNodePools } from './decided-node-pools.js'
import { idOf } from '../resources/ids.js'

/** Thousands of NodeClaims in a few requests: one has 5 KB. */
const claimPage = 2_500

export interface HealthFacts {
  readonly kubernetes: Kubernetes
  readonly graph: Graph
  readonly inspections: ReadonlyMap<string, Inspection>
  /** Karpenter's version that runs; undefined: none. */
  readonly installed: string | undefined
}

/**
 * What is there and does not work: each resource by what it says of itself, and the NodePools and NodeClaims of the cluster,
 * whoever made them, but for EKS Auto Mode's. Everything is looked at side by side.
 */
export async function clusterHealth(facts: HealthFacts, step: Step): Promise<readonly Finding[]> {
  const { graph, inspections } = facts
  const ofResources = graph.resources.map(async (resource) =>
    healthFindings(resource, (await inspections.get(resource.id)?.health(step)) ?? well)
  )
  const found = await Promise.all([...ofResources, nodeHealth(facts, step)])
  return found.flat()
}

/** NodePools and NodeClaims side by side; what a smoke test left is told by both. */
async function nodeHealth(facts: HealthFacts, step: Step): Promise<readonly Finding[]> {
  const kubernetes = facts.kubernetes.within(step.signal)
  const now = step.now()
  let pools: readonly Manifest[] = []
  let ofTests: ReadonlyMap<string, number> = new Map()
  const [poolFindings, claimFindings] = await Promise.all([
    orUnread('NodePools', async () => {
      pools = await decidedNodePools(kubernetes, step)
      return pools.filter(isWatched).flatMap((pool) => findings(pool, notReady(pool, nodePoolFix, now)))
    }),
    orUnread('NodeClaims', async () => {
      const { items } = await kubernetes.pick(
        nodeClaims,
        (claim) => ({
          stuck: stuckOf(claim, facts.installed, now),
          testOf: claim.metadata.labels?.[smokeTestLabel] === undefined ? undefined : poolOf(claim)
        }),
        { page: claimPage, ...notLooked }
      )
      ofTests = counted(items.flatMap(({ testOf }) => testOf ?? []))
      const stuck = claimAilments(items.flatMap(({ stuck: one }) => one ?? []))
      return [...stuck].flatMap(([nodePool, ailments]) =>
        healthFindings(
          { id: `node-claims/${nodePool}`, title: `NodeClaims of NodePool ${nodePool}`, layer: 'karpenter' },
          { ...well, ailments }
        )
      )
    })
  ])
  const left = await orUnread('leftover smoke test', async () =>
    [...(await leftoverAilments(kubernetes, testNodePools(pools), ofTests))].flatMap(([name, ailment]) =>
      healthFindings(
        { id: `smoke-test/${name}`, title: 'leftover smoke test', layer: 'karpenter' },
        { ...well, ailments: [ailment] }
      )
    )
  )
  return [...poolFindings, ...claimFindings, ...left]
}

function findings({ metadata: { name } }: Manifest, ailments: Health['ailments']): readonly Finding[] {
  return healthFindings(
    { id: idOf.nodePool(name), title: `NodePool ${name}`, layer: 'karpenter' },
    { ...well, ailments }
  )
}

function poolOf(claim: Manifest): string {
  return claim.metadata.labels?.['karpenter.sh/nodepool'] ?? ''
}

function counted(names: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
  return counts
}

/** A smoke test says itself what becomes of its own. */
function isWatched(pool: Manifest): boolean {
  return pool.metadata.labels?.[smokeTestLabel] === undefined
}

async function orUnread(title: string, look: () => Promise<readonly Finding[]>): Promise<readonly Finding[]> {
  try {
    return await look()
  } catch (error) {
    if (!(error instanceof KubernetesError) || error.permission === undefined) throw error
    const unread: readonly Unread[] = [{ reason: error.message, missingPermission: error.permission }]
    const health: Health = { ...well, unread }
    return healthFindings({ id: `health/${title}`, title, layer: 'karpenter' }, health)
  }
}
