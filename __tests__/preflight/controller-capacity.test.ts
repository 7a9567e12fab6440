import { guideValues } from '../../src/helm/values.js'
import { controllerCapacity } from '../../src/preflight/controller-capacity.js'
import { node } from './nodes.js'

const guide = guideValues({ clusterName: 'blue', interruptionQueue: 'blue', controllerRoleArn: undefined })
const findingsOf = async (
  nodes: readonly ReturnType<typeof node>[],
  values: Readonly<Record<string, unknown>> = {}
): Promise<readonly { level: string; problem: string; evidence: string; fix: string }[]> =>
  controllerCapacity({ nodes: async () => nodes, values: { ...guide, ...values } }).run()
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
        fix: matching(/`helm-values: "replicas: 1"` \(one controller and no standby/)
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

  it('warns of Fargate only, where a profile decides', async () => {
    const fargate = node('f', { labels: { 'eks.amazonaws.com/compute-type': 'fargate' } })
    expect(await findingsOf([fargate, fargate])).toEqual([
      expect.objectContaining({ level: 'warning', fix: matching(/profile/) })
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
