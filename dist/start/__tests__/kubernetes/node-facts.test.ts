import type { Node } from 'kubernetes-types/core/v1.js'
import { nodeFacts } from '../../src/kubernetes/node-facts.js'

const taint = { key: 'own', effect: 'NoSchedule' }
const at = '2026-01-01T00:00:00Z'
const live: Node = {
  metadata: { name: 'ip-1', labels: { a: 'b' }, annotations: { c: 'd' } },
  spec: { unschedulable: true, taints: [taint], providerID: 'aws:///a/i-0' },
  status: {
    allocatable: { cpu: '1930m', memory: '7Gi', pods: '29' },
    images: [{ names: ['nginx'] }],
    conditions: [{ type: 'Ready', status: 'True', lastHeartbeatTime: at, lastTransitionTime: at }]
  }
}

test('of a node only what is looked at is kept', () => {
  expect(nodeFacts(live)).toEqual({
    name: 'ip-1',
    labels: { a: 'b' },
    taints: [taint],
    cordoned: true,
    ready: true,
    instanceId: 'i-0',
    cpu: '1930m',
    memory: '7Gi',
    pods: '29'
  })
})

test('a node whose kubelet has said nothing yet is not ready, and its room is not known', () => {
  expect(nodeFacts({ metadata: { name: 'ip-1' } })).toEqual({
    name: 'ip-1',
    labels: {},
    taints: [],
    cordoned: false,
    ready: false,
    cpu: undefined,
    memory: undefined,
    pods: undefined
  })
})
