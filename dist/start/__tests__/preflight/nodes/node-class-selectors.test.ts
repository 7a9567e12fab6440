import type { SecurityGroup, Subnet } from '../../../src/aws/discover.js'
import { defaultNodeClass } from '../../../src/karpenter/default-node-pools.js'
import type { SelectorTerm } from '../../../src/karpenter/types.js'
import { nodeClassSelectors } from '../../../src/preflight/nodes/node-class-selectors.js'

const subnet: Subnet = {
  id: 'subnet-1',
  vpcId: 'vpc-1',
  availabilityZone: 'a',
  availableAddresses: 10,
  publicAddresses: false,
  tags: { team: 'web' }
}
const group: SecurityGroup = { id: 'sg-1', name: 'cluster', vpcId: 'vpc-1', tags: {} }

const run = async (
  subnetSelectorTerms: readonly SelectorTerm[],
  found: readonly string[] = []
): Promise<{ asked: SelectorTerm[]; problems: string[] }> => {
  const asked: SelectorTerm[] = []
  const own = defaultNodeClass('default', { clusterName: 'blue', nodeRoleName: 'nodes' })
  const findings = await nodeClassSelectors({
    clusterName: 'blue',
    nodeClasses: [{ ...own, spec: { ...own.spec, subnetSelectorTerms } }],
    subnets: [subnet],
    securityGroups: [group],
    subnetsOf: async (term) => (
      asked.push(term),
      found.map((id) => ({ id, zone: { name: 'a', id: undefined } }))
    ),
    securityGroupsOf: async () => Promise.reject(new Error('not asked for'))
  })
  return {
    asked,
    problems: findings.map(
      ({ level, subject, problem, evidence }) => `${level} ${subject}: ${problem} (${evidence})`
    )
  }
}

describe('nodeClassSelectors', () => {
  it.each<[string, readonly SelectorTerm[]]>([
    ['the tag that this run sets', [{ tags: { 'karpenter.sh/discovery': 'blue' } }]],
    ['any value of it', [{ tags: { 'karpenter.sh/discovery': '*' } }]],
    ['an id', [{ id: 'subnet-1' }]],
    ['a tag that is there', [{ id: 'subnet-9' }, { tags: { team: 'web' } }]]
  ])('asks AWS nothing for %s', async (_what, terms) => {
    expect(await run(terms)).toEqual({ asked: [], problems: [] })
  })

  it("takes what AWS has besides the cluster's own", async () => {
    const term = { tags: { team: 'data' } }
    expect(await run([term], ['subnet-7'])).toEqual({ asked: [term], problems: [] })
  })

  it('refuses terms that find nothing, with what they are', async () => {
    const { problems } = await run([{ tags: { 'karpenter.sh/discovery': 'green' } }])
    expect(problems).toEqual([
      'error node-pools: EC2NodeClass default: no subnet matches its subnetSelectorTerms, so no node could start (karpenter.sh/discovery=green)'
    ])
  })
})
