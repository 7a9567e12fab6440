import type { Disruption, NodePool } from '../types.js'
import { Fields } from './fields.js'
import type { DocumentFindings } from './findings.js'
import { convertRequirements, convertTaints } from './requirements.js'

/** A Provisioner as a NodePool, and what of it belongs into an EC2NodeClass. */
export interface ConvertedProvisioner {
  readonly nodePool: NodePool
  /** Name of the AWSNodeTemplate; undefined when it had none. */
  readonly nodeTemplate: string | undefined
  /** Settings of an AWSNodeTemplate written into the Provisioner itself. */
  readonly inlineTemplate: unknown
  /** Of the kubelet; they moved to the EC2NodeClass. */
  readonly kubelet: Readonly<Record<string, unknown>> | undefined
}

const known = new Set([
  'requirements',
  'labels',
  'annotations',
  'taints',
  'startupTaints',
  'limits',
  'weight',
  'consolidation',
  'ttlSecondsAfterEmpty',
  'ttlSecondsUntilExpired',
  'providerRef',
  'provider',
  'kubeletConfiguration'
])

/** Kubelet settings that EC2NodeClass v1 has (1.0 to 1.14). */
const kubeletFields = new Set([
  'clusterDNS',
  'maxPods',
  'podsPerCore',
  'systemReserved',
  'kubeReserved',
  'evictionHard',
  'evictionSoft',
  'evictionSoftGracePeriod',
  'evictionMaxPodGracePeriod',
  'imageGCHighThresholdPercent',
  'imageGCLowThresholdPercent',
  'cpuCFSQuota'
])

/**
 * Karpenter's Provisioner v1alpha5 (0.16 to 0.32) as a NodePool v1. What has no equal, or means something else now, is a
 * warning. Source: upstream's v1beta1 and v1 migration guides, and its converter at v0.32.
 */
export function convertProvisioner(
  name: string,
  value: unknown,
  findings: DocumentFindings
): ConvertedProvisioner {
  const spec = new Fields(value, 'spec', findings)
  for (const field of spec.names().filter((one) => !known.has(one)))
    findings.warn(`spec.${field} is left out: a Provisioner has no such field`)
  const labels = renamedKeys(spec.texts('labels'))
  const annotations = renamedKeys(spec.texts('annotations'))
  const taints = convertTaints(spec.list('taints'), 'spec.taints', findings)
  const startupTaints = convertTaints(spec.list('startupTaints'), 'spec.startupTaints', findings)
  const limits = spec.map('limits').texts('resources')
  const weight = weightOf(spec)
  const nodeTemplate = spec.map('providerRef').text('name')
  if (spec.has('provider') && spec.has('providerRef'))
    findings.problem('spec.provider and spec.providerRef are both given; keep one of them')
  const hasMetadata = Object.keys(labels).length + Object.keys(annotations).length > 0
  return {
    nodeTemplate,
    inlineTemplate: spec.raw('provider'),
    kubelet: kubeletOf(spec.map('kubeletConfiguration')),
    nodePool: {
      apiVersion: 'karpenter.sh/v1',
      kind: 'NodePool',
      metadata: { name },
      spec: {
        template: {
          ...(hasMetadata && {
            metadata: {
              ...(Object.keys(labels).length > 0 && { labels }),
              ...(Object.keys(annotations).length > 0 && { annotations })
            }
          }),
          spec: {
            nodeClassRef: { group: 'karpenter.k8s.aws', kind: 'EC2NodeClass', name: nodeTemplate ?? name },
            requirements: convertRequirements(spec.list('requirements'), labels, findings),
            ...(taints.length > 0 && { taints }),
            ...(startupTaints.length > 0 && { startupTaints }),
            expireAfter: expiryOf(spec)
          }
        },
        disruption: disruptionOf(spec),
        ...(Object.keys(limits).length > 0 && { limits }),
        ...(weight !== undefined && { weight })
      }
    }
  }
}

/** Old names that carried over: a node kept from consolidation or eviction is now kept from all disruption. */
function renamedKeys(map: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(map)
      .filter(([key]) => key !== 'karpenter.sh/provisioner-name')
      .map(([key, value]) => [
        /^karpenter\.sh\/do-not-(consolidate|evict)$/.test(key) ? 'karpenter.sh/do-not-disrupt' : key,
        value
      ])
  )
}

function weightOf(spec: Fields): number | undefined {
  const weight = spec.count('weight')
  if (weight === undefined || weight === 0) return undefined
  if (weight > 100) spec.findings.problem(`spec.weight: ${weight} is more than 100`)
  return weight
}

function disruptionOf(spec: Fields): Disruption {
  const { findings } = spec
  const consolidates = spec.map('consolidation').boolean('enabled') === true
  const empty = spec.count('ttlSecondsAfterEmpty')
  if (consolidates) {
    if (empty !== undefined) {
      findings.warn(
        "spec.ttlSecondsAfterEmpty is left out: consolidation.enabled is given as well and removes empty nodes, too (Karpenter's own webhook rejected the pair)"
      )
    }
    return { consolidationPolicy: 'WhenEmptyOrUnderutilized', consolidateAfter: '0s' }
  }
  if (empty !== undefined) return { consolidationPolicy: 'WhenEmpty', consolidateAfter: `${empty}s` }
  findings.warn(
    'has neither consolidation nor ttlSecondsAfterEmpty, so it never scaled down; consolidateAfter: Never keeps it so'
  )
  return { consolidationPolicy: 'WhenEmpty', consolidateAfter: 'Never' }
}

function expiryOf(spec: Fields): string {
  const seconds = spec.count('ttlSecondsUntilExpired')
  if (seconds === undefined) return 'Never'
  spec.findings.warn(
    `spec.ttlSecondsUntilExpired is now expireAfter: ${seconds}s, and it is forceful: nodes are drained at that age without waiting for replacements or disruption budgets`
  )
  return `${seconds}s`
}

/** Kubelet settings that an EC2NodeClass has; others are left out with a warning. */
export function kubeletOf(own: Fields): Readonly<Record<string, unknown>> | undefined {
  const kept = own.names().filter((name) => kubeletFields.has(name))
  for (const name of own.names().filter((one) => !kubeletFields.has(one))) {
    own.findings.warn(
      name === 'containerRuntime'
        ? `${own.path(name)} is left out: nodes run containerd`
        : `${own.path(name)} is left out: EC2NodeClass has no such setting`
    )
  }
  return kept.length === 0 ? undefined : Object.fromEntries(kept.map((name) => [name, own.raw(name)]))
}
