import { Graph } from '../../src/engine/graph.js'
import { isMap, mapAt } from '../../src/engine/json.js'
import type { Owner } from '../../src/engine/owner.js'
import { type InstallRecord, parseRecord } from '../../src/engine/record.js'
import { type AnyResource, type Inspection, resource } from '../../src/engine/resource.js'
import type { Sign } from '../../src/engine/standing.js'
import { tableFacts } from '../../src/karpenter/version-facts.js'
import { readRecord, readRecordValues } from '../../src/kubernetes/record-store.js'
import { keepRecord, type RecordKeeper } from '../../src/plan/record-keeper.js'
import { withValues } from '../../src/plan/record-values.js'
import { textResource } from '../engine/fake-resources.js'
import { ApiServer } from '../kubernetes/api-server.js'
import { type LocalRun, localRun } from '../local-run.js'
import { recordWith } from './inspections.js'

let server: ApiServer
let local: LocalRun
beforeEach(async () => {
  server = await ApiServer.start()
  local = localRun()
})
afterEach(async () => {
  local.end()
  await server.stop()
})

type Now = Parameters<typeof keepRecord>[1]

interface Given {
  readonly found?: Partial<Now['found']>
  readonly decisions?: Partial<Now['decisions']>
  readonly alsoTagged?: Now['alsoTagged']
}

/** No two writes are of one time. */
let time = Date.UTC(2026, 10, 30)

async function keeperOf(parts: readonly AnyResource[], given: Given = {}): Promise<RecordKeeper> {
  const inspections = new Map<string, Inspection>()
  for (const one of parts) inspections.set(one.id, await one.inspect(local.run.signal))
  const { ports } = local.run
  const clock = { ...ports.clock, now: () => (time += 1_000) }
  return keepRecord(
    { ...local.run, ports: { ...ports, clock } },
    {
      found: {
        kubernetes: server.kubernetes,
        cluster: { kubernetesVersion: '1.35' },
        record: undefined,
        ...given.found
      },
      decisions: {
        version: '1.14.1',
        facts: tableFacts('1.14.1'),
        provedChart: undefined,
        ...given.decisions
      },
      graph: new Graph(parts),
      inspections,
      ...(given.alsoTagged !== undefined && { alsoTagged: given.alsoTagged })
    }
  )
}

async function recorded(): Promise<InstallRecord> {
  const stored = await readRecord(server.kubernetes)
  const record = stored.state === 'present' ? parseRecord(stored.text) : undefined
  if (record === undefined) throw new Error(`record: ${stored.state}`)
  return record
}

const there = (id: string, sign?: Sign<string>): AnyResource =>
  textResource(id, [], new Map([[id, `wanted ${id}`]]), sign === undefined ? {} : { sign })

describe('of what a run knows', () => {
  const provedChart = { digest: 'sha256:abc', asked: 'by the release', run: 'run', time: '2026-11-24' }
  const read = { ...tableFacts('1.99.0'), nodeClassHash: { value: 'v9', origin: 'tag' as const } }

  it('its version, who signed the chart, and what else is tagged are recorded', async () => {
    const keeper = await keeperOf([there('stack')], {
      decisions: { version: '1.99.0', facts: read, provedChart },
      alsoTagged: async () => ['subnet-9']
    })
    await keeper.installed()
    expect(await recorded()).toMatchObject({
      karpenterVersion: '1.99.0',
      kubernetesVersion: '1.35',
      facts: { version: '1.99.0', nodeClassHash: 'v9' },
      provedChart,
      alsoTagged: ['subnet-9'],
      run: 'https://github.com/org/repo/actions/runs/7'
    })
  })

  it('nothing is recorded that it does not know', async () => {
    await (await keeperOf([there('stack')], { alsoTagged: async () => undefined })).installed()
    expect(Object.keys(await recorded()).toSorted()).toEqual(
      ['karpenterVersion', 'kubernetesVersion', 'resources', 'run', 'schema', 'time'].toSorted()
    )
  })
})

const asidePath = '/api/v1/namespaces/kube-system/secrets/setup-karpenter-unreadable'
const recordPath = '/api/v1/namespaces/kube-system/configmaps/setup-karpenter'
const putBroken = (): void => {
  const binaryData = { 'record.json.gz': 'bm90IGd6aXA=' }
  server.put(recordPath, { apiVersion: 'v1', kind: 'ConfigMap', binaryData })
}

it('a record that cannot be read is set aside before the first write, and what takes its place is not', async () => {
  putBroken()
  const keeper = await keeperOf([there('stack')], { found: { brokenRecord: 'it is not gzip' } })
  await keeper.ahead()
  await keeper.installed()
  expect(server.at(asidePath)).toMatchObject({ data: { 'record.json.gz': 'bm90IGd6aXA=' } })
  expect(await recorded()).toMatchObject({ resources: { stack: { wanted: 'wanted stack' } } })
})

it('a record that can be read is set aside by nobody', async () => {
  await (await keeperOf([there('stack')])).installed()
  await (await keeperOf([there('stack')], { found: { record: await recorded() } })).installed()
  expect(server.at(asidePath)).toBeUndefined()
})

it('nothing is written ahead where nothing new is to be made', async () => {
  const keeper = await keeperOf([there('stack')], { found: { record: recordWith(['stack']) } })
  await keeper.ahead()
  expect(server.writes()).toEqual([])
})

const eksctl: Owner = { kind: 'other', who: 'eksctl', evidence: ['a tag'] }
const by = (owner: Owner): Sign<string> => ({ by: 'mark', mark: () => owner })
const ofStack: Sign<string> = { by: 'whole', whole: 'stack' }
const ours: Owner = { kind: 'ours' }

it.each<
  [string, readonly AnyResource[], InstallRecord | undefined, Readonly<Record<string, readonly string[]>>]
>([
  [
    'no record, by its own mark or by that of the stack that it is of, else as found',
    [
      there('stack', by(ours)),
      there('queue', ofStack),
      there('controller-role', by(eksctl)),
      there('subnet-tags', { by: 'record' })
    ],
    undefined,
    {
      stack: [],
      queue: [],
      'controller-role': ['Text controller-role'],
      'subnet-tags': ['Text subnet-tags']
    }
  ],
  [
    'no record, as found where the stack is of somebody else',
    [there('stack', by(eksctl)), there('queue', ofStack)],
    undefined,
    { stack: ['Text stack'], queue: ['Text queue'] }
  ],
  [
    'no record, as nothing where it is not there',
    [textResource('stack', [], new Map())],
    undefined,
    { stack: [] }
  ],
  [
    'a record, by that alone: what is new in the model was found',
    [there('stack', by(ours)), there('node-pool/own', by(ours))],
    recordWith(['stack']),
    { stack: [], 'node-pool/own': ['Text node-pool/own'] }
  ]
])('what was there before is told by %s', async (_how, parts, record, before) => {
  await (await keeperOf(parts, { found: { record } })).installed()
  const { resources } = await recorded()
  expect(Object.fromEntries(Object.entries(resources).map(([id, one]) => [id, one.before]))).toEqual(before)
})

it.each([[{ time: '2026-11-24T10:00:00.000Z' }], [undefined]])(
  'a record that is written anew where nothing else is keeps its smoke test: %j',
  async (smokeTest) => {
    const record = recordWith(['stack'], smokeTest === undefined ? {} : { smokeTest })
    const keeper = await keeperOf([there('stack')], { found: { record }, alsoTagged: async () => ['sg-9'] })
    await keeper.rewritten()
    const written = await recorded()
    expect([written.smokeTest, written.alsoTagged]).toEqual([smokeTest, ['sg-9']])
  }
)

describe('values that may be secret', () => {
  const secretPath = '/api/v1/namespaces/kube-system/secrets/setup-karpenter'
  const secretly = (password: string) => ({ controller: { env: [{ name: 'FOO', value: password }] } })

  function release(values: Readonly<Record<string, unknown>>): AnyResource {
    return resource<Readonly<Record<string, unknown>>, string>(
      {
        id: 'helm-release',
        layer: 'helm',
        title: 'helm-release',
        dependsOn: [],
        wanted: { name: 'karpenter', values },
        read: async () => ({ state: 'present', value: 'there' }),
        compare: () => [],
        absent: () => [],
        apply: async () => undefined,
        sign: { by: 'record' },
        remove: async () => ({ outcome: 'absent' })
      },
      isMap
    )
  }
  /** As a later run reads it. */
  const readBack = async (password: string): Promise<InstallRecord> =>
    withValues(await recorded(), { release: secretly(password) })
  const kept = (): readonly string[] => Object.keys(mapAt(server.at(secretPath), 'data'))

  it('stand in the Secret by the time of their record, those of the record before as well', async () => {
    const first = await keeperOf([release(secretly('hunter2'))])
    await first.ahead()
    await first.installed()
    expect(kept()).toHaveLength(1)
    await first.proved()
    // A run that is killed between its two writes leaves the record before with its own.
    expect(kept()).toHaveLength(2)
    const { time, valuesIn } = await recorded()
    expect(valuesIn).toBe('secret')
    expect(JSON.stringify(await recorded())).not.toContain('hunter2')
    expect(await readRecordValues(server.kubernetes, time)).toContain('hunter2')
    const record = await readBack('hunter2')
    await (await keeperOf([release(secretly('hunter3'))], { found: { record } })).installed()
    expect(await readRecordValues(server.kubernetes, (await recorded()).time)).toContain('hunter3')
    expect(await readRecordValues(server.kubernetes, time)).toContain('hunter2')
    expect(kept()).toHaveLength(2)
  })

  it('leave with the last record that has any, and nothing is deleted where there were none', async () => {
    await (await keeperOf([release(secretly('hunter2'))])).installed()
    const record = await readBack('hunter2')
    const later = await keeperOf([release({ replicas: 1 })], { found: { record } })
    await later.installed()
    expect([server.at(secretPath), (await recorded()).valuesIn]).toEqual([undefined, undefined])
    await later.proved()
    await (await keeperOf([release({ replicas: 2 })], { found: { record: await recorded() } })).installed()
    expect(server.writes().filter(({ method }) => method === 'DELETE')).toHaveLength(1)
  })
})
