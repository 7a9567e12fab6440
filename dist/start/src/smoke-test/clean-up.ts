import type { Kubernetes } from '../kubernetes/client.js'
import { deployments, nodePools } from '../kubernetes/kinds.js'
import { objectNames, smokeTestLabel } from './objects.js'

/**
 * Removes the smoke-test objects of a run, of however many NodePools, in a handful of calls: a post step has seconds.
 * Karpenter ends the nodes of a NodePool that is gone. A line for each that was there.
 */
export async function cleanUp(
  kubernetes: Kubernetes,
  namespace: string,
  run: string
): Promise<readonly string[]> {
  const removed = await remove(kubernetes, `${smokeTestLabel}=${run}`, namespace)
  return removed.map((title) => `removed ${title}`)
}

/** Removes the objects of one test, whose run may have others at work. A line for each that was there. */
export async function cleanUpTest(
  kubernetes: Kubernetes,
  namespace: string,
  id: string
): Promise<readonly string[]> {
  const names = objectNames(id)
  const [deployment, nodePool] = await Promise.all([
    kubernetes.delete(deployments, { name: names.deployment, namespace }),
    kubernetes.delete(nodePools, { name: names.nodePool })
  ])
  return [
    ...(deployment === 'deleted' ? [`removed Deployment ${namespace}/${names.deployment}`] : []),
    ...(nodePool === 'deleted' ? [`removed NodePool ${names.nodePool}`] : [])
  ]
}

/** Removes what smoke tests of earlier runs left behind, killed before their post step. Call it only under the lock. */
export async function cleanUpEarlier(kubernetes: Kubernetes, run: string): Promise<readonly string[]> {
  return remove(kubernetes, `${smokeTestLabel},${smokeTestLabel}!=${run}`, undefined)
}

async function remove(
  kubernetes: Kubernetes,
  labelSelector: string,
  namespace: string | undefined
): Promise<readonly string[]> {
  const [workloads, pools] = await Promise.all([
    kubernetes.list(deployments, { labelSelector, namespace }),
    kubernetes.list(nodePools, { labelSelector })
  ])
  const removed = await Promise.all([
    ...workloads.items.map(async ({ metadata }) => {
      const at = { name: metadata?.name ?? '', namespace: metadata?.namespace }
      const result = await kubernetes.delete(deployments, at)
      return result === 'deleted' ? [`Deployment ${at.namespace ?? ''}/${at.name}`] : []
    }),
    ...pools.items.map(async ({ metadata: { name } }) =>
      (await kubernetes.delete(nodePools, { name })) === 'deleted' ? [`NodePool ${name}`] : []
    )
  ])
  return removed.flat()
}
