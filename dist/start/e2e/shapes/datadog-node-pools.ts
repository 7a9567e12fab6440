import type { KubernetesObject } from '../scenario.js'

/** What kubectl-datadog reads of the managed node groups, which are AL2023, x86_64 and on demand. */
export interface NodeGroups {
  readonly clusterName: string
  readonly subnets: readonly string[]
  readonly securityGroups: readonly string[]
  readonly zones: readonly string[]
  /** Instance families: m5 */
  readonly families: readonly string[]
  readonly pluginVersion: string
}

/** The EC2NodeClass and the NodePool that kubectl-datadog makes of them, under the names that it computes. */
export function inferred(groups: NodeGroups): {
  readonly nodeClass: KubernetesObject
  readonly nodePool: KubernetesObject
} {
  const labels = {
    'app.kubernetes.io/managed-by': 'kubectl-datadog',
    'app.kubernetes.io/version': groups.pluginVersion,
    'autoscaling.datadoghq.com/created': 'true'
  }
  const { securityGroups } = groups
  // No launch template: no metadata options and no block devices.
  const nodeClassName = nameOf('AL2023', count(securityGroups.length), ...securityGroups, '\0', count(0))
  // No labels of their own and no taints.
  const nodePoolName = nameOf(nodeClassName, count(0), count(0))
  const byId = (ids: readonly string[]) => ids.map((id) => ({ id }))
  return {
    nodeClass: {
      apiVersion: 'karpenter.k8s.aws/v1',
      kind: 'EC2NodeClass',
      metadata: { name: nodeClassName, labels },
      spec: {
        role: `KarpenterNodeRole-${groups.clusterName}`,
        amiFamily: 'AL2023',
        amiSelectorTerms: [{ alias: 'al2023@latest' }],
        subnetSelectorTerms: byId(groups.subnets),
        securityGroupSelectorTerms: byId(securityGroups)
      }
    },
    nodePool: {
      apiVersion: 'karpenter.sh/v1',
      kind: 'NodePool',
      metadata: { name: nodePoolName, labels },
      spec: {
        template: {
          metadata: {},
          spec: {
            nodeClassRef: { group: 'karpenter.k8s.aws', kind: 'EC2NodeClass', name: nodeClassName },
            requirements: [
              oneOf('kubernetes.io/arch', ['amd64']),
              oneOf('topology.kubernetes.io/zone', groups.zones),
              oneOf('karpenter.k8s.aws/instance-family', groups.families),
              oneOf('karpenter.sh/capacity-type', ['on-demand'])
            ]
          }
        },
        disruption: {
          budgets: [{ nodes: '10%' }],
          consolidateAfter: '5m',
          consolidationPolicy: 'WhenEmptyOrUnderutilized'
        }
      }
    }
  }
}

function oneOf(key: string, values: readonly string[]): Readonly<Record<string, unknown>> {
  return { key, operator: 'In', values: [...values] }
}

/** A number as Go's binary.Write puts it: four bytes, the highest first. */
function count(number: number): string {
  return [24, 16, 8, 0].map((shift) => String.fromCharCode((number >> shift) & 0xff)).join('')
}

/** `dd-karpenter-` and the last five digits in base 32 of the parts' FNV-1 sum of 64 bits. */
function nameOf(...parts: readonly string[]): string {
  const sum = [...Buffer.from(parts.join(''), 'latin1')].reduce(
    (sofar, byte) => BigInt.asUintN(64, sofar * 0x100000001b3n) ^ BigInt(byte),
    0xcbf29ce484222325n
  )
  // Thirteen digits of five bits are one bit more than the sum has.
  const digits = Array.from({ length: 13 }, (_, index) => {
    const digit = ((sum << 1n) >> BigInt(5 * (12 - index))) & 31n
    return 'abcdefghijklmnopqrstuvwxyz234567'.charAt(Number(digit))
  })
  return `dd-karpenter-${digits.join('').slice(8)}`
}
