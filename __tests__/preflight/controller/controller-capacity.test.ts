import { guideValues } from '../../../src/helm/values.js'
import { controllerCapacity } from '../../../src/preflight/controller/controller-capacity.js'
import type { PodOnNode } from '../../../src/preflight/controller/node-room.js'
import { node } from '../nodes.js'

const guide = guideValues({ clusterName: 'blue', interruptionQueue: 'blue', controllerRoleArn: undefined })
const findingsOf = async (
  nodes: readonly ReturnType<typeof node>[],
  values: Readonly<Record<string, unknown>> = {},
  more: Partial<Parameters<typeof controllerCapacity>[0]> = {}
): Promise<readonly { level: string; subject: string; problem: string; evidence: string; fix: string }[]> =>
  controllerCapacity({
    nodes: async () => nodes,
    othersNodes: async () => ({
      nodes: nodes.filter(({ labels }) => labels['karpenter.sh/nodepool'] === undefined),
      ofAll: nodes.length
    }),
    values: { ...guide, ...values },
    namespace: 'karpenter',
    releaseName: 'karpenter',
    identity: 'irsa',
    changes: async () => true,
    profiles: async () => ({ state: 'read', items: [] }),
    podsOn: async () => ({ state: 'read', items: [] }),
    controllerNodes: async () => ({ state: 'read', items: [] }),
    ...more
  })
const matching = (pattern: RegExp): unknown => expect.stringMatching(pattern)
const nodePoolLabel = { 'karpenter.sh/nodepool': 'default' }

describe('controllerCapacity', () => {
  it.each([
    ['two nodes in two zones', [node('1', { zone: 'a' }), node('2', { zone: 'b' })], {}],
    ['two nodes in the only zone', [node('1'), node('2')], {}],
    ['one node for one replica', [node('1')], { replicas: 1 }],
    [
      'tainted nodes that are tolerated',
      [
        node('1', { taints: [{ key: 'CriticalAddonsOnly', effect: 'NoSchedule', value: 'true' }] }),
        node('2', { taints: [{ key: 'soft', effect: 'PreferNoSchedule' }] })
      ],
      {}
    ],
    [
      'a selector of the user that two nodes match',
      [node('1', { labels: { pool: 'x' } }), node('2', { labels: { pool: 'x' } }), node('3', { zone: 'b' })],
      { nodeSelector: { pool: 'x' } }
    ]
  ])('finds nothing wrong with %s', async (_what, nodes, values) => {
    expect(await findingsOf(nodes, values)).toEqual([])
  })

  it('offers one replica, and says what that means, where there is one node for two', async () => {
    expect(await findingsOf([node('ip-1'), node('ip-2', { labels: nodePoolLabel })])).toEqual([
      expect.objectContaining({
        level: 'error',
        subject: 'helm-values',
        problem: "the controller's 2 replicas need a node each, and one node can take one",
        evidence: 'ip-1; ip-2: made by Karpenter',
        override: 'controller-capacity',
        fix: matching(
          /`helm-values: "replicas: 1"` \(one controller and no standby: while its node is replaced or an upgrade rolls/
        )
      })
    ])
  })

  it.each([
    ['not Ready', node('n', { ready: false })],
    ['cordoned', node('n', { cordoned: true })],
    ['made by Karpenter', node('n', { labels: nodePoolLabel })],
    ['not kubernetes.io/os=linux', node('n', { labels: { 'kubernetes.io/os': 'windows' } })],
    ['taint gpu=yes:NoSchedule', node('n', { taints: [{ key: 'gpu', value: 'yes', effect: 'NoSchedule' }] })],
    ['940m cpu', node('n', { cpu: '940m' })]
  ])('says of a node why not: %s', async (reason, only) => {
    const findings = await findingsOf([only])
    expect(findings).toEqual([expect.objectContaining({ level: 'error', evidence: `n: ${reason}` })])
  })

  it('knows that a cluster may have no node at all', async () => {
    expect(await findingsOf([])).toEqual([
      expect.objectContaining({ level: 'error', evidence: 'the cluster has no nodes' })
    ])
  })

  it('knows that a zone with tainted nodes only holds the second replica up', async () => {
    const tainted = node('3', { zone: 'b', taints: [{ key: 'gpu', effect: 'NoSchedule' }] })
    expect(await findingsOf([node('1'), node('2'), tainted])).toEqual([
      expect.objectContaining({
        problem:
          "only 1 of the controller's 2 replicas can be placed: they must spread evenly over the zones a, b"
      })
    ])
  })

  it('leaves the spread alone where the user replaced it', async () => {
    const tainted = node('3', { zone: 'b', taints: [{ key: 'gpu', effect: 'NoSchedule' }] })
    expect(await findingsOf([node('1'), node('2'), tainted], { topologySpreadConstraints: [] })).toEqual([])
  })

  it('reads the node affinity that the guide adds', async () => {
    const nodeGroup = (name: string): object => ({
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [
              { matchExpressions: [{ key: 'eks.amazonaws.com/nodegroup', operator: 'In', values: [name] }] }
            ]
          }
        }
      }
    })
    const nodes = [1, 2].map((n) => node(String(n), { labels: { 'eks.amazonaws.com/nodegroup': 'system' } }))
    expect(await findingsOf(nodes, { ...nodeGroup('system') })).toEqual([])
    expect(await findingsOf(nodes, { ...nodeGroup('other') })).toEqual([
      expect.objectContaining({ evidence: '1: not in the node affinity, 2: not in the node affinity' })
    ])
  })

  it('lets pods share a node where the user allows it', async () => {
    const affinity = { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [] } }
    expect(await findingsOf([node('1')], { affinity, topologySpreadConstraints: [] })).toEqual([])
    expect(
      await findingsOf([node('1')], { affinity: { podAntiAffinity: null }, topologySpreadConstraints: null })
    ).toEqual([])
  })

  it('allows the skew that the user allows', async () => {
    const tainted = node('3', { zone: 'b', taints: [{ key: 'gpu', effect: 'NoSchedule' }] })
    const spread = {
      maxSkew: 2,
      topologyKey: 'topology.kubernetes.io/zone',
      whenUnsatisfiable: 'DoNotSchedule'
    }
    expect(
      await findingsOf([node('1'), node('2'), tainted], { topologySpreadConstraints: [spread] })
    ).toEqual([])
  })

  it('tolerates what the user tolerates', async () => {
    const tainted = [1, 2].map((n) =>
      node(String(n), { taints: [{ key: 'gpu', value: 'a', effect: 'NoExecute' }] })
    )
    expect(await findingsOf(tainted, { tolerations: [{ operator: 'Exists' }] })).toEqual([])
    expect(await findingsOf(tainted, { tolerations: [{ key: 'gpu', value: 'a' }] })).toEqual([])
    expect(await findingsOf(tainted, { tolerations: [{ key: 'gpu', value: 'b' }] })).toHaveLength(1)
  })
})

describe('on Fargate', () => {
  const fargate = node('f', { labels: { 'eks.amazonaws.com/compute-type': 'fargate' } })
  const profiles = (
    ...selectors: readonly { readonly namespace: string; readonly labels: Readonly<Record<string, string>> }[]
  ): Partial<Parameters<typeof controllerCapacity>[0]> => ({
    profiles: async () => ({ state: 'read', items: [{ name: 'system', selectors }] })
  })
  const karpenter = { namespace: 'karpenter', labels: {} }

  it('no profile for the controller is refused where there are no other nodes', async () => {
    expect(await findingsOf([fargate], {}, profiles({ namespace: 'default', labels: {} }))).toEqual([
      expect.objectContaining({
        level: 'error',
        problem: matching(
          /Fargate nodes only, and no Fargate profile takes in the controller in namespace karp/
        ),
        evidence: 'profiles: system',
        fix: matching(/eksctl create fargateprofile --namespace karpenter/)
      })
    ])
  })

  it.each([
    ['its namespace', karpenter, {}],
    ['a pattern of it', { namespace: 'karp*', labels: {} }, {}],
    ['its labels', { namespace: '*', labels: { 'app.kubernetes.io/name': 'karpenter' } }, {}],
    ['labels of the user', { namespace: '*', labels: { team: 'p?' } }, { podLabels: { team: 'p1' } }]
  ])('a profile for %s needs no nodes, and IRSA', async (_what, selector, values) => {
    expect(await findingsOf([fargate], values, profiles(selector))).toEqual([])
    expect(
      await findingsOf([node('1'), node('2')], values, { ...profiles(selector), identity: 'pod-identity' })
    ).toEqual([
      expect.objectContaining({
        level: 'error',
        subject: 'controller-identity',
        evidence: 'Fargate profile system takes in its pods in namespace karpenter',
        fix: matching(/`controller-identity: irsa`/)
      })
    ])
  })

  it('a profile for other labels takes nothing in', async () => {
    const other = { namespace: 'karpenter', labels: { team: 'other' } }
    const findings = await findingsOf(
      [node('1'), node('2')],
      {},
      { ...profiles(other), identity: 'pod-identity' }
    )
    expect(findings).toEqual([])
  })

  it('profiles that may not be read are noted, and a cluster of Fargate only is warned of', async () => {
    const denied: Partial<Parameters<typeof controllerCapacity>[0]> = {
      profiles: async () => ({ state: 'denied', action: 'eks:ListFargateProfiles' })
    }
    expect(await findingsOf([fargate, fargate], {}, denied)).toEqual([
      expect.objectContaining({ level: 'note', problem: matching(/may not call eks:ListFargateProfiles$/) }),
      expect.objectContaining({ level: 'warning', fix: matching(/profile/) })
    ])
  })

  it('a controller that runs as wanted is left alone, and nobody is asked', async () => {
    const ask = async (): Promise<never> => {
      throw new Error('asked')
    }
    const given = { changes: async () => false, profiles: ask, podsOn: ask, controllerNodes: ask }
    expect(await findingsOf([node('1'), node('2')], {}, given)).toEqual([])
    expect(await findingsOf([node('1'), node('2'), fargate], {}, given)).toEqual([])
    expect(await findingsOf([node('1')], {}, given)).toHaveLength(1)
  })

  it('of thousands of nodes only those that Karpenter did not make are looked at, unless there is something to say', async () => {
    const unread = async (): Promise<never> => Promise.reject(new Error('all are read'))
    const given = { changes: async () => false, nodes: unread }
    const own = node('k', { labels: nodePoolLabel })
    expect(await findingsOf([node('1'), node('2'), own], {}, given)).toEqual([])
    await expect(findingsOf([node('1'), own], {}, given)).rejects.toThrow('all are read')
    // Pods that would take Karpenter's own nodes too spread over their zones as well.
    const anywhere = { affinity: { nodeAffinity: null } }
    await expect(findingsOf([node('1'), node('2'), own], anywhere, given)).rejects.toThrow('all are read')
  })

  it.each([
    ['and Karpenter has made nodes', [fargate, node('k', { labels: nodePoolLabel })]],
    ['and one node group has one node', [fargate, node('1')]],
    ['and there is nothing else', [fargate]]
  ])('a controller that runs there is left alone: %s', async (_what, nodes) => {
    const running = (...items: readonly string[]): Partial<Parameters<typeof controllerCapacity>[0]> => ({
      changes: async () => false,
      controllerNodes: async () => ({ state: 'read', items })
    })
    expect(await findingsOf(nodes, {}, running('f', 'f'))).toEqual([])
    expect(await findingsOf(nodes, {}, running('f', 'elsewhere'))).toHaveLength(1)
    expect(await findingsOf(nodes, {}, running())).toHaveLength(1)
  })

  it('that its pods may not be read is noted', async () => {
    const denied: Partial<Parameters<typeof controllerCapacity>[0]> = {
      changes: async () => false,
      controllerNodes: async () => ({ state: 'denied', action: 'list pods' })
    }
    expect(await findingsOf([fargate, node('1')], {}, denied)).toEqual([
      expect.objectContaining({ level: 'note', problem: matching(/on Fargate.*may not call list pods$/) })
    ])
  })

  it("the host's network is not to be had", async () => {
    expect(await findingsOf([fargate], { hostNetwork: true }, profiles(karpenter))).toEqual([
      expect.objectContaining({
        level: 'error',
        subject: 'helm-values',
        problem: matching(/^hostNetwork: true is not possible on Fargate/),
        fix: matching(/Leave hostNetwork out of helm-values/)
      })
    ])
  })

  it('a pod that is annotated for EC2 is taken in by no profile', async () => {
    const podAnnotations = { 'eks.amazonaws.com/compute-type': 'ec2' }
    const more = { ...profiles(karpenter), identity: 'pod-identity' as const }
    expect(await findingsOf([node('1'), node('2')], { podAnnotations }, more)).toEqual([])
  })
})

describe('room beside other pods', () => {
  const pod = (more: Partial<PodOnNode> = {}): PodOnNode => ({
    cpu: 1,
    memory: 2 ** 30,
    priority: 0,
    isController: false,
    ...more
  })
  const critical = 2_000_001_000
  const on = (
    pods: Readonly<Record<string, readonly PodOnNode[]>>
  ): Partial<Parameters<typeof controllerCapacity>[0]> => ({
    podsOn: async (name) => ({ state: 'read', items: pods[name] ?? [] })
  })
  const nodes = [node('1', { zone: 'a' }), node('2', { zone: 'b' })]

  it.each([
    ['pods that leave room', [pod({ cpu: 0.9 })]],
    ['the controller itself, which makes way', [pod({ isController: true })]]
  ])('is enough with %s', async (_what, pods) => {
    expect(await findingsOf(nodes, {}, on({ 1: pods, 2: pods }))).toEqual([])
  })

  it.each([
    ['cpu', [pod({ cpu: 1 })]],
    ['memory', [pod({ cpu: 0, memory: 6.5 * 2 ** 30 })]],
    ['places for pods', Array.from({ length: 29 }, () => pod({ cpu: 0, memory: 0 }))]
  ])('is made by pushing pods of a lower priority off, for want of %s: a warning', async (_what, pods) => {
    expect(await findingsOf(nodes, {}, on({ 1: pods, 2: [] }))).toEqual([
      expect.objectContaining({
        level: 'warning',
        problem: 'the controller would push pods of a lower priority off 1, which have no room left for it',
        evidence: "each needs 1 cpu, 1024Mi memory and a place among the node's pods"
      })
    ])
  })

  it('is not made by pods as critical: refused, with one replica to go on', async () => {
    const full = [pod({ priority: critical })]
    expect(await findingsOf(nodes, {}, on({ 1: full }))).toEqual([
      expect.objectContaining({
        level: 'error',
        override: 'controller-capacity',
        problem: "only 1 of the controller's 2 replicas find room: the pods on 1 leave too little",
        fix: matching(/or pass `helm-values: "replicas: 1"`/)
      })
    ])
    const [both] = await findingsOf(nodes, {}, on({ 1: full, 2: full }))
    expect(both?.problem).toMatch(/^only 0 of/)
    expect(both?.fix).not.toMatch(/replicas: 1/)
  })

  it("is not known with a priority class of the user's own: a warning", async () => {
    const full = [pod({ priority: 5 })]
    const findings = await findingsOf(nodes, { priorityClassName: 'mine' }, on({ 1: full }))
    expect(findings.map(({ level }) => level)).toEqual(['warning'])
  })

  it('is looked for on ten nodes at most', async () => {
    const asked: string[] = []
    const many = Array.from({ length: 12 }, (_, index) => node(String(index)))
    const findings = await findingsOf(
      many,
      {},
      {
        podsOn: async (name) => {
          asked.push(name)
          return { state: 'read', items: [pod({ priority: critical })] }
        }
      }
    )
    expect([findings, asked.length]).toEqual([[], 10])
  })

  it('is noted where pods may not be read', async () => {
    expect(
      await findingsOf(nodes, {}, { podsOn: async () => ({ state: 'denied', action: 'list pods' }) })
    ).toEqual([expect.objectContaining({ level: 'note', problem: matching(/may not call list pods$/) })])
  })
})
