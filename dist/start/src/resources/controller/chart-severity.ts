import { setDifference } from '../../engine/compare.js'
import { judged, type Judgement, type SeverityRule } from '../../engine/severity.js'
import type { SeverityOf } from '../../kubernetes/differences.js'
import type { Manifest } from '../../kubernetes/manifest.js'

const placement = 'its pods may find no node, or nodes that it makes itself'
const startsBy = 'the controller does not start or does not know its cluster without it'
const standIns = 'how many controllers stand by'
const security = 'what the pods of the controller may do on their node'

/** Values of the chart (values.yaml of 1.0 to 1.15), by path. */
const valueRules: readonly SeverityRule[] = [
  {
    at: /^settings(\.(clusterName|clusterEndpoint|clusterCABundle|isolatedVPC|eksControlPlane))?$/,
    severity: 'breaks scaling',
    effect: startsBy
  },
  {
    at: /^settings\.interruptionQueue$/,
    severity: 'breaks scaling',
    effect: 'it hears of interruptions by it'
  },
  { at: /^settings\.batch/, severity: 'changes behaviour', effect: 'how long pods are collected for a node' },
  {
    at: /^settings\.(vmMemoryOverheadPercent|reservedENIs)/,
    severity: 'changes behaviour',
    effect: 'how much it takes to fit on a node'
  },
  { at: /^settings\.featureGates/, severity: 'changes behaviour', effect: 'what the controller does at all' },
  { at: /^log/, severity: 'changes behaviour', effect: 'what the controller writes into its log' },
  {
    at: /^serviceAccount(\.|$)/,
    severity: 'breaks scaling',
    effect: 'the controller gets its role by it'
  },
  {
    at: /^((controller\.)?image(\.|$)|controller\.(env|envFrom|command)|controller$|(name|fullname)Override$)/,
    severity: 'breaks scaling',
    effect: startsBy
  },
  {
    at: /^controller\.resources(\.[a-z]+)?(\.memory)?$/,
    severity: 'breaks scaling',
    effect: 'a controller with too little memory is ended'
  },
  {
    at: /^(nodeSelector|tolerations|affinity|topologySpreadConstraints|schedulerName|priorityClassName)/,
    severity: 'breaks scaling',
    effect: placement
  },
  {
    at: /^(dnsPolicy|dnsConfig|hostNetwork|imagePullSecrets|extraVolumes|controller\.(extraVolumeMounts|healthProbe))/,
    severity: 'breaks scaling',
    effect: startsBy
  },
  {
    at: /^(podSecurityContext|controller\.securityContext|additionalClusterRoleRules|aggregateClusterRoles)/i,
    severity: 'weakens security',
    effect: security
  },
  { at: /^replicas$/, severity: 'changes behaviour', effect: standIns }
]

/** A value of the release that is not as wanted; `path` begins with `values.`. */
export function valueSeverity(path: string, live: unknown): Judgement {
  const name = path.replace(/^values\./, '')
  if (name === 'replicas' && live === 0) return { severity: 'breaks scaling', effect: 'no controller runs' }
  return judged(valueRules, name)
}

/** Fields of the objects that the chart makes, by path. */
const fieldRules: readonly SeverityRule[] = [
  {
    at: /securityContext|\.host(Network|PID|IPC|Users)$|automountServiceAccountToken/,
    severity: 'weakens security',
    effect: security
  },
  {
    at: /\.env\[(CLUSTER_\w+|INTERRUPTION_QUEUE|ISOLATED_VPC|EKS_CONTROL_PLANE|KARPENTER_SERVICE|SYSTEM_NAMESPACE|MEMORY_LIMIT|HEALTH_PROBE_PORT|(DISABLE_)?LEADER_ELECTION\w*|AWS_\w+|(HTTPS?|NO)_PROXY|KUBERNETES_\w+)\]/,
    severity: 'breaks scaling',
    effect: startsBy
  },
  {
    at: /\.env\[LOG_\w+\]/,
    severity: 'changes behaviour',
    effect: 'what the controller writes into its log'
  },
  {
    at: /\.env\[BATCH_\w+\]/,
    severity: 'changes behaviour',
    effect: 'how long pods are collected for a node'
  },
  { at: /\.env\[/, severity: 'changes behaviour', effect: 'what the controller does' },
  { at: /\.(image|command)$/, severity: 'breaks scaling', effect: startsBy },
  {
    at: /\.resources(\.[a-z]+)?(\.memory)?$/,
    severity: 'breaks scaling',
    effect: 'a controller with too little memory is ended'
  },
  {
    at: /^spec\.template\.spec\.(nodeSelector|tolerations|affinity|topologySpreadConstraints|schedulerName|priorityClassName|nodeName)/,
    severity: 'breaks scaling',
    effect: placement
  },
  {
    at: /^spec\.template\.spec\.(serviceAccountName|dnsPolicy|dnsConfig|volumes|imagePullSecrets|initContainers)|\.(volumeMounts|livenessProbe|readinessProbe|ports)(\[|\.|$)|^spec\.selector|^spec\.template\.metadata\.labels/,
    severity: 'breaks scaling',
    effect: startsBy
  },
  { at: /^spec\.replicas$/, severity: 'changes behaviour', effect: standIns },
  { at: /^roleRef/, severity: 'breaks scaling', effect: 'the controller gets its rights by it' },
  { at: /^spec\.(minAvailable|maxUnavailable)$/, severity: 'changes behaviour', effect: standIns },
  { at: /^spec\.revisionHistoryLimit$/, severity: 'cosmetic', effect: 'what a rollback finds' }
]

/** How much it matters that an object of the chart is not as the chart has it. */
export function chartSeverity(manifest: Manifest): SeverityOf {
  return (path, { wanted, live }): Judgement => {
    if (/^(rules|subjects)(\[|\.|$)/.test(path)) {
      return more(wanted, live)
        ? { severity: 'weakens security', effect: 'somebody may do more than was meant' }
        : { severity: 'breaks scaling', effect: 'the controller may do less than it must' }
    }
    // Without it the controller has no role.
    if (live === undefined && path.startsWith('metadata.annotations.eks.amazonaws.com/'))
      return { severity: 'breaks scaling', effect: 'the controller has no role' }
    if (/^metadata\.(annotations\.eks\.amazonaws\.com|labels\.rbac\.authorization\.k8s\.io)\//.test(path)) {
      return { severity: 'weakens security', effect: 'who gets which rights' }
    }
    if (path.startsWith('metadata.')) return { severity: 'cosmetic' }
    // A container or volume that somebody put beside the controller has its service account.
    if (wanted === undefined && /\.(containers|initContainers|volumes)(\[[^\]]*\])?$/.test(path))
      return { severity: 'weakens security', effect: "it has the controller's role" }
    if (manifest.kind === 'Deployment' && path === 'spec.replicas' && live === 0)
      return { severity: 'breaks scaling', effect: 'no controller runs' }
    return judged(fieldRules, path)
  }
}

/** The same of an object that is not there at all. */
export function missingSeverity({ kind, metadata }: Manifest): Judgement {
  if (kind === 'PodDisruptionBudget') return { severity: 'changes behaviour', effect: standIns }
  if (/^(Service|ServiceMonitor|PodMonitor)$/.test(kind))
    return { severity: 'changes behaviour', effect: 'who reads its metrics' }
  if (kind === 'ClusterRole' && metadata.name.endsWith('-admin'))
    return { severity: 'changes behaviour', effect: 'what people may do with NodePools' }
  return { severity: 'breaks scaling', effect: 'the controller runs by it' }
}

/** Whether the list allows or binds what the wanted one does not. */
function more(wanted: unknown, live: unknown): boolean {
  const own: readonly unknown[] = Array.isArray(wanted) ? wanted : []
  return Array.isArray(live) ? setDifference(own, live).surplus.length > 0 : wanted === undefined
}
