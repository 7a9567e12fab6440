import type { Node, Taint } from 'kubernetes-types/core/v1.js'

/** A node as the API server shows it; ready, Linux, in zone a, with room for the controller. */
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
): Node {
  return {
    metadata: {
      name,
      labels: {
        'kubernetes.io/os': 'linux',
        'topology.kubernetes.io/zone': more.zone ?? 'a',
        ...more.labels
      }
    },
    spec: { unschedulable: more.cordoned === true, taints: [...(more.taints ?? [])] },
    status: {
      allocatable: { cpu: more.cpu ?? '1930m', memory: '7Gi' },
      conditions: [
        {
          type: 'Ready',
          status: more.ready === false ? 'False' : 'True',
          lastHeartbeatTime: '2026-01-01T00:00:00Z',
          lastTransitionTime: '2026-01-01T00:00:00Z'
        }
      ]
    }
  }
}
