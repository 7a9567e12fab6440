import type { InstallRecord } from '../../src/engine/record.js'
import { newestTested, testedKubernetes } from '../../src/karpenter/tested-versions.js'
import { type DecidedVersion, decideVersion } from '../../src/plan/version.js'
import { inputsOf } from '../given-inputs.js'
import { type LocalRun, localRun } from '../local-run.js'
import { PlayedHelm } from '../modes/played-helm.js'
import { recordedStep } from '../resources/step.js'
import { deniedOf, recordWith } from './inspections.js'

let local: LocalRun
beforeEach(() => {
  local = localRun()
})
afterEach(() => local.end())

/** What upstream has at the tag of every version. */
const upstream: Readonly<Record<string, string>> = {
  'version.go': 'const (\n\tMinK8sVersion = "1.29"\n\tMaxK8sVersion = "1.41"\n)\n',
  'ec2nodeclass.go': 'const EC2NodeClassHashVersion = "v9"\n',
  'cloudformation.yaml': 'Resources: {}'
}
const files = ({ pathname }: URL): string => pathname.split('/').at(-1) ?? ''

type Found = Parameters<typeof decideVersion>[1]

async function decided(
  given: Readonly<Record<string, string>>,
  of: {
    readonly runs?: readonly (readonly [namespace: string, version: string])[]
    readonly record?: InstallRecord
    readonly denied?: Found['denied']
    readonly kubernetes?: string
    readonly published?: readonly string[]
  } = {}
): Promise<{
  readonly of: DecidedVersion
  readonly asked: readonly string[]
  readonly lines: readonly string[]
}> {
  const asked: string[] = []
  const played = new PlayedHelm()
  const step = recordedStep()
  const { ports } = local.run
  const result = await decideVersion(
    inputsOf({ 'cluster-name': 'blue', ...given }),
    {
      record: of.record,
      denied: of.denied ?? [],
      cluster: { kubernetesVersion: of.kubernetes ?? '1.35' },
      controllers: (of.runs ?? []).map(([namespace, version]) => ({
        namespace,
        version,
        deployment: 'karpenter',
        release: undefined
      }))
    },
    {
      ...ports,
      download: async (url, { proxyEnv, signal }) => {
        expect([proxyEnv, signal]).toEqual([ports.env, step.signal])
        asked.push(files(url))
        return upstream[files(url)]
      },
      helm: {
        find: played.find,
        prepare: played.prepare,
        chart: played.chart,
        signature: played.signature,
        versions: async (_chart, { proxyEnv, signal }) => {
          expect([proxyEnv, signal]).toEqual([ports.env, step.signal])
          return { kind: 'listed', versions: of.published ?? [], where: 'a registry' }
        }
      }
    },
    step
  )
  return { of: result, asked, lines: step.lines }
}

const recorded = recordWith([], { karpenterVersion: '1.12.2' })

test.each<[string, Parameters<typeof decided>[1], string | undefined]>([
  [
    'that of the namespace',
    {
      runs: [
        ['other', '1.13.1'],
        ['karpenter', '1.14.0']
      ]
    },
    '1.14.0'
  ],
  ['none, of others alone', { runs: [['other', '1.13.1']] }, undefined],
  ['what its image says', { runs: [['karpenter', 'main']] }, 'main'],
  ['none, of an image that says nothing', { runs: [['karpenter', '']] }, undefined],
  [
    'that of the record, where controllers may not be read',
    { denied: [deniedOf('controllers')], record: recorded },
    '1.12.2'
  ],
  ['none, where no record says it either', { denied: [deniedOf('controllers')] }, undefined],
  ['none, where only nodes may not be read', { denied: [deniedOf('nodes')], record: recorded }, undefined]
])('the version that runs is %s', async (_what, of, installed) => {
  const published = [newestTested]
  expect((await decided({ mode: 'check' }, { published, ...of })).of.installed).toBe(installed)
})

test('what ends an install because of its version ends no check', async () => {
  const asked = { 'karpenter-version': '0.37.0' }
  expect((await decided({ ...asked, mode: 'check' })).of.version).toBe('0.37.0')
  for (const mode of ['install', 'plan'])
    await expect(decided({ ...asked, mode })).rejects.toThrow('older than 1.0')
})

const untested = { 'karpenter-version': '1.99.0' }

test.each<[string, string, readonly string[]]>([
  ['', 'tag', ['ec2nodeclass.go', 'upgrade-guide.md', 'version.go']],
  ['own.yaml', 'tag', ['cloudformation.yaml', 'ec2nodeclass.go', 'upgrade-guide.md', 'version.go']],
  [
    'https://example.com/t.yaml',
    'tag',
    ['cloudformation.yaml', 'ec2nodeclass.go', 'upgrade-guide.md', 'version.go']
  ],
  ['built-in', 'newest row', []]
])(
  'with template "%s" what holds for an untested version is known by the %s, and asked for are %j',
  async (template, origin, wanted) => {
    const { of, asked } = await decided({ ...untested, ...(template !== '' && { template }) })
    expect(of.facts.kubernetes.origin).toBe(origin)
    expect(asked.toSorted()).toEqual(wanted)
  }
)

test('why upstream was not asked, or has nothing, is said', async () => {
  const builtIn = await decided({ ...untested, template: 'built-in' })
  expect(builtIn.of.facts.kubernetes.reason).toBe('template: built-in')
  const asked = await decided(untested)
  expect(asked.of.facts.kubernetes.reason).toBeUndefined()
  expect(asked.of.facts.upgradeNotes).toMatchObject({
    origin: 'newest row',
    reason: expect.stringMatching(/upgrade-guide\.md: it does not exist$/) as unknown
  })
})

test('an untested version is chosen by the Kubernetes that upstream says, and each file is asked for once', async () => {
  const kubernetes = `1.${testedKubernetes.most + 1}`
  const { of, asked } = await decided({}, { kubernetes, published: ['1.99.0'] })
  expect([of.version, of.reason]).toEqual(['1.99.0', `newest that supports Kubernetes ${kubernetes}`])
  expect(asked.toSorted()).toEqual(['ec2nodeclass.go', 'upgrade-guide.md', 'version.go'])
})

test('what could not be had on the way is a note', async () => {
  const { lines } = await decided({ mode: 'check' }, { runs: [['karpenter', 'main']] })
  expect(lines).toEqual([
    'note: karpenter-version: the controller that runs says that it is "main", which is no version'
  ])
})
