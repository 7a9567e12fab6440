import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { digestsOf } from '../../../scripts/upstream/digests.js'
import { readGenerated } from '../../../scripts/upstream/files.js'
import { renewed, taskOf } from '../../../scripts/upstream/renew.js'
import { logText, summaryText } from '../../../scripts/upstream/report.js'
import { fetched, publishedVersions, sourceAt, together } from '../../../scripts/upstream/sources.js'
import { builtInTemplateText } from '../../../src/karpenter/template-built-in.js'
import { upstreamPath } from '../../../src/karpenter/template.js'
import { type Files, filesOf, repositoryOf, write } from './published.js'

const digests = readGenerated().digests.filter(({ from }) => from !== '1.15.0')
const kept = {
  releases: [{ from: '1.14.0', kubernetes: { least: 26, most: 36 }, nodeClassHash: 'v5' }],
  testedPatches: ['1.14.0'],
  digests
}
const crd = (spec: string): string => `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: nodepools.karpenter.sh }
spec:
  group: karpenter.sh
  versions:
    - { name: v1, served: true, storage: true, schema: { openAPIV3Schema: { properties: { spec: ${spec} } } } }
`
const guide = `### Upgrading to \`1.15.0\`+\n\n* **Breaking:** for @everyone\n`
const before = filesOf(36, 'v5', {
  'charts/karpenter/values.yaml': 'replicas: 2\n',
  'pkg/apis/crds/karpenter.sh_nodepools.yaml': crd(
    '{ type: object, properties: { weight: { type: integer } } }'
  ),
  'website/content/en/preview/upgrading/upgrade-guide.md': ''
})
const after: Files = {
  ...filesOf(37, 'v6'),
  [upstreamPath]: builtInTemplateText('1.15.0'),
  'charts/karpenter/values.yaml': 'replicas: 2\nsettings: { enableDRA: false }\n',
  'pkg/apis/crds/karpenter.sh_nodepools.yaml': crd(
    '{ type: object, properties: { weight: { type: integer }, replicas: { type: integer } } }'
  ),
  'website/content/en/preview/upgrading/upgrade-guide.md': guide
}
const said = [
  'Kubernetes 1.26 to 1.36 becomes 1.26 to 1.37',
  'hash of EC2NodeClasses v5 becomes v6',
  'permissions (by the published policies): 1 more, 0 less, in 1 statement',
  '  changed AllowScopedDeletion (NodeLifecyclePolicy): + ec2:RebootInstances',
  'CRD nodepools.karpenter.sh: 1 field new (spec.replicas)',
  'chart values new: settings',
  'upgrade guide of 1.15.0, breaking: for @everyone'
]

let repository: string
beforeAll(() => {
  repository = repositoryOf({
    'v0.37.0': before,
    'v1.14.0': before,
    'v1.14.1': before,
    'v1.15.0-rc.0': before,
    'v1.15.0-hash-fix': before,
    'v1.15.0': after
  })
})
afterAll(() => rmSync(repository, { recursive: true }))

it('reads of a repository what is new, and brings rows, patches and digests up to it', async () => {
  const source = await sourceAt(repository)
  expect(source.versions).toEqual(['1.14.0', '1.14.1', '1.15.0'])
  const task = taskOf(source.versions, kept, false)
  expect(task.read).toEqual(['1.14.1', '1.15.0'])
  const { generated, changes } = await renewed(source, task, kept, () => true)
  expect(changes).toEqual([
    { version: '1.14.1', after: '1.14.0', lines: [] },
    { version: '1.15.0', after: '1.14.1', lines: said }
  ])
  expect(generated.releases).toEqual([
    ...kept.releases,
    { from: '1.15.0', kubernetes: { least: 26, most: 37 }, nodeClassHash: 'v6' }
  ])
  expect(generated.testedPatches).toEqual(['1.14.1', '1.15.0'])
  const row = generated.digests.at(-1)
  expect([row?.from, row?.source, Object.keys(row?.changes ?? {})]).toEqual([
    '1.15.0',
    'v1.15.0',
    ['NodeLifecyclePolicy AllowScopedDeletion']
  ])
})

it('fetches only the tags that it needs, and leaves nothing behind', async () => {
  const url = pathToFileURL(repository).href
  expect(await publishedVersions(url)).toEqual(['1.14.0', '1.14.1', '1.15.0'])
  const { source, end } = await fetched(url, ['1.14.1', '1.15.0'])
  expect(source.versions).toEqual(['1.14.1', '1.15.0'])
  expect(await source.read('1.15.0', 'pkg/apis/v1/ec2nodeclass.go')).toContain('"v6"')
  expect(await source.read('1.15.0', 'no/such/file')).toBeUndefined()
  expect(await source.list('1.15.0', 'pkg/apis/crds')).toEqual(['karpenter.sh_nodepools.yaml'])
  end()
  await expect(source.read('1.15.0', 'pkg/apis/v1/ec2nodeclass.go')).rejects.toThrow()
  await expect(fetched(url, ['9.9.9'])).rejects.toThrow(/9\.9\.9/)
})

describe('folders of versions', () => {
  let folder: string
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'versions-'))))
  afterEach(() => rmSync(folder, { recursive: true }))

  it("are read as Go keeps modules, and with a file by its name alone; several make up for each other's gaps", async () => {
    const { [upstreamPath]: template = '', ...module } = after
    write(join(folder, 'go', 'karpenter-provider-aws@v1.15.0'), module)
    write(join(folder, 'go', 'smithy-go@v1.2.3'), {})
    write(join(folder, 'templates', '1.15.0'), { 'cloudformation.yaml': template })
    write(join(folder, 'templates', 'v1.14.0'), before)
    const source = together([await sourceAt(join(folder, 'go')), await sourceAt(join(folder, 'templates'))])
    expect(source.versions).toEqual(['1.14.0', '1.15.0'])
    const { changes } = await renewed(source, taskOf(source.versions, kept, false), kept, () => true)
    expect(changes).toEqual([{ version: '1.15.0', after: '1.14.0', lines: said }])
  })

  it('say what they lack, and what could not be compared', async () => {
    write(join(folder, '1.15.0'), filesOf(37, 'v6'))
    const source = await sourceAt(folder)
    const alone = await renewed(source, taskOf(source.versions, kept, false), kept, () => true)
    expect(alone.changes[0]?.lines).toEqual([`not compared: ${folder} does not have 1.14.0`])
    write(join(folder, '1.14.0'), before)
    const both = await sourceAt(folder)
    const { changes } = await renewed(both, taskOf(both.versions, kept, false), kept, () => true)
    expect(changes[0]?.lines).toContain(
      'not compared, since 1.15.0 has none here: chart, upgrade guide, CRDs'
    )
  })

  it('refuse a version whose constants are not what they were, by tag and file', async () => {
    write(join(folder, '1.15.0'), { ...after, 'pkg/apis/v1/ec2nodeclass.go': 'package v1\n' })
    const source = await sourceAt(folder)
    await expect(renewed(source, taskOf(source.versions, kept, false), kept, () => true)).rejects.toThrow(
      /^v1\.15\.0: pkg\/apis\/v1\/ec2nodeclass\.go: it declares no EC2NodeClassHashVersion/
    )
  })
})

describe('The task', () => {
  const stated = [...digests, { from: '1.15.0', source: 'a page', changes: {} }]

  it('has what is newer than its minor in the table, and again what was not read at its tag', () => {
    const table = { ...kept, testedPatches: ['1.14.1', '1.15.1'], digests: stated }
    const task = taskOf(['1.14.0', '1.14.1', '1.14.2', '1.15.0', '1.15.1', '1.16.0'], table, false)
    expect(task.compared).toEqual(['1.14.2', '1.16.0'])
    expect(task.read).toEqual(['1.14.2', '1.15.0', '1.16.0'])
    expect([...task.predecessors]).toEqual([
      ['1.14.2', '1.14.1'],
      ['1.16.0', '1.15.1']
    ])
  })

  it('is empty where the table has everything', () => {
    expect(
      taskOf(['1.13.0', '1.14.0'], { ...kept, testedPatches: ['1.13.0', '1.14.0'] }, false).read
    ).toEqual([])
  })

  it('is everything on request', () => {
    expect(taskOf(['1.13.0', '1.14.0'], kept, true).read).toEqual(['1.13.0', '1.14.0'])
  })
})

describe('What is said', () => {
  const changes = [
    { version: '1.14.1', after: '1.14.0', lines: [] },
    { version: '1.15.0', after: '1.14.1', lines: said }
  ]

  it('is a line for each change in the log', () => {
    expect(logText(changes, 2, 'here').split('\n')).toEqual([
      '2 versions read from here.',
      '1.15.0, after 1.14.1',
      ...said.map((line) => `  ${line}`),
      '1 version with nothing that this action goes by changed.'
    ])
  })

  it('is a list in the pull request, in which the texts of others mention nobody', () => {
    const text = summaryText(changes)
    expect(text).toContain('### 1.14.1, after 1.14.0\n\nNothing that this action goes by has changed.')
    expect(text).toContain('### 1.15.0, after 1.14.1\n\n- Kubernetes 1.26 to 1.36')
    expect(text).not.toContain('@everyone')
    expect(summaryText([])).toMatch(/^Upstream has no new version/)
  })
})

describe('Digests', () => {
  const text = builtInTemplateText('1.14.0')
  const differing = (edited: string): readonly string[] => {
    const [a, b] = [digestsOf(text, 'aws'), digestsOf(edited, 'aws')]
    return [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((part) => a[part] !== b[part])
  }

  it.each([
    [
      'an action',
      'ec2:CreateFleet',
      'ec2:CreateFleets',
      'NodeLifecyclePolicy AllowScopedEC2InstanceAccessActions'
    ],
    [
      'the effect',
      '"Effect": "Allow"',
      '"Effect": "Deny"',
      'NodeLifecyclePolicy AllowScopedEC2InstanceAccessActions'
    ],
    ['a policy name', 'KarpenterControllerInterruptionPolicy', 'Other', 'InterruptionPolicy'],
    ['the queue', 'MessageRetentionPeriod: 300', 'MessageRetentionPeriod: 301', 'KarpenterInterruptionQueue'],
    ['a rule', 'EC2 Instance Rebalance Recommendation', 'Other', 'RebalanceRule'],
    ['the node role', 'PullOnly', 'ReadOnly', 'KarpenterNodeRole']
  ])('show %s that differs in its part alone', (_what, from, to, part) => {
    expect(differing(text.replace(from, to))).toEqual([part])
  })

  it('are of what the text comes to in a partition', () => {
    expect(digestsOf(text, 'aws-cn')).not.toEqual(digestsOf(text, 'aws'))
  })
})
