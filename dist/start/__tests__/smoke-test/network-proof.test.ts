import type { ContainerStatus, Pod } from 'kubernetes-types/core/v1.js'
import { networkCause, type NetworkSeen, unreachedOf } from '../../src/smoke-test/network-proof.js'

const terminated = (exitCode: number, message = '') => ({ exitCode, message, reason: 'Error' })

function pod(name: string, status: Partial<ContainerStatus>): Pod {
  return {
    metadata: { name },
    spec: { nodeName: `node-of-${name}`, containers: [] },
    status: {
      initContainerStatuses: [
        { name: 'network', image: 'i', imageID: '', ready: false, restartCount: 0, ...status }
      ]
    }
  }
}

describe('unreachedOf', () => {
  it.each<[string, Partial<ContainerStatus>]>([
    ['has not begun', { state: { waiting: { reason: 'PodInitializing' } } }],
    ['runs for the first time', { state: { running: {} } }],
    ['got through', { state: { terminated: terminated(0) } }],
    [
      'got through at the second try',
      { restartCount: 1, state: { terminated: terminated(0) }, lastState: { terminated: terminated(1) } }
    ]
  ])('is no pod whose container %s', (_, status) => {
    expect(unreachedOf([pod('a', status)])).toBeUndefined()
  })

  it('is the pod that gave up the most often, with what it said last', () => {
    const once = pod('a', { state: { terminated: terminated(1, 'bad\n') } })
    const again = pod('b', {
      restartCount: 2,
      state: { running: {} },
      lastState: { terminated: terminated(1, 'worse') }
    })
    expect(unreachedOf([once, again])).toEqual({ pod: 'b', node: 'node-of-b', runs: 2, message: 'worse' })
    expect(unreachedOf([once])).toEqual({ pod: 'a', node: 'node-of-a', runs: 1, message: 'bad' })
  })
})

describe('networkCause', () => {
  const seen: NetworkSeen = {
    pod: 'smoke-test-x',
    node: 'ip-10-0-1-2',
    runs: 2,
    message: "nc: bad address 'kubernetes.default'",
    instance: 'i-1',
    groups: ['sg-cluster (eks-cluster-sg-blue)'],
    others: [
      ['sg-node (blue-node)', 'sg-a (a)'],
      ['sg-node (blue-node)', 'sg-b (b)']
    ]
  }

  it('names the node, its groups, and what to pass', () => {
    const { problem, fix } = networkCause(seen)
    expect(problem).toBe(
      "nodes came, and pods on ip-10-0-1-2 (i-1, security groups sg-cluster (eks-cluster-sg-blue)) do not reach the cluster's DNS: kubernetes.default does not resolve (nc: bad address 'kubernetes.default')"
    )
    expect(fix).toContain('(sg-node (blue-node)): pass `security-groups: sg-node`, or select them')
  })

  it.each([
    ["nc: bad address 'kubernetes.default'", 'CoreDNS must run'],
    ['no answer within 15 s', 'CoreDNS must run'],
    ["nc: can't connect to remote host (10.100.0.1): Connection timed out", 'kube-proxy must run']
  ])('lays it to what runs there where both have a group: %s', (message, says) => {
    const { fix } = networkCause({ ...seen, message, others: [['sg-cluster (eks-cluster-sg-blue)']] })
    expect(fix).toContain(says)
    expect(fix).toContain('smoke-test-network-image: none')
  })

  it('says what it can where EC2 may not be asked', () => {
    const { problem } = networkCause({ ...seen, instance: '', groups: undefined, others: [] })
    expect(problem).toContain('pods on ip-10-0-1-2 do not reach')
  })

  it('lays it to an image that has no shell', () => {
    const message = 'error during container init: exec: "sh": executable file not found in $PATH'
    const { problem, fix } = networkCause({ ...seen, message })
    expect(problem).toContain(message)
    expect(fix).toBe('Give smoke-test-network-image an image with sh, timeout, nc and sleep; or none.')
  })
})
