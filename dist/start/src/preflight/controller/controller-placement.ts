import type { NodeFacts } from '../../kubernetes/node-facts.js'
import { capacityFinding, oneReplica, refused } from './capacity-finding.js'
import type { ControllerPods } from './controller-pods.js'
import type { Concern } from '../finding.js'
import { exclusion, isFargate, selected, zoneOf } from './node-fitness.js'

/** Whether there are nodes for every replica, whatever else runs on them. */
export function placement(nodes: readonly NodeFacts[], pods: ControllerPods): Concern[] {
  const fit = nodes.filter((node) => exclusion(node, pods) === undefined)
  if (fit.length === 0) {
    if (nodes.length > 0 && nodes.every(isFargate)) {
      return [
        capacityFinding(
          'warning',
          'the cluster has Fargate nodes only: the controller runs only if a Fargate profile selects its namespace, and on Fargate it needs controller-identity: irsa',
          `${nodes.length} Fargate nodes`,
          'Make sure of the profile, or add a managed node group.'
        )
      ]
    }
    return [
      refused(
        `no node can run the controller, which needs ${pods.replicas === 1 ? 'one' : pods.replicas} that Karpenter did not make`,
        nodes.length === 0 ? 'the cluster has no nodes' : excluded(nodes, pods),
        'Add a managed node group of Linux nodes, or correct nodeSelector and tolerations in helm-values.'
      )
    ]
  }
  if (pods.onePerNode && fit.length < pods.replicas) {
    return [
      refused(
        `the controller's ${pods.replicas} replicas need a node each, and ${fit.length === 1 ? 'one node' : `${fit.length} nodes`} can take one`,
        [fit.map(({ name }) => name).join(', '), excluded(nodes, pods)]
          .filter((part) => part !== '')
          .join('; '),
        `Add a node to a managed node group, or pass ${fit.length === 1 ? oneReplica : `\`helm-values: "replicas: ${fit.length}"\``}.`
      )
    ]
  }
  const placed = placeable(nodes, fit, pods)
  if (placed >= pods.replicas) return []
  const zones = [...new Set(nodes.filter((node) => selected(node, pods)).map(zoneOf))].toSorted()
  return [
    refused(
      `only ${placed} of the controller's ${pods.replicas} replicas can be placed: they must spread evenly over the zones ${zones.join(', ')}`,
      [
        `can take one: ${fit.map((node) => `${node.name} (${zoneOf(node)})`).join(', ')}`,
        excluded(nodes, pods)
      ]
        .filter((part) => part !== '')
        .join('; '),
      `Add a node in the zones that have none, or pass ${oneReplica}.`
    )
  ]
}

/** How many replicas the scheduler places: the emptiest zone first, never more than the skew above the emptiest of all. */
export function placeable(
  nodes: readonly NodeFacts[],
  fit: readonly NodeFacts[],
  pods: ControllerPods
): number {
  const { replicas, zoneSkew, onePerNode } = pods
  if (fit.length === 0) return 0
  if (zoneSkew === undefined) return onePerNode ? Math.min(replicas, fit.length) : replicas
  // A zone whose nodes are all tainted counts: the scheduler looks at selectors and affinity only.
  const zones = new Map(nodes.filter((node) => selected(node, pods)).map((node) => [zoneOf(node), 0]))
  const free = new Map<string, number>()
  for (const node of fit) free.set(zoneOf(node), (free.get(zoneOf(node)) ?? 0) + 1)
  for (let placed = 0; placed < replicas; placed++) {
    const least = Math.min(...zones.values())
    const zone = emptiestFirst(zones).find(
      (one) =>
        (zones.get(one) ?? 0) + 1 - least <= zoneSkew &&
        free.has(one) &&
        (!onePerNode || (free.get(one) ?? 0) > 0)
    )
    if (zone === undefined) return placed
    zones.set(zone, (zones.get(zone) ?? 0) + 1)
    free.set(zone, (free.get(zone) ?? 0) - 1)
  }
  return replicas
}

function emptiestFirst(zones: ReadonlyMap<string, number>): readonly string[] {
  return [...zones].toSorted(([, a], [, b]) => a - b).map(([name]) => name)
}

/** `ip-1: NotReady, ip-2: made by Karpenter`; at most five. */
function excluded(nodes: readonly NodeFacts[], pods: ControllerPods): string {
  const reasons = nodes.flatMap((node) => {
    const reason = exclusion(node, pods)
    return reason === undefined ? [] : [`${node.name}: ${reason}`]
  })
  const more = reasons.length > 5 ? [`and ${reasons.length - 5} more`] : []
  return [...reasons.slice(0, 5), ...more].join(', ')
}
