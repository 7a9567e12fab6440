import type { Taint, Toleration } from 'kubernetes-types/core/v1.js'
import { quantity } from '../../engine/quantity.js'
import type { NodeFacts } from '../../kubernetes/node-facts.js'
import { holds } from '../../kubernetes/selectors.js'
import type { ControllerPods } from './controller-pods.js'

export function zoneOf(node: NodeFacts): string {
  return node.labels['topology.kubernetes.io/zone'] ?? ''
}

export function isFargate(node: NodeFacts): boolean {
  return node.labels['eks.amazonaws.com/compute-type'] === 'fargate'
}

/** Whether selector and affinity of the pods take the node in. */
export function selected(node: NodeFacts, pods: ControllerPods): boolean {
  return unselected(node, pods) === undefined
}

/** No node that Karpenter made is taken in, whatever it is like: so the chart wants it. */
export function leavesOutKarpenters({ nodeTerms = [] }: ControllerPods): boolean {
  return (
    nodeTerms.length > 0 &&
    nodeTerms.every(({ matchExpressions = [] }) =>
      matchExpressions.some(
        ({ key, operator }) => key === 'karpenter.sh/nodepool' && operator === 'DoesNotExist'
      )
    )
  )
}

function unselected(node: NodeFacts, pods: ControllerPods): string | undefined {
  const { labels } = node
  const unlike = Object.entries(pods.nodeSelector).find(([key, value]) => labels[key] !== value)
  if (unlike !== undefined) return `not ${unlike[0]}=${unlike[1]}`
  const taken = pods.nodeTerms?.some((term) =>
    (term.matchExpressions ?? []).every((requirement) => holds(requirement, labels))
  )
  if (taken !== false) return undefined
  return labels['karpenter.sh/nodepool'] === undefined ? 'not in the node affinity' : 'made by Karpenter'
}

/** Why the controller cannot run on a node; undefined when it can. */
export function exclusion(node: NodeFacts, pods: ControllerPods): string | undefined {
  const reason = unselected(node, pods)
  if (reason !== undefined) return reason
  if (isFargate(node)) return 'Fargate'
  if (!node.ready) return 'not Ready'
  if (node.cordoned) return 'cordoned'
  const taint = node.taints.find((one) => !tolerated(one, pods.tolerations))
  if (taint !== undefined)
    return `taint ${taint.key}${taint.value === undefined ? '' : `=${taint.value}`}:${taint.effect}`
  if (lessThan(node.cpu, pods.cpu)) return `${String(node.cpu)} cpu`
  if (lessThan(node.memory, pods.memory)) return `${String(node.memory)} memory`
  return undefined
}

function lessThan(has: string | undefined, needs: number): boolean {
  const amount = has === undefined ? undefined : quantity(has)
  return amount !== undefined && amount < needs
}

/** Whether pods with these tolerations may be scheduled in spite of a taint. */
export function tolerated(taint: Taint, tolerations: readonly Toleration[]): boolean {
  return taint.effect === 'PreferNoSchedule' || tolerations.some((toleration) => tolerates(toleration, taint))
}

/** Source: Kubernetes, taints and tolerations. An empty key with Exists tolerates all, an empty effect every effect. */
function tolerates(toleration: Toleration, taint: Taint): boolean {
  if (toleration.effect !== undefined && toleration.effect !== '' && toleration.effect !== taint.effect)
    return false
  const exists = toleration.operator === 'Exists'
  if (toleration.key === undefined || toleration.key === '') return exists
  return toleration.key === taint.key && (exists || (toleration.value ?? '') === (taint.value ?? ''))
}
