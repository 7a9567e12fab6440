import { field, listField, textField, type Manifest } from '../kubernetes/manifest.js'
import type { BreakingChange } from './upgrade-guide.js'
import { inSpan, isBefore } from './versions.js'

/** What is known of a cluster by which a caution concerns it or not. */
export interface CautionFacts {
  /** Of the cluster and of this run. */
  readonly nodePools: readonly Manifest[]
  readonly nodeClasses: readonly Manifest[]
  /** The chart's values of this run. */
  readonly values: Readonly<Record<string, unknown>>
}

/** Something that a version does differently, for whoever passes it. */
export interface Caution {
  /** The version that brings it. */
  readonly from: string
  readonly text: string
  readonly source: string
  /** Set when this action sees to it. */
  readonly handled?: string
  /** Left out, or unknown, where the cluster cannot tell; then a person must. */
  readonly concerns?: (facts: CautionFacts) => boolean | 'unknown'
}

const guide = 'upgrade guide of Karpenter'
const usesAlias = (facts: CautionFacts, family: string): boolean =>
  facts.nodeClasses.some((one) =>
    listField(one, 'spec', 'amiSelectorTerms').some(
      (term) => textField(term, 'alias')?.startsWith(`${family}@`) === true
    )
  )
const usesField = (facts: CautionFacts, ...path: readonly string[]): boolean =>
  facts.nodeClasses.some((one) => field(one, 'spec', ...path) !== undefined)
const requires = (facts: CautionFacts, key: string): boolean =>
  facts.nodePools.some((one) =>
    listField(one, 'spec', 'template', 'spec', 'requirements').some((term) => textField(term, 'key') === key)
  )

/** The annotation by which 1.0 kept the kubelet settings of v1beta1 NodePools. */
export const compatibilityAnnotation = 'compatibility.karpenter.sh/v1beta1-kubelet-conversion'

/** In the order of versions. Sources: the upgrade guide in website/content/en/preview/upgrading, and what is named. */
const cautions: readonly Caution[] = [
  {
    from: '1.1.0',
    text: 'v1beta1 is gone, with the webhooks that converted it: objects must be stored as v1, with group and kind in every nodeClassRef',
    source: guide,
    handled: 'preflight refuses a cluster with objects that are stored as v1beta1'
  },
  {
    from: '1.1.0',
    text: `up to 1.5 the controller ends at its start when a NodePool has the annotation ${compatibilityAnnotation}; later ones ignore it, and the kubelet settings in it`,
    source: 'pkg/operator of 1.1 to 1.5',
    concerns: ({ nodePools }) =>
      nodePools.some(({ metadata }) => compatibilityAnnotation in (metadata.annotations ?? {}))
  },
  {
    from: '1.1.0',
    text: 'the label karpenter.k8s.aws/instance-accelerator-name of Neuron instances becomes trainium, inferentia or inferentia2',
    source: guide,
    concerns: (facts) => requires(facts, 'karpenter.k8s.aws/instance-accelerator-name')
  },
  {
    from: '1.1.0',
    text: 'instanceStorePolicy RAID0 is applied to Bottlerocket, whose images before 1.22 do not join with it',
    source: guide,
    concerns: (facts) => usesAlias(facts, 'bottlerocket') && usesField(facts, 'instanceStorePolicy')
  },
  {
    from: '1.1.0',
    text: 'launch templates have the tag eks:eks-cluster-name in place of karpenter.k8s.aws/cluster: policies, budgets and scripts that go by the old one find nothing',
    source: guide
  },
  {
    from: '1.1.0',
    text: "the operator's general metrics of objects are deprecated, and each kind has its own in their place",
    source: guide
  },
  {
    from: '1.2.0',
    text: 'in metrics the reasons of disruptions are written small (drifted, empty, expired, underutilized), and the controllers nodeclass.status and nodeclass.termination are one, nodeclass',
    source: guide
  },
  {
    from: '1.3.0',
    text: 'before an EC2NodeClass is Ready the controller tries CreateFleet, RunInstances and CreateLaunchTemplate as dry runs: a policy that denies them by tag, subnet or key shows there first',
    source: 'pkg/controllers/nodeclass/validation.go of 1.3'
  },
  {
    from: '1.3.0',
    text: 'the metric karpenter_ignored_pod_count is karpenter_scheduler_ignored_pod_count',
    source: guide
  },
  {
    from: '1.4.0',
    text: "the node role's policy for image pulls becomes AmazonEC2ContainerRegistryPullOnly, which lets nodes pull and nothing else of ECR",
    source: 'the published template, 1.3 and 1.4',
    handled: 'it comes with the stack'
  },
  {
    from: '1.6.0',
    text: 'native capacity reservations are on by default: EC2NodeClasses without capacityReservationSelectorTerms no longer use reservations with open matching, which stay billed where there are any',
    source: guide,
    concerns: ({ nodeClasses, values }) =>
      field(values, 'settings', 'featureGates', 'reservedCapacity') !== false &&
      nodeClasses.some((one) => field(one, 'spec', 'capacityReservationSelectorTerms') === undefined) &&
      // Whether the account has such reservations is not read.
      'unknown'
  },
  {
    from: '1.6.0',
    text: 'nodes of a capacity reservation have the capacity type reserved: pods that select on-demand alone do not run there',
    source: guide,
    concerns: (facts) => usesField(facts, 'capacityReservationSelectorTerms')
  },
  {
    from: '1.7.0',
    text: 'new instance profiles lie under /karpenter/<region>/<cluster>/<uid of the EC2NodeClass>/, and the controller lists them (iam:ListInstanceProfiles); those that are there stay in use',
    source: guide,
    concerns: ({ nodeClasses }) => nodeClasses.some((one) => field(one, 'spec', 'role') !== undefined)
  },
  {
    from: '1.7.0',
    text: 'the check of an EC2NodeClass creates a launch template, not only a dry run of one, even while no pod waits',
    source: 'pkg/controllers/nodeclass/validation.go of 1.7',
    concerns: ({ values }) => field(values, 'settings', 'disableDryRun') !== true
  },
  {
    from: '1.7.0',
    text: 'metrics are renamed: karpenter_pods_pods_drained_total is karpenter_pods_drained_total, and the reason liveness is registration_timeout',
    source: guide
  },
  {
    from: '1.7.0',
    text: 'pods with ResourceClaims are left pending; before, Karpenter made nodes for them as if they had none',
    source: guide
  },
  {
    from: '1.9.0',
    text: 'the one policy of the controller is split into five, and what refers to KarpenterControllerPolicy by its name no longer finds it',
    source: guide,
    handled: 'the new ones are attached before the old one goes'
  },
  {
    from: '1.10.0',
    text: 'a fifth rule brings warnings of capacity reservations that end to the queue',
    source: guide,
    handled: 'it comes with the stack'
  },
  {
    from: '1.12.0',
    text: "the cluster's CA bundle becomes part of the EC2NodeClass's hash (v5). The guide says that existing nodes drift; the controller renews the hash of NodeClaims that are not drifted yet, so the upgrade itself replaces none, and a later change of the CA replaces all",
    source: `${guide}; pkg/controllers/nodeclass/hash of 1.12`
  },
  {
    from: '1.12.0',
    text: 'the controller watches the status checks of instances and needs ec2:DescribeInstanceStatus, without which it stops doing so',
    source: guide,
    handled: 'it comes with the stack'
  },
  {
    from: '1.12.0',
    text: 'settings.enableZonalShift needs zonal shift of the EKS cluster to be on: the controller ends at its start without it',
    source: `${guide}; pkg/operator of 1.12`,
    concerns: ({ values }) => field(values, 'settings', 'enableZonalShift') === true
  },
  {
    from: '1.14.0',
    text: 'the CRD capacitybuffers.autoscaling.x-k8s.io comes with it, which other autoscalers use as well',
    source: guide
  },
  {
    from: '1.15.0',
    text: 'node repair is a disruption like the others: it keeps to the budgets of the NodePool (reason Unhealthy), makes sure of room for the pods first, and waits for pods that block it where no terminationGracePeriod is set. settings.legacyNodeRepair keeps the former one for now',
    source: 'pkg/controllers/disruption/repair.go and pkg/operator/options of core 1.15',
    concerns: ({ values }) => field(values, 'settings', 'featureGates', 'nodeRepair') === true
  },
  {
    from: '1.15.0',
    text: "the API server takes any setting in spec.kubelet, and Karpenter's controller judges it: one that is unknown, of a wrong type, kept by Karpenter (registerWithTaints) or not applied by the AMI family leaves the EC2NodeClass with ValidationSucceeded=False, and no node is made of it",
    source:
      'pkg/controllers/nodeclass/validation.go and pkg/apis/v1/kubeletconfiguration_validation.go of 1.15',
    concerns: (facts) => usesField(facts, 'kubelet')
  },
  {
    from: '1.15.0',
    text: '`helm upgrade --reuse-values` from an earlier chart fails: the chart reads settings.awsFeatureGates, which the values of before do not have',
    source: 'charts/karpenter/templates of 1.15',
    handled: 'this action gives every value anew'
  },
  {
    from: '1.15.0',
    text: 'settings.ignoreDRARequests: false takes effect: up to 1.14 the chart left it out, and the controller kept to its default',
    source: 'charts/karpenter/templates/deployment.yaml of 1.14 and 1.15',
    concerns: ({ values }) => field(values, 'settings', 'ignoreDRARequests') === false
  }
]

/** A caution of a version that a change of version passes, and whether it concerns the cluster. */
export interface PassedCaution {
  readonly version: string
  readonly text: string
  readonly source: string
  /** `unknown`: only a person can tell. `no`: passed all the same, and said in the report alone. */
  readonly concerns: 'yes' | 'no' | 'unknown'
  readonly handled?: string
}

/** Those of every version after the one and up to the other; of a way back none is known. */
export function cautionsBetween(from: string, to: string, facts: CautionFacts): readonly PassedCaution[] {
  return cautions
    .filter(({ from: version }) => isBefore(from, version) && inSpan(to, { from: version }))
    .map(({ from: version, text, source, handled, concerns }) => ({
      version,
      text,
      source,
      concerns: answerOf(concerns?.(facts) ?? 'unknown'),
      ...(handled !== undefined && { handled })
    }))
}

/** What upstream's guide calls breaking of versions that are newer than all of the above. */
export function readCautions(
  from: string,
  to: string,
  changes: readonly BreakingChange[]
): readonly PassedCaution[] {
  return changes
    .filter(({ version }) => isBefore(from, version) && inSpan(to, { from: version }))
    .map(({ version, text }) => ({ version, text, source: `${guide} at v${to}`, concerns: 'unknown' }))
}

function answerOf(concerns: boolean | 'unknown'): PassedCaution['concerns'] {
  return concerns === 'unknown' ? concerns : concerns ? 'yes' : 'no'
}
