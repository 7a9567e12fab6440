import { isMap, type JsonMap, mapAt, picked } from '../../engine/json.js'
import type { Manifest } from '../../kubernetes/manifest.js'
import type { NodeClassFacts } from '../default-node-pools.js'
import { nodeClassOf } from './node-template.js'

/** What a v1alpha5 Provisioner comes to. */
export interface ConvertedProvisioner {
  readonly nodePool: Manifest
  /** From an inline `spec.provider`; undefined when the Provisioner refers to an AWSNodeTemplate. */
  readonly nodeClass: Manifest | undefined
  /** Name of the EC2NodeClass that the NodePool refers to. */
  readonly nodeClassName: string
  readonly warnings: readonly string[]
}

interface Requirement {
  readonly key: string
  readonly operator: string
  readonly values?: readonly string[]
}

/** Keys under which a Provisioner already chooses instance types; without one its webhook added a default. */
const typeKeys = [
  'node.kubernetes.io/instance-type',
  'karpenter.k8s.aws/instance-family',
  'karpenter.k8s.aws/instance-category',
  'karpenter.k8s.aws/instance-generation'
]

/**
 * v1alpha5 Provisioner to v1 NodePool. The old webhook's defaults are written out, because v1 applies none. Source:
 * karpenter v0.32 upgrade guide and tools/karpenter-convert; docs of NodePool v1.
 */
export function convertProvisioner(provisioner: Manifest, facts: NodeClassFacts): ConvertedProvisioner {
  const { name } = provisioner.metadata
  const title = `Provisioner ${name}`
  const warnings: string[] = []
  const spec = mapAt(provisioner, 'spec')
  const provider = spec['provider']
  const reference = mapAt(spec, 'providerRef')['name']
  const nodeClassName = typeof reference === 'string' ? reference : name
  if (isMap(provider) && typeof reference === 'string') {
    warnings.push(
      `${title}: both provider and providerRef are given, which upstream refused; providerRef is kept`
    )
  }
  const inline =
    isMap(provider) && typeof reference !== 'string' ? nodeClassOf(name, title, provider, facts) : undefined
  warnings.push(...(inline?.warnings ?? []))
  if (isMap(spec['kubeletConfiguration'])) {
    warnings.push(
      `${title}: kubeletConfiguration moved to spec.kubelet of the EC2NodeClass; containerRuntime is gone`
    )
  }
  const nodePool: Manifest = {
    apiVersion: 'karpenter.sh/v1',
    kind: 'NodePool',
    metadata: metadataOf(provisioner),
    spec: {
      template: {
        ...templateMetadata(spec),
        spec: {
          requirements: requirementsOf(title, spec, warnings),
          ...picked(spec, ['taints', 'startupTaints']),
          nodeClassRef: { group: 'karpenter.k8s.aws', kind: 'EC2NodeClass', name: nodeClassName },
          expireAfter: expiry(title, spec, warnings)
        }
      },
      ...limitsOf(spec),
      disruption: disruptionOf(title, spec, warnings),
      ...picked(spec, ['weight'])
    }
  }
  return { nodePool, nodeClass: inline?.nodeClass, nodeClassName, warnings }
}

function disruptionOf(title: string, spec: JsonMap, warnings: string[]): JsonMap {
  const consolidates = mapAt(spec, 'consolidation')['enabled'] === true
  const emptyAfter = spec['ttlSecondsAfterEmpty']
  if (consolidates) {
    if (emptyAfter !== undefined) {
      warnings.push(
        `${title}: consolidation and ttlSecondsAfterEmpty exclude each other (upstream's webhook refused both); consolidation is kept, ttlSecondsAfterEmpty is dropped`
      )
    }
    return { consolidationPolicy: 'WhenEmptyOrUnderutilized', consolidateAfter: '0s' }
  }
  if (typeof emptyAfter === 'number')
    return { consolidationPolicy: 'WhenEmpty', consolidateAfter: `${emptyAfter}s` }
  warnings.push(
    `${title}: neither consolidation nor ttlSecondsAfterEmpty is set, so nodes are never scaled down, as before`
  )
  return { consolidationPolicy: 'WhenEmpty', consolidateAfter: 'Never' }
}

function expiry(title: string, spec: JsonMap, warnings: string[]): string {
  const seconds = spec['ttlSecondsUntilExpired']
  if (typeof seconds !== 'number') return 'Never'
  warnings.push(
    `${title}: expiry is forceful in v1: nodes older than ${seconds} s are drained whatever else is there to take their pods`
  )
  return `${seconds}s`
}

function limitsOf(spec: JsonMap): JsonMap {
  const resources = mapAt(mapAt(spec, 'limits'), 'resources')
  if (Object.keys(resources).length === 0) return {}
  return { limits: Object.fromEntries(Object.entries(resources).map(([key, value]) => [key, String(value)])) }
}

function requirementsOf(title: string, spec: JsonMap, warnings: string[]): readonly Requirement[] {
  const given = (Array.isArray(spec['requirements']) ? spec['requirements'] : []).filter(isRequirement)
  const labels = mapAt(spec, 'labels')
  const has = (key: string): boolean => key in labels || given.some((requirement) => requirement.key === key)
  const defaults: Requirement[] = []
  if (!has('kubernetes.io/os')) defaults.push(requirement('kubernetes.io/os', 'In', 'linux'))
  if (!has('kubernetes.io/arch')) defaults.push(requirement('kubernetes.io/arch', 'In', 'amd64'))
  if (!has('karpenter.sh/capacity-type'))
    defaults.push(requirement('karpenter.sh/capacity-type', 'In', 'on-demand'))
  if (!typeKeys.some(has)) {
    defaults.push(requirement('karpenter.k8s.aws/instance-category', 'In', 'c', 'm', 'r'))
    defaults.push(requirement('karpenter.k8s.aws/instance-generation', 'Gt', '2'))
  }
  if (defaults.length > 0) {
    warnings.push(
      `${title}: requirements that v1alpha5 assumed are written out: ${defaults.map((each) => `${each.key} ${each.operator} ${(each.values ?? []).join(',')}`).join('; ')}`
    )
  }
  return [...given, ...defaults]
}

function requirement(key: string, operator: string, ...values: string[]): Requirement {
  return { key, operator, values }
}

function isRequirement(value: unknown): value is Requirement {
  return isMap(value) && typeof value['key'] === 'string' && typeof value['operator'] === 'string'
}

/** What kubectl and other tools left behind is not carried over. */
function metadataOf(object: Manifest): Manifest['metadata'] {
  const { name, labels, annotations } = object.metadata
  const kept = Object.entries(annotations ?? {}).filter(([key]) => !key.startsWith('kubectl.kubernetes.io/'))
  return {
    name,
    ...(labels !== undefined && { labels }),
    ...(kept.length > 0 && { annotations: Object.fromEntries(kept) })
  }
}

function templateMetadata(spec: JsonMap): JsonMap {
  const metadata = picked(spec, ['labels', 'annotations'])
  return Object.keys(metadata).length === 0 ? {} : { metadata }
}
