import type { NodeSelectorRequirement, Taint } from 'kubernetes-types/core/v1.js'
import { labelsOfDescription, labelsOfName } from '../../karpenter/instance-labels.js'
import { left, type NodeRequirement, requirementsOf } from '../../karpenter/requirement-match.js'
import { listField, type Manifest, textField } from '../../kubernetes/manifest.js'
import { type ControllerPods, controllerPods } from './controller-pods.js'
import type { Facts } from '../facts.js'
import type { Concern } from '../finding.js'
import { controllerPodOf, profileFor } from './fargate-profiles.js'
import { tolerated } from './node-fitness.js'

type OwnNodesFacts = Pick<Facts, 'nodePools' | 'values' | 'namespace' | 'releaseName' | 'profiles'>

/**
 * NodePools whose nodes could run the controller. A controller that ends its own node, or whose last node goes while it is
 * down, has nobody to start it another. The chart's own node affinity keeps it off them, and so does Fargate.
 */
export async function controllerOnOwnNodes(facts: OwnNodesFacts): Promise<readonly Concern[]> {
  const { nodePools, values } = facts
  const pods = controllerPods(values)
  const takers = nodePools.filter((nodePool) => takes(nodePool, pods)).map(({ metadata }) => metadata.name)
  if (takers.length === 0 || (await onFargate(facts))) return []
  return [
    {
      level: 'warning',
      subject: 'helm-values',
      problem: `the controller could run on nodes that it makes itself (NodePool ${takers.join(', ')}), and once its last node is gone nobody starts another`,
      evidence:
        pods.nodeTerms === undefined
          ? 'affinity.nodeAffinity asks for no nodes'
          : 'affinity.nodeAffinity has a term that such a node meets',
      fix: 'Leave affinity.nodeAffinity out of helm-values, or add {key: karpenter.sh/nodepool, operator: DoesNotExist} to the matchExpressions of each of its nodeSelectorTerms.'
    }
  ]
}

/** Profiles are asked for only where a NodePool could take the controller. */
async function onFargate(facts: OwnNodesFacts): Promise<boolean> {
  const profiles = await facts.profiles()
  return profiles.state === 'read' && profileFor(profiles.items, controllerPodOf(facts)) !== undefined
}

/** Labels that a node has whatever its NodePool asks for; which values, only the requirements say. */
const ofEveryNode: ReadonlySet<string> = new Set([
  ...Object.keys(labelsOfName('')),
  ...Object.keys(labelsOfDescription({ ProcessorInfo: { SupportedArchitectures: ['x86_64'] } }) ?? {}),
  'kubernetes.io/hostname',
  'kubernetes.io/os',
  'topology.kubernetes.io/zone',
  'topology.kubernetes.io/region',
  'topology.k8s.aws/zone-id',
  'topology.ebs.csi.aws.com/zone',
  'karpenter.sh/registered',
  'karpenter.sh/initialized',
  'karpenter.k8s.aws/ec2nodeclass'
])

function takes(nodePool: Manifest, pods: ControllerPods): boolean {
  const requirements = requirementsOf(nodePool)
  const could = (expression: NodeSelectorRequirement): boolean =>
    couldMeet(nodePool, requirements, expression)
  const selected = Object.entries(pods.nodeSelector).every(([key, value]) =>
    could({ key, operator: 'In', values: [value] })
  )
  const inTerms =
    pods.nodeTerms === undefined ||
    pods.nodeTerms.some((term) => (term.matchExpressions ?? []).every((expression) => could(expression)))
  return selected && inTerms && taintsOf(nodePool).every((taint) => tolerated(taint, pods.tolerations))
}

function couldMeet(
  nodePool: Manifest,
  requirements: readonly NodeRequirement[],
  { key, operator, values = [] }: NodeSelectorRequirement
): boolean {
  const asked: NodeRequirement = { key, operator, values }
  if (key === 'karpenter.sh/nodepool') return left([nodePool.metadata.name], asked) !== undefined
  const own = requirements.filter((one) => one.key === key)
  // The node has none but what its NodePool says.
  if (own.length === 0)
    return ofEveryNode.has(key) ? operator !== 'DoesNotExist' : left([], asked) !== undefined
  return own.every((one) =>
    one.operator === 'In' ? left(one.values, asked) !== undefined : couldAgree(one, asked)
  )
}

/** Whether there can be a value that both take, as far as the values of a list tell. */
function couldAgree(own: NodeRequirement, asked: NodeRequirement): boolean {
  if (own.operator === 'DoesNotExist') return left([], asked) !== undefined
  if (asked.operator === 'DoesNotExist') return false
  return asked.operator !== 'In' || left(asked.values, own) !== undefined
}

function taintsOf(nodePool: Manifest): readonly Taint[] {
  return listField(nodePool, 'spec', 'template', 'spec', 'taints').map((taint) => ({
    key: textField(taint, 'key') ?? '',
    effect: textField(taint, 'effect') ?? '',
    value: textField(taint, 'value') ?? ''
  }))
}
