import { tableFacts } from '../../src/karpenter/version-facts.js'
import type { Difference } from '../../src/engine/difference.js'
import { type Inspection, resource } from '../../src/engine/resource.js'
import { defaultNodePools } from '../../src/karpenter/default-node-pools.js'
import { renderTemplate } from '../../src/karpenter/rendered-stack.js'
import { builtInTemplateText } from '../../src/karpenter/template-built-in.js'
import { sayUpgrade } from '../../src/modes/say-upgrade.js'
import { account } from '../aws/stand-in.js'
import { releasePath, releaseSecret } from '../helm/release-secret.js'
import { ApiServer, status } from '../kubernetes/api-server.js'
import { type LocalRun, localRun } from '../local-run.js'
import { crdOf } from '../upgrade/crds.js'

type Planned = Parameters<typeof sayUpgrade>[1]

const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
const claims = '/apis/karpenter.sh/v1/nodeclaims'
const userData: Difference = difference('spec.userData')

let server: ApiServer
let local: LocalRun
beforeEach(async () => {
  server = await ApiServer.start()
  local = localRun()
  for (const name of ['default-1', 'default-2']) {
    server.put(`${claims}/${name}`, {
      apiVersion: 'karpenter.sh/v1',
      kind: 'NodeClaim',
      metadata: { labels: { 'karpenter.sh/nodepool': 'default' } },
      spec: { nodeClassRef: { group: 'karpenter.k8s.aws', kind: 'EC2NodeClass', name: 'default' } }
    })
  }
  const schema = { type: 'object', properties: { template: {}, former: {} } }
  server.put(`${crds}/nodepools.karpenter.sh`, { ...crdOf('NodePool', schema) })
  server.put('/apis/karpenter.sh/v1/nodepools/theirs', {
    apiVersion: 'karpenter.sh/v1',
    kind: 'NodePool',
    spec: { former: 1 }
  })
  server.put(releasePath(1), releaseSecret(1, 'deployed', '1.2.1', {}, { values: { replicas: 1 } }))
})
afterEach(async () => {
  local.end()
  await server.stop()
})

function difference(path: string): Difference {
  return { path, wanted: 'new', live: 'old', reason: `${path} differs`, severity: 'breaks scaling' }
}

/** What a comparison finds of the resource of that id: there with these differences, or not there at all. */
async function inspected(id: string, found: readonly Difference[] | 'absent'): Promise<Inspection> {
  return resource<string, readonly Difference[]>(
    {
      id,
      layer: 'karpenter',
      title: id,
      dependsOn: [],
      wanted: id,
      read: async () => (found === 'absent' ? { state: 'absent' } : { state: 'present', value: found }),
      compare: (_wanted, live) => live,
      absent: () => [difference('')],
      apply: async () => undefined,
      sign: { by: 'record' },
      remove: async () => ({ outcome: 'absent' })
    },
    (value) => typeof value === 'string'
  ).inspect(local.run.signal)
}

/** A run that wants 1.14.0 and the guide's NodePool. */
async function planned(
  installed: string | undefined,
  differing: Readonly<Record<string, readonly Difference[] | 'absent'>>
): Promise<Planned> {
  const inspections = new Map<string, Inspection>()
  for (const [id, found] of Object.entries(differing)) inspections.set(id, await inspected(id, found))
  const wantedCrd = crdOf('NodePool', { type: 'object', properties: { template: {}, fresh: {} } })
  return {
    found: { kubernetes: server.kubernetes, record: undefined },
    decisions: {
      version: '1.14.0',
      installed,
      facts: tableFacts('1.14.0'),
      ownPolicies: undefined,
      publishedPolicies: () => [],
      stack: renderTemplate(builtInTemplateText('1.14.0'), {
        clusterName: 'blue',
        stackName: 'Karpenter-blue',
        account
      }),
      chart: {
        path: 'karpenter-1.14.0.tgz',
        name: 'karpenter',
        version: '1.14.0',
        appVersion: '1.14.0',
        digest: undefined,
        values: { replicas: 2 },
        crds: [wantedCrd]
      },
      values: {},
      ...defaultNodePools({ clusterName: 'blue', nodeRoleName: 'KarpenterNodeRole-blue' })
    },
    inspections
  }
}

const read = (): readonly string[] => server.calls.map(({ path }) => path)

test('another version: what changes in permissions, CRDs, chart and nodes, to log and report, and nothing is written', async () => {
  const crdsDiffer = { crds: [difference('nodepools.karpenter.sh')] }
  await sayUpgrade(local.run, await planned('1.2.1', crdsDiffer))
  const log = local.log.join('\n')
  expect(local.log[0]).toMatch(/^::group::Upgrade \(/)
  expect(log).toContain('upgrade of Karpenter from 1.2.1 to 1.14.0, past 1.3, 1.4')
  expect(log).toContain('permissions (by the published policies)')
  expect(log).toContain('CRD nodepools.karpenter.sh: 1 field new (spec.fresh); 1 field gone (spec.former)')
  expect(log).toContain('NodePool theirs: the CRDs of 1.14.0 have no spec.former, which it would lose')
  expect(log).toContain('chart default replicas: 1 becomes 2')
  expect(log).toContain("of 2 nodes of Karpenter's, none is expected to be replaced")
  expect(local.report().upgrade).toMatchObject({ from: '1.2.1', to: '1.14.0', nodes: { nodes: 2 } })
  expect(local.report().stages.map(({ name }) => name)).toEqual(['Upgrade'])
  expect(local.report().warnings).toEqual([])
  expect(server.writes()).toEqual([])
})

test('of the objects of the run itself is said what the new CRDs take from them, as of all others', async () => {
  await sayUpgrade(local.run, await planned('1.2.1', { crds: [difference('nodepools.karpenter.sh')] }))
  expect(local.report().upgrade?.fieldsLost).toContainEqual({
    object: 'NodePool default',
    path: 'spec.disruption'
  })
})

test('a value that only the installed release was given, and the new chart does not have, is said', async () => {
  server.put(releasePath(1), releaseSecret(1, 'deployed', '1.2.1', { webhook: { enabled: true } }))
  await sayUpgrade(local.run, await planned('1.2.1', {}))
  expect(local.report().upgrade?.chart?.dead).toMatchObject([
    { path: 'webhook', given: 'to the installed release' }
  ])
})

test('nodes are not said to be replaced because another version hashes them otherwise', async () => {
  await sayUpgrade(local.run, await planned('1.2.1', {}))
  expect(local.report().upgrade?.nodes?.notes).toContainEqual(
    expect.stringMatching(/goes from v4 to v5: .* replaces no node for that/)
  )
})

test('permissions of versions that the table does not have are those that were published of both', async () => {
  const policies = (...Action: readonly string[]) => [
    { name: 'controller', document: { Statement: [{ Sid: 'One', Effect: 'Allow', Action, Resource: '*' }] } }
  ]
  const asked: string[] = []
  const given = await planned('1.2.1', {})
  await sayUpgrade(local.run, {
    ...given,
    decisions: {
      ...given.decisions,
      ownPolicies: policies('ec2:CreateFleet', 'ec2:DescribeImages'),
      publishedPolicies: (version) => {
        asked.push(version)
        return policies('ec2:CreateFleet')
      }
    }
  })
  expect(asked).toEqual(['1.2.1'])
  expect(local.report().upgrade?.permissions).toMatchObject({
    by: 'published policies',
    statements: [{ policy: 'controller', statement: 'One', change: 'changed' }]
  })
})

test('CRDs that stay as they are are not read, and nothing is said of them', async () => {
  await sayUpgrade(local.run, await planned('1.2.1', { crds: [] }))
  expect(read().filter((path) => path.startsWith(crds))).toEqual([])
  expect(local.report().upgrade).toMatchObject({ crds: [], fieldsLost: [] })
})

test('an EC2NodeClass that changes its nodes without another version: a warning, and NodeClaims alone are read', async () => {
  await sayUpgrade(local.run, await planned('1.14.0', { 'ec2-node-class/default': [userData] }))
  expect(local.report().warnings.join('\n')).toContain('will replace 2 of its 2 nodes because of this run')
  expect(local.log).toContainEqual(expect.stringMatching(/^::warning::nodes: /))
  expect(local.report().upgrade).toMatchObject({ direction: 'same version', nodes: { replaced: 2 } })
  expect(read()).toEqual([claims])
})

test.each([
  ['the template of a NodePool', { 'node-pool/default': [difference('spec.template.spec.expireAfter')] }],
  ['the AMI family of an EC2NodeClass', { 'ec2-node-class/default': [difference('spec.amiFamily')] }],
  ['the tag of a security group', { 'security-group-tags': [difference('sg-1')] }]
])('%s is looked at for its nodes', async (_what, differing) => {
  await sayUpgrade(local.run, await planned('1.14.0', differing))
  expect(read()).toEqual([claims])
  expect(local.report().upgrade?.nodes?.causes).toMatchObject([{ nodes: 2 }])
})

test.each([
  ['what makes no other nodes', '1.14.0', { 'node-pool/default': [difference('spec.limits.cpu')] }],
  [
    'a label of an EC2NodeClass',
    '1.14.0',
    { 'ec2-node-class/default': [difference('metadata.labels.team')] }
  ],
  ['what is only now made', '1.14.0', { 'ec2-node-class/default': 'absent' as const }],
  ['a first install', undefined, { 'security-group-tags': [difference('sg-1')] }]
])('of %s nothing is read and nothing said', async (_what, installed, differing) => {
  await sayUpgrade(local.run, await planned(installed, differing))
  expect(read()).toEqual([])
  expect([local.log, local.report().upgrade]).toEqual([[], undefined])
})

test('to a check what somebody changed by hand is drift, and only another version is announced', async () => {
  const byHand = { 'ec2-node-class/default': [userData] }
  await sayUpgrade(local.run, await planned('1.14.0', byHand), 'the version changes')
  expect([read(), local.report().upgrade]).toEqual([[], undefined])
  await sayUpgrade(local.run, await planned('1.13.1', byHand), 'the version changes')
  expect(local.report().upgrade).toMatchObject({ from: '1.13.1', nodes: { replaced: 2 } })
})

test('an image tag that is no version is not taken for another version', async () => {
  await sayUpgrade(local.run, await planned('latest', {}))
  expect(read()).toEqual([])
})

test('without the right to read CRDs it says so, and takes none of their fields for new', async () => {
  server.intercept = (call, response) => {
    if (!call.path.startsWith(crds)) return false
    status(response, 403, 'Forbidden', 'no')
    return true
  }
  await sayUpgrade(local.run, await planned('1.2.1', { crds: [difference('nodepools.karpenter.sh')] }))
  expect(local.log).toContainEqual(expect.stringMatching(/^not known without .*customresourcedefinitions/))
  expect(local.report().upgrade).toMatchObject({ from: '1.2.1', crds: [], fieldsLost: [] })
})

test('without the right to list NodeClaims it says so, and promises nothing of nodes', async () => {
  server.intercept = (call, response) => {
    if (call.path !== claims) return false
    status(response, 403, 'Forbidden', 'no')
    return true
  }
  await sayUpgrade(local.run, await planned('1.14.0', { 'ec2-node-class/default': [userData] }))
  expect(local.log).toContainEqual(expect.stringMatching(/^not known without .*nodeclaims/))
  expect(local.report().upgrade?.nodes).toBeUndefined()
  expect(local.report().warnings).toEqual([])
})
