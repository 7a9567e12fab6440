import type { Taint } from 'kubernetes-types/core/v1.js'
import type { NodeFacts } from '../../src/kubernetes/node-facts.js'

/** A node: ready, Linux, in zone a, with room for the controller. */
export function node(
  name: string,
  more: {
    readonly zone?: string
    readonly labels?: Readonly<Record<string, string>>
    readonly taints?: readonly Taint[]
    readonly ready?: boolean
    readonly cordoned?: boolean
    readonly cpu?: string
  } = {}
): NodeFacts {
  return {
    name,
    labels: { 'kubernetes.io/os': 'linux', 'topology.kubernetes.io/zone': more.zone ?? 'a', ...more.labels },
    taints: more.taints ?? [],
    cordoned: more.cordoned === true,
    ready: more.ready !== false,
    cpu: more.cpu ?? '1930m',
    memory: '7Gi',
    pods: '29'
  }
}
