import type { _InstanceType, InstanceTypeInfo } from '@aws-sdk/client-ec2'
import { defaultNodeClass } from '../../../src/karpenter/default-node-pools.js'
import type { Manifest } from '../../../src/kubernetes/manifest.js'
import { nodePoolRequirements } from '../../../src/preflight/nodes/node-pool-requirements.js'
import { describedAtOnce } from '../../../src/preflight/reads/instance-type-reads.js'

type Requirement = readonly [key: string, operator: string, ...values: string[]]

const nodePool = (...requirements: readonly Requirement[]): Manifest => ({
  apiVersion: 'karpenter.sh/v1',
  kind: 'NodePool',
  metadata: { name: 'a' },
  spec: {
    template: {
      spec: {
        nodeClassRef: { name: 'default' },
        requirements: requirements.map(([key, operator, ...values]) => ({ key, operator, values }))
      }
    }
  }
})
const nodeClass = defaultNodeClass('default', { clusterName: 'blue', nodeRoleName: 'nodes' })
const info = (InstanceType: _InstanceType, DefaultVCpus: number): InstanceTypeInfo => ({
  InstanceType,
  VCpuInfo: { DefaultVCpus },
  ProcessorInfo: { SupportedArchitectures: ['x86_64'] }
})

type RequirementFacts = Parameters<typeof nodePoolRequirements>[0]

interface Asked {
  readonly problems: readonly string[]
  readonly offered: readonly (readonly [zones: readonly string[], patterns: readonly string[]])[]
  readonly described: readonly (readonly string[])[]
}

async function run(of: Manifest, more: Partial<RequirementFacts> = {}): Promise<Asked> {
  const offered: (readonly [readonly string[], readonly string[]])[] = []
  const described: (readonly string[])[] = []
  const facts: RequirementFacts = {
    nodePools: [of],
    region: 'eu-west-1',
    clusterName: 'blue',
    values: {},
    subnets: [],
    nodeClass: async () => nodeClass,
    subnetsOf: async () => [
      { id: 'subnet-1', zone: { name: 'eu-west-1b', id: 'euw1-az1' } },
      { id: 'subnet-2', zone: { name: 'eu-west-1a', id: undefined } }
    ],
    offeredTypes: async () => ['m5.large', 'm5.xlarge', 'm6g.large'],
    describedTypes: async (types) => types.map((type) => info(type, type.endsWith('xlarge') ? 4 : 2)),
    ...more
  }
  const findings = await nodePoolRequirements({
    ...facts,
    offeredTypes: async (zones, patterns) => (
      offered.push([zones, patterns]),
      facts.offeredTypes(zones, patterns)
    ),
    describedTypes: async (types) => (described.push(types), facts.describedTypes(types))
  })
  return {
    problems: findings.map(({ level, problem, evidence }) => `${level} ${problem} (${evidence})`),
    offered,
    described
  }
}

describe('nodePoolRequirements', () => {
  it('asks nothing where nothing is asked of the instance', async () => {
    const of = nodePool(['kubernetes.io/os', 'In', 'linux'], ['example.com/team', 'In', 'web'])
    expect(await run(of)).toEqual({ problems: [], offered: [], described: [] })
  })

  it('asks for offers in the zones that are left, of the types that the narrowest requirement names', async () => {
    const of = nodePool(
      ['topology.kubernetes.io/zone', 'NotIn', 'eu-west-1b'],
      ['karpenter.k8s.aws/instance-category', 'In', 'm'],
      ['karpenter.k8s.aws/instance-family', 'In', 'm5', 'm6g']
    )
    expect(await run(of)).toEqual({
      problems: [],
      offered: [[['eu-west-1a'], ['m5.*', 'm6g.*']]],
      described: []
    })
  })

  it.each<[string, Requirement, string]>([
    [
      'a zone',
      ['topology.kubernetes.io/zone', 'In', 'eu-west-1c'],
      'topology.kubernetes.io/zone In eu-west-1c'
    ],
    [
      'another region',
      ['topology.kubernetes.io/region', 'In', 'eu-west-2'],
      'topology.kubernetes.io/region In eu-west-2'
    ],
    ['an operating system', ['kubernetes.io/os', 'NotIn', 'linux'], 'kubernetes.io/os NotIn linux']
  ])('refuses %s that no subnet is for', async (_what, requirement, shown) => {
    const { problems, offered } = await run(nodePool(requirement))
    expect(problems).toEqual([
      `error NodePool a: no subnet of EC2NodeClass default is where it wants its nodes (${shown}; the subnets are in eu-west-1a, eu-west-1b, for linux nodes)`
    ])
    expect(offered).toEqual([])
  })

  it('takes a zone by its id, and does not refuse one whose id is not known', async () => {
    expect((await run(nodePool(['topology.k8s.aws/zone-id', 'In', 'euw1-az1']))).problems).toEqual([])
    expect((await run(nodePool(['topology.k8s.aws/zone-id', 'In', 'euw1-az9']))).problems).toEqual([])
    const known = {
      subnetsOf: async () => [{ id: 'subnet-1', zone: { name: 'eu-west-1b', id: 'euw1-az1' } }]
    }
    const { problems } = await run(nodePool(['topology.k8s.aws/zone-id', 'In', 'euw1-az9']), known)
    expect(problems).toHaveLength(1)
  })

  it('names the requirement on names that excludes the last type', async () => {
    const of = nodePool(
      ['karpenter.k8s.aws/instance-generation', 'Gt', '5'],
      ['karpenter.k8s.aws/instance-size', 'In', 'xlarge']
    )
    const { problems, described } = await run(of)
    expect(problems).toEqual([
      'error NodePool a: no instance type that is offered in eu-west-1a, eu-west-1b meets its requirements (karpenter.k8s.aws/instance-size In xlarge excludes the last: m6g.large)'
    ])
    expect(described).toEqual([])
  })

  it('names the requirement on what EC2 describes that excludes the last type', async () => {
    const of = nodePool(['karpenter.k8s.aws/instance-cpu', 'Gte', '4'], ['kubernetes.io/arch', 'In', 'arm64'])
    expect((await run(of)).problems).toEqual([
      expect.stringContaining('(kubernetes.io/arch In arm64 excludes the last: m5.xlarge)')
    ])
  })

  it('refuses minValues that names alone do not meet, unless the policy is to do without', async () => {
    const of: Manifest = {
      ...nodePool(),
      spec: {
        template: {
          spec: {
            nodeClassRef: { name: 'default' },
            requirements: [{ key: 'karpenter.k8s.aws/instance-family', operator: 'Exists', minValues: 3 }]
          }
        }
      }
    }
    expect((await run(of)).problems).toEqual([
      'error NodePool a: the instance types that are offered in eu-west-1a, eu-west-1b and meet its requirements have 2 values of karpenter.k8s.aws/instance-family, and minValues asks for 3 (karpenter.k8s.aws/instance-family Exists)'
    ])
    expect((await run(of, { values: { settings: { minValuesPolicy: 'BestEffort' } } })).problems).toEqual([])
  })

  it('asks for no more types at once than EC2 takes, and stops at the first that fits', async () => {
    const sizes = Array.from({ length: 250 }, (_, index) => `m5.x${index}` as _InstanceType)
    const facts: Partial<RequirementFacts> = {
      offeredTypes: async () => sizes,
      describedTypes: async (types) => types.map((type) => info(type, type.endsWith('.x1') ? 64 : 2))
    }
    const of = nodePool(['karpenter.k8s.aws/instance-cpu', 'Gt', '32'])
    const { problems, described } = await run(of, facts)
    expect(problems).toEqual([])
    expect(described.map((types) => types.length)).toEqual([84, 83])
    expect(Math.max(...described.map((types) => types.length))).toBeLessThanOrEqual(describedAtOnce)
  })

  it.each<Partial<RequirementFacts>>([
    { offeredTypes: async () => 'denied' },
    { describedTypes: async () => 'denied' }
  ])('notes what may not be read', async (denied) => {
    const { problems } = await run(nodePool(['karpenter.k8s.aws/instance-cpu', 'Gt', '1']), denied)
    expect(problems).toEqual([
      expect.stringContaining('note whether NodePool a leaves an instance type could not be read')
    ])
  })

  it('leaves a class that is nowhere, or has no subnet, to the checks of those', async () => {
    const of = nodePool(['topology.kubernetes.io/zone', 'In', 'nowhere'])
    expect((await run(of, { nodeClass: async () => undefined })).problems).toEqual([])
    expect((await run(of, { subnetsOf: async () => [] })).problems).toEqual([])
  })
})
