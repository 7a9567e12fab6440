import type { NodeFacts } from '../../kubernetes/node-facts.js'
import { capacityFinding as finding, oneReplica, refused } from './capacity-finding.js'
import { placeable, placement } from './controller-placement.js'
import { type ControllerPods, controllerPods } from './controller-pods.js'
import { controllerPodOf, type FargateProfile, profileFor } from './fargate-profiles.js'
import type { Facts } from '../facts.js'
import { type Concern, leftToInstall } from '../finding.js'
import { exclusion, isFargate, leavesOutKarpenters } from './node-fitness.js'
import { type Room, roomOn } from './node-room.js'

type CapacityFacts = Pick<
  Facts,
  | 'nodes'
  | 'values'
  | 'namespace'
  | 'releaseName'
  | 'identity'
  | 'changes'
  | 'profiles'
  | 'othersNodes'
  | 'podsOn'
  | 'controllerNodes'
>

/** Nodes that are asked for their pods; of more of them some will have room. */
const askedNodes = 10

/**
 * Whether the controller's pods have nodes to run on, and room there. They never run on Karpenter's own nodes, each wants a
 * node of its own, and they spread over zones (chart's defaults, 1.0 to 1.14). A pod that a Fargate profile takes in runs on
 * Fargate and needs no node.
 */
export async function controllerCapacity(facts: CapacityFacts): Promise<readonly Concern[]> {
  if (!(await facts.changes())) return standing(facts)
  const [nodes, profiles] = await Promise.all([facts.nodes(), facts.profiles()])
  const pods = controllerPods(facts.values)
  if (profiles.state === 'denied') {
    return [notRead('on Fargate', profiles.action), ...(await withRoom(nodes, pods, facts))]
  }
  const profile = profileFor(profiles.items, controllerPodOf(facts))
  if (profile !== undefined) return onFargate(profile, facts)
  if (nodes.length > 0 && nodes.every(isFargate)) return [noProfile(profiles.items, facts)]
  return withRoom(nodes, pods, facts)
}

function notRead(what: string, action: string): Concern {
  return finding(
    'note',
    `whether the controller runs ${what} could not be seen: the run's role may not call ${action}`,
    '',
    leftToInstall
  )
}

/**
 * Source: Amazon EKS, Pod Identity considerations: its agent is a DaemonSet, and Fargate runs none. Fargate considerations:
 * no pod has its host's network.
 */
function onFargate({ name }: FargateProfile, facts: CapacityFacts): Concern[] {
  const { identity, namespace, values } = facts
  const evidence = `Fargate profile ${name} takes in its pods in namespace ${namespace}`
  const found: Concern[] = []
  if (identity === 'pod-identity') {
    found.push({
      ...finding(
        'error',
        `pod-identity does not serve Fargate, where the controller would run and get no credentials`,
        evidence,
        'Pass `controller-identity: irsa`, or a `namespace` that no Fargate profile takes in.'
      ),
      subject: 'controller-identity'
    })
  }
  if (values['hostNetwork'] === true) {
    found.push(
      finding(
        'error',
        'hostNetwork: true is not possible on Fargate, where the controller would run',
        evidence,
        'Leave hostNetwork out of helm-values, or pass a `namespace` that no Fargate profile takes in.'
      )
    )
  }
  return found
}

function noProfile(profiles: readonly FargateProfile[], { namespace }: CapacityFacts): Concern {
  return refused(
    `the cluster has Fargate nodes only, and no Fargate profile takes in the controller in namespace ${namespace}`,
    profiles.length === 0 ? 'it has none' : `profiles: ${profiles.map(({ name }) => name).join(', ')}`,
    `Make one (eksctl create fargateprofile --namespace ${namespace}), or add a managed node group.`
  )
}

/** Where nothing is to be changed the controller runs already, and on Fargate its nodes are made for it. */
async function standing(facts: CapacityFacts): Promise<readonly Concern[]> {
  const pods = controllerPods(facts.values)
  if (leavesOutKarpenters(pods) && placement((await facts.othersNodes()).nodes, pods).length === 0) return []
  const nodes = await facts.nodes()
  const found = placement(nodes, pods)
  const onFargateNodes = new Set(nodes.filter(isFargate).map(({ name }) => name))
  if (found.length === 0 || onFargateNodes.size === 0) return found
  const running = await facts.controllerNodes()
  if (running.state === 'denied') return [notRead('on Fargate', running.action)]
  const runsThere = running.items.length > 0 && running.items.every((name) => onFargateNodes.has(name))
  return runsThere ? [] : found
}

async function withRoom(
  nodes: readonly NodeFacts[],
  pods: ControllerPods,
  { podsOn }: CapacityFacts
): Promise<readonly Concern[]> {
  const found = placement(nodes, pods)
  if (found.length > 0) return found
  const fit = nodes.filter((node) => exclusion(node, pods) === undefined)
  const asked = await Promise.all(
    fit.slice(0, askedNodes).map(async (node) => ({ node, taken: await podsOn(node.name) }))
  )
  const denied = asked.find(({ taken }) => taken.state === 'denied')
  if (denied?.taken.state === 'denied') return [notRead('with room on the nodes', denied.taken.action)]
  const rooms = new Map(
    asked.map(({ node, taken }): [NodeFacts, Room] => [
      node,
      taken.state === 'read' ? roomOn(node, taken.items, pods) : 'enough'
    ])
  )
  return room(nodes, fit, pods, (node) => rooms.get(node) ?? 'enough')
}

function room(
  nodes: readonly NodeFacts[],
  fit: readonly NodeFacts[],
  pods: ControllerPods,
  roomOf: (node: NodeFacts) => Room
): Concern[] {
  const free = fit.filter((node) => roomOf(node) === 'enough')
  if (placeable(nodes, free, pods) >= pods.replicas) return []
  const evictable = fit.filter((node) => roomOf(node) !== 'none')
  const named = (those: readonly NodeFacts[]): string => those.map(({ name }) => name).join(', ')
  const short = fit.filter((node) => roomOf(node) !== 'enough')
  const needs = `each needs ${pods.cpu} cpu, ${Math.ceil(pods.memory / 2 ** 20)}Mi memory and a place among the node's pods`
  const placed = placeable(nodes, evictable, pods)
  if (placed >= pods.replicas) {
    return [
      finding(
        'warning',
        `the controller would push pods of a lower priority off ${named(short.filter((node) => evictable.includes(node)))}, which have no room left for it`,
        needs,
        'Add a node to a managed node group, or make room. With nothing done those pods wait until there is a place for them.'
      )
    ]
  }
  const problem = `only ${placed} of the controller's ${pods.replicas} replicas find room: the pods on ${named(fit.filter((node) => !evictable.includes(node)))} leave too little`
  const fix = `Add a node to a managed node group, ask for less (controller.resources in helm-values)${placed === 0 ? '' : `, or pass ${oneReplica}`}.`
  // A priority class of the user's own may push others off all the same.
  return pods.priority === undefined
    ? [finding('warning', problem, needs, fix)]
    : [refused(problem, needs, fix)]
}
