import type { Facts } from './facts.js'
import type { Concern } from './finding.js'

/** Two scalers answer the same pending pods: both start nodes, and each takes the other's down again. */
export async function clusterAutoscaler({
  autoscalers,
  nodes
}: Pick<Facts, 'autoscalers' | 'nodes'>): Promise<readonly Concern[]> {
  const running = autoscalers.filter(({ replicas }) => replicas > 0)
  if (running.length === 0) return []
  const groups = new Set((await nodes()).flatMap(({ labels }) => labels['eks.amazonaws.com/nodegroup'] ?? []))
  return running.map(({ namespace, deployment, image, scope }) => ({
    level: 'warning',
    subject: `Deployment ${namespace}/${deployment}`,
    problem: `Cluster Autoscaler runs as well, and scales for the same pending pods${
      groups.size === 0 ? '' : ` the node groups ${[...groups].toSorted().join(', ')}`
    }`,
    evidence: [image, ...scope].join(', '),
    fix: `Once Karpenter's nodes carry the load: kubectl scale deployment ${deployment} -n ${namespace} --replicas=0, and keep a fixed number of nodes in a group for the controller.`
  }))
}
