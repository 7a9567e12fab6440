import type { Finding } from '../engine/findings.js'
import { healthFindings } from '../engine/findings.js'
import type { Graph } from '../engine/graph.js'
import { type Health, type Unread, well } from '../engine/health.js'
import type { Inspection, Step } from '../engine/resource.js'
import type { Kubernetes } from '../kubernetes/client.js'
import { KubernetesError } from '../kubernetes/errors.js'
import { nodeClaims, nodePools } from '../kubernetes/kinds.js'
import { type Manifest, textField } from '../kubernetes/manifest.js'
import { notReady } from '../resources/nodes/node-health.js'
import { nodePoolFix } from '../resources/nodes/node-pool.js'
import { smokeTestLabel } from '../smoke-test/objects.js'
import { claimAilments, stuckOf } from './claims.js'

/** Thousands of NodeClaims in a few requests: one has 5 KB. */
const claimPage = 2_000

export interface HealthFacts {
  readonly kubernetes: Kubernetes
  readonly graph: Graph
  readonly inspections: ReadonlyMap<string, Inspection>
  /** Karpenter's version that runs; undefined: none. */
  readonly installed: string | undefined
}

/**
 * What is there and does not work: each resource by what it says of itself, and the NodePools and NodeClaims of the cluster,
 * whoever made them. Everything is looked at side by side.
 */
export async function clusterHealth(facts: HealthFacts, step: Step): Promise<readonly Finding[]> {
  const { graph, inspections } = facts
  const ofResources = graph.resources.map(async (resource) =>
    healthFindings(resource, (await inspections.get(resource.id)?.health(step)) ?? well)
  )
  const found = await Promise.all([...ofResources, nodePoolHealth(facts, step), claimHealth(facts, step)])
  return found.flat()
}

async function nodePoolHealth({ kubernetes }: HealthFacts, step: Step): Promise<readonly Finding[]> {
  return orUnread('NodePools', async () => {
    const { items } = await kubernetes.within(step.signal).list(nodePools)
    return items.filter(isWatched).flatMap((pool) =>
      healthFindings(
        {
          id: `node-pool/${pool.metadata.name}`,
          title: `NodePool ${pool.metadata.name}`,
          layer: 'karpenter'
        },
        { ...well, ailments: notReady(pool, nodePoolFix) }
      )
    )
  })
}

/** EKS Auto Mode's are AWS's own affair, and a smoke test says itself what becomes of its own. */
function isWatched(pool: Manifest): boolean {
  const group = textField(pool, 'spec', 'template', 'spec', 'nodeClassRef', 'group')
  return (
    (group === undefined || group === 'karpenter.k8s.aws') &&
    pool.metadata.labels?.[smokeTestLabel] === undefined
  )
}

async function claimHealth({ kubernetes, installed }: HealthFacts, step: Step): Promise<readonly Finding[]> {
  return orUnread('NodeClaims', async () => {
    const now = step.now()
    const { items } = await kubernetes
      .within(step.signal)
      .pick(nodeClaims, (claim) => stuckOf(claim, installed, now), { page: claimPage })
    const stuck = claimAilments(items.filter((one) => one !== undefined))
    return [...stuck].flatMap(([nodePool, ailments]) =>
      healthFindings(
        { id: `node-claims/${nodePool}`, title: `NodeClaims of NodePool ${nodePool}`, layer: 'karpenter' },
        { ...well, ailments }
      )
    )
  })
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
