import type { IpPermission, SecurityGroup as GroupWithRules } from '@aws-sdk/client-ec2'
import type { SecurityGroup } from '../../../src/aws/discover.js'
import type { NodeFacts } from '../../../src/kubernetes/node-facts.js'
import type { Manifest } from '../../../src/kubernetes/manifest.js'
import type { Concern } from '../../../src/preflight/finding.js'
import type { Read } from '../../../src/preflight/reads/denied-read.js'
import type { NodeInstance } from '../../../src/preflight/reads/network-reads.js'
import { nodeSecurityGroups } from '../../../src/preflight/vpc/node-security-groups.js'
import { node } from '../nodes.js'

const matching = (pattern: RegExp): unknown => expect.stringMatching(pattern)
const cluster: SecurityGroup = { id: 'sg-cluster', name: 'eks-cluster-sg-blue', vpcId: 'vpc-1', tags: {} }
const nodeClass = (name: string, ...terms: readonly unknown[]): Manifest => ({
  apiVersion: 'karpenter.k8s.aws/v1',
  kind: 'EC2NodeClass',
  metadata: { name },
  spec: { securityGroupSelectorTerms: terms }
})
const byTag = { tags: { 'karpenter.sh/discovery': 'blue' } }
const all = (...from: readonly string[]): IpPermission => ({
  IpProtocol: '-1',
  UserIdGroupPairs: from.map((GroupId) => ({ GroupId }))
})
const group = (id: string, name: string, ...ingress: IpPermission[]): GroupWithRules => ({
  GroupId: id,
  GroupName: name,
  IpPermissions: ingress,
  IpPermissionsEgress: [{ IpProtocol: '-1', IpRanges: [{ CidrIp: '0.0.0.0/0' }] }]
})
const apart = [
  group('sg-cluster', 'eks-cluster-sg-blue', all('sg-cluster')),
  group('sg-node', 'blue-node', all('sg-node'))
]
const of = (id: string, ...groups: readonly string[]): NodeInstance => ({ id, privateIp: '10.0.0.7', groups })
const managed = (instanceId: string): NodeFacts => ({ ...node(instanceId), instanceId })
const twoNodes = [of('i-1', 'sg-node'), of('i-2', 'sg-node')]

interface Given {
  readonly changes?: boolean
  readonly nodes?: readonly NodeFacts[]
  readonly instances?: readonly NodeInstance[]
  readonly rules?: readonly GroupWithRules[]
  readonly nodeClasses?: readonly Manifest[]
  readonly found?: Readonly<Record<string, readonly string[]>>
  readonly denied?: 'instances' | 'rules'
}

/** Ids that were asked about beside the findings. */
async function look(given: Given): Promise<{ concerns: readonly Concern[]; asked: readonly number[] }> {
  const { instances = twoNodes, rules = apart } = given
  const asked: number[] = []
  const read = <T>(what: Given['denied'], action: string, items: readonly T[]): Read<T> =>
    given.denied === what ? { state: 'denied', action } : { state: 'read', items }
  const concerns = await nodeSecurityGroups({
    clusterName: 'blue',
    changes: async () => given.changes !== false,
    nodes: async () => given.nodes ?? instances.map(({ id }) => managed(id)),
    nodeClasses: given.nodeClasses ?? [nodeClass('default', byTag)],
    subnets: [],
    securityGroups: [cluster],
    securityGroupsOf: async (term) => given.found?.[JSON.stringify(term)] ?? [],
    nodeInstances: async (ids) => {
      asked.push(ids.length)
      return read(
        'instances',
        'ec2:DescribeInstances',
        instances.filter(({ id }) => ids.includes(id))
      )
    },
    securityGroupRules: async (ids) =>
      read(
        'rules',
        'ec2:DescribeSecurityGroups',
        rules.filter(({ GroupId = '' }) => ids.includes(GroupId))
      )
  })
  return { concerns, asked }
}

describe('security groups of new nodes', () => {
  test('that no node has and that no rule lets through: the group to pass', async () => {
    const { concerns } = await look({})
    expect(concerns).toEqual([
      {
        level: 'warning',
        subject: 'security-groups',
        problem:
          'sg-cluster (eks-cluster-sg-blue) is on none of the 2 nodes that are there, and the rules do not let DNS (UDP 53) pass between old and new nodes both ways: pods on new nodes would reach no CoreDNS',
        evidence: 'the nodes have sg-node (blue-node)',
        fix: 'Pass `security-groups: sg-node`, as the nodes that are there have it, or add rules to both that let them reach each other.'
      }
    ])
  })

  test.each<[string, Given]>([
    ['nothing is to be changed', { changes: false }],
    ['a node has one of them', { instances: [of('i-1', 'sg-node'), of('i-2', 'sg-node', 'sg-cluster')] }],
    [
      'rules let both through',
      {
        rules: [
          group('sg-cluster', 'a', all('sg-node')),
          group('sg-node', 'b', { IpProtocol: '-1', IpRanges: [{ CidrIp: '10.0.0.0/8' }] })
        ]
      }
    ],
    ['there are no nodes', { instances: [] }],
    [
      'only Karpenter and Fargate made nodes',
      {
        nodes: [
          { ...managed('i-1'), labels: { 'karpenter.sh/nodepool': 'default' } },
          node('fargate-ip-10-0-0-1')
        ]
      }
    ],
    ['an EC2NodeClass names their group', { nodeClasses: [nodeClass('own', { id: 'sg-node' })] }],
    [
      'its term finds their group',
      {
        nodeClasses: [nodeClass('own', { tags: { team: 'a' } })],
        found: { '{"tags":{"team":"a"}}': ['sg-node'] }
      }
    ],
    ['there are no NodePools', { nodeClasses: [] }]
  ])('no finding where %s', async (_, given) => {
    expect((await look(given)).concerns).toEqual([])
  })

  test('one way is not enough', async () => {
    const rules = [group('sg-cluster', 'a'), group('sg-node', 'b', all('sg-cluster'))]
    expect((await look({ rules })).concerns).toHaveLength(1)
  })

  test("of one's own EC2NodeClasses are said once for all that have them", async () => {
    const nodeClasses = [nodeClass('a', { id: 'sg-9' }), nodeClass('b', { id: 'sg-9' })]
    const instances = [of('i-1', 'sg-node', 'sg-x'), of('i-2', 'sg-node', 'sg-y')]
    const { concerns } = await look({ nodeClasses, instances })
    expect(concerns).toEqual([
      expect.objectContaining({
        subject: 'node-pools',
        problem: matching(/^sg-9 of EC2NodeClass a, b is on none/),
        fix: 'Select sg-node in securityGroupSelectorTerms (`- id: sg-node`), or add rules to both that let them reach each other.'
      })
    ])
  })

  test('of nodes that have none in common: what most have', async () => {
    const instances = [of('i-1', 'sg-a'), of('i-2', 'sg-b', 'sg-c'), of('i-3', 'sg-c', 'sg-b')]
    const [concern] = (await look({ instances })).concerns
    expect(concern?.fix).toContain('`security-groups: sg-b,sg-c`')
  })

  test('are looked for in 200 nodes at a time, until one is found', async () => {
    const many = Array.from({ length: 450 }, (_, index) => of(`i-${index}`, 'sg-node'))
    expect((await look({ instances: many })).asked).toEqual([200, 200, 50])
    const first = [of('i-x', 'sg-cluster'), ...many]
    expect(await look({ instances: first })).toEqual({ concerns: [], asked: [200] })
  })

  test.each(['instances', 'rules'] as const)('%s that may not be read are a note', async (denied) => {
    expect((await look({ denied })).concerns).toEqual([
      expect.objectContaining({
        level: 'note',
        problem: matching(/may not call ec2:Describe/)
      })
    ])
  })
})
