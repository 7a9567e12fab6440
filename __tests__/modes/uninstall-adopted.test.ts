import { list, text } from '../../sandbox/values.js'
import { isMap, mapAt } from '../../src/engine/json.js'
import { writeRecord } from '../../src/kubernetes/record-store.js'
import { disown } from './killed-run.js'
import { type Ended, PlayedWorld } from './played-run.js'

const flowSchemas = '/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas/'
const names = ['karpenter-leader-election', 'karpenter-workload']

let world: PlayedWorld
/** An installation of somebody else's, with the guide's FlowSchemas and the tags of its subnets, that we took over. */
beforeEach(async () => {
  world = await PlayedWorld.start()
  await world.main({ 'smoke-test': 'false' })
  disown(world)
  await world.main({ adopt: 'true', 'smoke-test': 'false' })
})
afterEach(async () => world.stop())

/** What stands, read past the action: FlowSchemas, tags, roles, the release. */
function standing(): readonly string[] {
  return [
    ...world.server.under(flowSchemas).map(({ metadata }) => `FlowSchema ${text(metadata['name']) ?? ''}`),
    ...Object.entries(world.aws.discoveryTags()).flatMap(([id, value]) =>
      value === undefined ? [] : [`tag karpenter.sh/discovery on ${id}`]
    ),
    ...world.cloud.iam.roles
      .values()
      .map(({ name }) => name)
      .filter((name) => /blue/.test(name)),
    ...world.server
      .under('/apis/karpenter.sh/v1/nodepools/')
      .map(({ metadata }) => text(metadata['name']) ?? '')
  ]
}

/** Titles, names and reasons of what the action says is left or kept. */
function said({ report }: Ended): string {
  const removal = mapAt(report, 'removal')
  return JSON.stringify([removal['kept'], removal['leftovers']])
}

function removedIds({ report }: Ended): readonly unknown[] {
  return list(mapAt(report, 'removal')['removed']).map((one) => (isMap(one) ? one['id'] : undefined))
}

test('FlowSchemas and tags that were taken over go with the rest when that is asked for', async () => {
  const ended = await world.main({ mode: 'uninstall', 'remove-adopted': 'true' })
  expect([ended.failed, ended.outputs['leftovers']]).toEqual([undefined, '[]'])
  expect(standing().filter((name) => /^(FlowSchema|tag) /.test(name))).toEqual([])
  expect(removedIds(ended)).toEqual(expect.arrayContaining(['flow-schemas', 'subnet-tags', 'helm-release']))
})

test('stay otherwise, each named with its reason, and nothing that stands is called gone', async () => {
  const ended = await world.main({ mode: 'uninstall' })
  expect([ended.failed, ended.outputs['leftovers']]).toEqual([undefined, '[]'])
  const stands = standing()
  expect(stands).toEqual(
    expect.arrayContaining([
      ...names.map((name) => `FlowSchema ${name}`),
      'tag karpenter.sh/discovery on subnet-1'
    ])
  )
  expect(stands.filter((name) => !said(ended).includes(name))).toEqual([])
  expect(said(ended)).toContain('it was taken over, and goes only when that is asked for')
})

test('by a record of an older release, which knew FlowSchemas only when they were ours, they stay and are named', async () => {
  const record = world.record() ?? {}
  const resources = mapAt(record, 'resources')
  const wanted = mapAt(resources, 'flow-schemas')['wanted']
  const older = { ...record, resources: { ...resources, 'flow-schemas': { before: [], wanted } } }
  await writeRecord(world.server.kubernetes, JSON.stringify(older), 'local')
  const ended = await world.main({ mode: 'uninstall', 'remove-adopted': 'true' })
  expect([ended.failed, ended.outputs['leftovers']]).toEqual([undefined, '[]'])
  const stands = standing()
  expect(stands).toEqual(expect.arrayContaining(names.map((name) => `FlowSchema ${name}`)))
  expect(stands.filter((name) => !said(ended).includes(name))).toEqual([])
  expect(said(ended)).toContain('it bears no mark of ours')
})

test('keeps its names meanwhile: an install that asks for others is refused before its first write', async () => {
  const ended = await world.main({ namespace: 'elsewhere', 'smoke-test': 'false' })
  expect(ended.failed).toContain('namespace: "elsewhere" is asked for')
  expect(ended.writes).toEqual({ aws: [], cluster: [] })
})
