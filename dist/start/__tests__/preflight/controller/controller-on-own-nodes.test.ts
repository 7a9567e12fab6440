import type { Manifest } from '../../../src/kubernetes/manifest.js'
import { controllerOnOwnNodes } from '../../../src/preflight/controller/controller-on-own-nodes.js'

type Map = Readonly<Record<string, unknown>>

const nodePool = (
  template: {
    readonly labels?: Map
    readonly requirements?: readonly Map[]
    readonly taints?: readonly Map[]
  } = {}
): Manifest => ({
  apiVersion: 'karpenter.sh/v1',
  kind: 'NodePool',
  metadata: { name: 'a' },
  spec: {
    template: {
      metadata: { labels: template.labels ?? {} },
      spec: { requirements: template.requirements ?? [], taints: template.taints ?? [] }
    }
  }
})
const affinity = (...expressions: readonly Map[]): Map => ({
  affinity: {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: expressions.map((one) => ({ matchExpressions: [one] }))
      }
    }
  }
})
const warns = async (values: Map, of = nodePool(), onFargate = false): Promise<boolean> => {
  const profile = { name: 'system', selectors: [{ namespace: 'karpenter', labels: {} }] }
  const findings = await controllerOnOwnNodes({
    nodePools: [of],
    values,
    namespace: 'karpenter',
    releaseName: 'karpenter',
    profiles: async () => ({ state: 'read', items: onFargate ? [profile] : [] })
  })
  expect(findings.map(({ level, subject }) => `${level} ${subject}`)).toEqual(
    findings.map(() => 'warning helm-values')
  )
  return findings.length > 0
}
const amd64 = { key: 'kubernetes.io/arch', operator: 'In', values: ['amd64'] }

describe('controllerOnOwnNodes', () => {
  it('is content with any values where Fargate takes the controller in', async () => {
    expect(await warns({ affinity: { nodeAffinity: null } }, nodePool(), true)).toBe(false)
  })

  it.each<[string, Map]>([
    ["the chart's own affinity", {}],
    [
      'a preference beside it',
      { affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [] } } }
    ],
    [
      'a group that Karpenter does not make',
      affinity({ key: 'eks.amazonaws.com/nodegroup', operator: 'Exists' })
    ],
    ['another NodePool', affinity({ key: 'karpenter.sh/nodepool', operator: 'In', values: ['b'] })],
    ['a label of other nodes', { ...affinity(amd64), nodeSelector: { role: 'system' } }],
    ['Windows', { ...affinity(amd64), nodeSelector: { 'kubernetes.io/hostname': null, group: 'system' } }]
  ])('is content with %s', async (_what, values) => {
    expect(await warns(values)).toBe(false)
  })

  it.each<[string, Map]>([
    ['no affinity at all', { affinity: { nodeAffinity: null } }],
    ['a label that every node has', affinity(amd64)],
    ['one term of two', affinity({ key: 'karpenter.sh/nodepool', operator: 'DoesNotExist' }, amd64)],
    ['the NodePool by its name', affinity({ key: 'karpenter.sh/nodepool', operator: 'In', values: ['a'] })],
    ['the absence of a label', affinity({ key: 'example.com/gpu', operator: 'DoesNotExist' })]
  ])('warns of %s', async (_what, values) => {
    expect(await warns(values)).toBe(true)
  })

  it("goes by the NodePool's own labels, requirements and taints", async () => {
    const toTeam = affinity({ key: 'team', operator: 'In', values: ['platform'] })
    expect(await warns(toTeam)).toBe(false)
    expect(await warns(toTeam, nodePool({ labels: { team: 'platform' } }))).toBe(true)
    expect(await warns(toTeam, nodePool({ labels: { team: 'data' } }))).toBe(false)
    const requirements = [{ key: 'team', operator: 'Exists' }]
    expect(await warns(toTeam, nodePool({ requirements }))).toBe(true)
    const arm = [{ key: 'kubernetes.io/arch', operator: 'NotIn', values: ['amd64'] }]
    expect(await warns(affinity(amd64), nodePool({ requirements: arm }))).toBe(false)
    const taints = [{ key: 'CriticalAddonsOnly', effect: 'NoSchedule' }]
    expect(await warns(affinity(amd64), nodePool({ taints }))).toBe(true)
    const others = [{ key: 'team', value: 'data', effect: 'NoExecute' }]
    expect(await warns(affinity(amd64), nodePool({ taints: others }))).toBe(false)
  })
})
