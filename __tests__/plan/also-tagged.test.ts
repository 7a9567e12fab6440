import { alsoTaggedIds, tagFindings, type TagFindings } from '../../src/plan/also-tagged.js'
import { awsWith } from '../aws/stand-in.js'
import { ApiServer } from '../kubernetes/api-server.js'
import { checkedOf } from '../preflight/checked.js'
import { recordWith } from './inspections.js'

type Found = Parameters<typeof tagFindings>[0]
type Terms = readonly unknown[]

const tagged = (value: string): Terms => [{ tags: { 'karpenter.sh/discovery': value } }]
const byId: Terms = [{ id: 'x-1' }]

let base: Found
beforeAll(async () => {
  const [server, { aws, close }] = await Promise.all([ApiServer.start(), awsWith({})])
  const { found } = checkedOf({ aws, kubernetes: server.kubernetes })
  await Promise.all([server.stop(), close()])
  const subnet = found.subnets[0]
  const group = found.securityGroups[0]
  if (subnet === undefined || group === undefined) throw new Error('nothing is chosen')
  base = {
    ...found,
    network: {
      ...found.network,
      // Those that were chosen, one more, and one of another VPC.
      taggedSubnets: async () => ({
        state: 'read',
        items: [
          ...found.subnets,
          { ...subnet, id: 'subnet-9' },
          { ...subnet, id: 'subnet-8', vpcId: 'vpc-2' }
        ]
      }),
      taggedSecurityGroups: async () => ({
        state: 'read',
        items: [...found.securityGroups, { ...group, id: 'sg-9' }]
      })
    }
  }
})

const deniedTo = (action: string) => async () => ({ state: 'denied' as const, action })

test('the record of an install has what is tagged and was not chosen, where all of it could be read', async () => {
  expect(await alsoTaggedIds(base)).toEqual(['subnet-9', 'subnet-8', 'sg-9'])
  const network = { ...base.network, taggedSubnets: deniedTo('ec2:DescribeSubnets') }
  expect(await alsoTaggedIds({ ...base, network })).toBeUndefined()
})

/** What a check says where EC2NodeClasses find subnets and security groups so. */
async function said(subnets: Terms, groups: Terms, otherwise: Partial<Found> = {}): Promise<TagFindings> {
  const spec = { subnetSelectorTerms: subnets, securityGroupSelectorTerms: groups }
  const nodeClass = {
    apiVersion: 'karpenter.k8s.aws/v1',
    kind: 'EC2NodeClass',
    metadata: { name: 'default' },
    spec
  }
  return tagFindings(
    { ...base, record: recordWith([], { alsoTagged: [] }), ...otherwise },
    { nodeClasses: [nodeClass] }
  )
}

test('what was tagged since the install is drift, and says what nodes get by it', async () => {
  const { findings, notes } = await said(tagged('blue'), tagged('blue'))
  const reason = (id: string, what: string, input: string): string =>
    `${id} was tagged karpenter.sh/discovery=blue since the install, so ${what}; \`${input}\` does not name it`
  const install = (id: string, input: string): string =>
    `leave the tag, which this action did not set. If it is not meant: aws ec2 delete-tags --resources ${id} --tags Key=karpenter.sh/discovery; if it is, name it in \`${input}\``
  const ofAll = { kind: 'drift', layer: 'network', wanted: undefined, recorded: undefined, live: 'blue' }
  const ofSubnets = { ...ofAll, id: 'subnet-tags', title: 'Subnet tags', severity: 'breaks scaling' }
  expect(findings).toEqual([
    {
      ...ofSubnets,
      path: 'subnet-9.tags.karpenter.sh/discovery',
      reason: reason('subnet-9', 'nodes are put into it', 'subnets'),
      install: install('subnet-9', 'subnets')
    },
    {
      ...ofSubnets,
      path: 'subnet-8.tags.karpenter.sh/discovery',
      reason: reason(
        'subnet-8',
        "nodes are put into it, of another VPC (vpc-2) than the cluster's, where no node can join",
        'subnets'
      ),
      install: install('subnet-8', 'subnets')
    },
    {
      ...ofAll,
      id: 'security-group-tags',
      title: 'Security group tags',
      severity: 'weakens security',
      path: 'sg-9.tags.karpenter.sh/discovery',
      reason: reason('sg-9', 'nodes get it', 'security-groups'),
      install: install('sg-9', 'security-groups')
    }
  ])
  expect(notes).toEqual([])
})

test.each([
  [['subnet-9', 'subnet-8', 'sg-9'], 'as it was at the last install'],
  [undefined, 'and no record says since when']
])('what was so at the install is a note: %j', async (alsoTagged, since) => {
  const record = recordWith([], alsoTagged === undefined ? {} : { alsoTagged })
  const { findings, notes } = await said(tagged('blue'), tagged('blue'), { record })
  expect(findings).toEqual([])
  const note = (id: string, input: string): string =>
    `note: Karpenter uses ${id} as well, which \`${input}\` does not name: it is tagged karpenter.sh/discovery=blue, ${since}`
  expect(notes).toEqual([
    note('subnet-9', 'subnets'),
    note('subnet-8', 'subnets'),
    note('sg-9', 'security-groups')
  ])
})

test.each<[string, Terms, Terms, readonly string[]]>([
  ['any value of the tag', tagged('*'), tagged('*'), ['subnet-9', 'subnet-8', 'sg-9']],
  ['it for subnets alone', tagged('blue'), byId, ['subnet-9', 'subnet-8']],
  ['it for security groups alone', byId, tagged('blue'), ['sg-9']],
  ['it beside ids', [...byId, ...tagged('blue')], byId, ['subnet-9', 'subnet-8']],
  ["another cluster's tag", tagged('green'), tagged('green'), []],
  ['ids', byId, byId, []]
])('only what EC2NodeClasses find by it is said: they go by %s', async (_what, subnets, groups, ids) => {
  const { findings } = await said(subnets, groups)
  expect(findings.map(({ path }) => path.split('.')[0])).toEqual(ids)
})

test('EC2 is not asked where EC2NodeClasses find by ids', async () => {
  const never = async (): Promise<never> => Promise.reject(new Error('EC2 was asked'))
  const network = { ...base.network, taggedSubnets: never, taggedSecurityGroups: never }
  expect(await said(byId, byId, { network })).toEqual({ findings: [], notes: [] })
})

test('what may not be read is said with the action, beside what could be', async () => {
  const network = { ...base.network, taggedSubnets: deniedTo('ec2:DescribeSubnets') }
  const { findings } = await said(tagged('blue'), tagged('blue'), { network })
  expect(findings.map(({ id }) => id)).toEqual(['security-group-tags', 'discovery/also-tagged'])
  expect(findings[1]).toEqual({
    kind: 'unknown',
    id: 'discovery/also-tagged',
    title: 'subnets and security groups with the tag',
    layer: 'network',
    path: '',
    wanted: undefined,
    recorded: undefined,
    live: undefined,
    severity: 'cosmetic',
    reason:
      "whether others are tagged karpenter.sh/discovery as well: the run's role may not call ec2:DescribeSubnets",
    install: 'go on without it',
    missingPermission: 'ec2:DescribeSubnets'
  })
})
