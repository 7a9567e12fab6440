import { clusterAutoscaler } from '../../src/preflight/cluster-autoscaler.js'
import { identity } from '../../src/preflight/controller/identity.js'
import { node } from './nodes.js'

const matching = (pattern: RegExp): unknown => expect.stringMatching(pattern)
const containing = (part: string): unknown => expect.stringContaining(part)

const two = async () => [node('ip-1'), node('ip-2', { zone: 'b' })]

describe('clusterAutoscaler', () => {
  const autoscaler = {
    namespace: 'kube-system',
    deployment: 'ca',
    replicas: 1,
    image: 'registry.k8s.io/autoscaling/cluster-autoscaler:v1.32.0',
    scope: ['--nodes=1:5:asg']
  }

  it('warns of one that runs, and of the node groups that it scales', async () => {
    const nodes = async () => [
      ...(await two()),
      node('ip-3', { labels: { 'eks.amazonaws.com/nodegroup': 'workers' } })
    ]
    expect(await clusterAutoscaler({ autoscalers: [autoscaler], nodes })).toEqual([
      expect.objectContaining({
        level: 'warning',
        problem: matching(/the node groups workers$/),
        evidence: `${autoscaler.image}, --nodes=1:5:asg`,
        fix: containing('kubectl scale deployment ca -n kube-system --replicas=0')
      })
    ])
  })

  it('takes no notice of one that is scaled to zero', async () => {
    expect(await clusterAutoscaler({ autoscalers: [{ ...autoscaler, replicas: 0 }], nodes: two })).toEqual([])
  })
})

describe('identity', () => {
  const facts: Parameters<typeof identity>[0] = {
    identity: 'pod-identity',
    cluster: { oidcIssuer: 'https://oidc' },
    podIdentityAgentPods: { desired: 2, ready: 2 },
    podIdentityAgentNodes: async () => Promise.reject(new Error('not asked for')),
    nodes: two,
    values: {},
    changes: async () => true
  }

  it('is content with an agent on every node without looking at its pods, or with none yet', async () => {
    expect(await identity(facts)).toEqual([])
    expect(await identity({ ...facts, podIdentityAgentPods: undefined })).toEqual([])
  })

  it('reads no node where nothing changes and every agent is Ready', async () => {
    const unread = {
      nodes: async () => Promise.reject(new Error('not asked for')),
      changes: async () => false
    }
    expect(await identity({ ...facts, ...unread })).toEqual([])
    await expect(
      identity({ ...facts, ...unread, podIdentityAgentPods: { desired: 2, ready: 1 } })
    ).rejects.toThrow('not asked for')
  })

  it('refuses an agent that is Ready nowhere, unless that is allowed', async () => {
    const down = {
      ...facts,
      podIdentityAgentPods: { desired: 2, ready: 0 },
      podIdentityAgentNodes: async () => []
    }
    expect(await identity(down)).toEqual([
      expect.objectContaining({
        level: 'error',
        override: 'pod-identity-agent',
        evidence: matching(/0 of 2 pods are Ready; the controller can run on ip-1, ip-2$/)
      })
    ])
  })

  it('warns of nodes that the agent leaves out', async () => {
    const half = {
      ...facts,
      podIdentityAgentPods: { desired: 1, ready: 1 },
      podIdentityAgentNodes: async () => ['ip-2']
    }
    expect(await identity(half)).toEqual([
      expect.objectContaining({ level: 'warning', problem: containing('not Ready on ip-1,') })
    ])
  })

  it('wants an issuer for IRSA', async () => {
    expect(await identity({ ...facts, identity: 'irsa' })).toEqual([])
    expect(await identity({ ...facts, identity: 'irsa', cluster: { oidcIssuer: '' } })).toEqual([
      expect.objectContaining({ level: 'error', subject: 'controller-identity' })
    ])
  })
})
