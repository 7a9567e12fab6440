import type { Kubernetes } from '../kubernetes/client.js'
import { deployments, nodePools } from '../kubernetes/kinds.js'
import { objectNames, smokeTestLabel } from './objects.js'

/**
 * Removes a run's own smoke-test objects, by their names: two calls, for a post step that has seconds. Karpenter ends the
 * nodes of a NodePool that is gone. A line for each that was there.
 */
export async function cleanUp(
  kubernetes: Kubernetes,
  namespace: string,
  id: string
): Promise<readonly string[]> {
  const names = objectNames(id)
  const removed = await Promise.all([
    kubernetes.delete(deployments, { name: names.deployment, namespace }),
    kubernetes.delete(nodePools, { name: names.nodePool })
  ])
  const lines = [`removed Deployment ${namespace}/${names.deployment}`, `removed NodePool ${names.nodePool}`]
  return lines.filter((_, at) => removed[at] === 'deleted')
}

/** Removes what smoke tests of earlier runs left behind, killed before their post step. Call it only under the lock. */
export async function cleanUpEarlier(kubernetes: Kubernetes, id: string): Promise<readonly string[]> {
  const selection = { labelSelector: `${smokeTestLabel},${smokeTestLabel}!=${id}` }
  const [workloads, pools] = await Promise.all([
    kubernetes.list(deployments, selection),
    kubernetes.list(nodePools, selection)
  ])
  const removed: string[] = []
  for (const { metadata } of workloads.items) {
    const { name, namespace } = { name: metadata?.name ?? '', namespace: metadata?.namespace ?? '' }
    if ((await kubernetes.delete(deployments, { name, namespace })) === 'deleted') {
      removed.push(`Deployment ${namespace}/${name}`)
    }
  }
  for (const { metadata } of pools.items) {
    if ((await kubernetes.delete(nodePools, { name: metadata.name })) === 'deleted') {
      removed.push(`NodePool ${metadata.name}`)
    }
  }
  return removed
}
