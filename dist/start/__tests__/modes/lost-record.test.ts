import { gzipSync } from 'node:zlib'
import { isMap, type JsonMap, mapAt, picked } from '../../src/engine/json.js'
import { PlayedWorld } from './played-run.js'

const path = '/api/v1/namespaces/kube-system/configmaps/setup-karpenter'
const asidePath = '/api/v1/namespaces/kube-system/secrets/setup-karpenter-unreadable'
const quick = { 'smoke-test': 'false' }

let world: PlayedWorld
beforeEach(async () => {
  world = await PlayedWorld.start()
  await world.main(quick)
})
afterEach(async () => world.stop())

const put = (text: string | Buffer): unknown =>
  world.server.put(path, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    binaryData: { 'record.json.gz': (typeof text === 'string' ? gzipSync(text) : text).toString('base64') }
  })

describe('a record that somebody deleted', () => {
  beforeEach(() => world.server.remove(path))

  it('is said by a check, as what the next install writes', async () => {
    const ended = await world.main({ mode: 'check' })
    expect([ended.failed, ended.outputs['drift'], ended.outputs['pending']]).toEqual([undefined, '0', '1'])
    expect(ended.report).toMatchObject({
      findings: [
        { kind: 'pending', id: 'record', install: 'write it anew, from marks and from what is there' }
      ]
    })
  })

  it('is written anew by an install that changes nothing else, as ours by the marks, else as found', async () => {
    const ended = await world.main(quick)
    expect([ended.failed, ended.outputs['changed']]).toEqual([undefined, 'true'])
    expect(ended.writes.aws).toEqual([])
    expect(ended.writes.cluster.filter((write) => !write.includes('leases'))).toEqual(
      expect.arrayContaining([`PATCH ${path}`])
    )
    const resources = mapAt(world.record(), 'resources')
    // By label, by the tags of the stack, and where nobody can tell.
    expect(mapAt(resources, 'node-pool/default')['before']).toEqual([])
    expect(mapAt(resources, 'queue')['before']).toEqual([])
    expect(mapAt(resources, 'subnet-tags')['before']).toEqual([
      'tag karpenter.sh/discovery on subnet-1',
      'tag karpenter.sh/discovery on subnet-2'
    ])
    const check = await world.main({ mode: 'check' })
    expect([check.failed, check.outputs['pending']]).toEqual([undefined, '0'])
    const again = await world.main(quick)
    expect([again.outputs['changed'], again.writes.cluster]).toEqual(['false', []])
  })
})

it.each([
  ['is no gzip', Buffer.from('not gzip'), 'is not gzip'],
  ['is no JSON', '{"schema":', 'it is no JSON'],
  ['is of a newer release', '{"schema":2,"resources":{}}', 'a newer release of this action (schema 2)'],
  ['is another thing', '[]', 'it is no record of an install']
])('a record that %s is said, kept under another name, and replaced', async (_what, text, reason) => {
  put(text)
  const before = world.server.at(path)?.['binaryData']
  const check = await world.main({ mode: 'check' })
  expect(check.warnings[0]).toContain(reason)
  expect(check.report).toMatchObject({
    findings: [
      {
        kind: 'pending',
        id: 'record',
        reason: expect.stringContaining(reason) as unknown,
        install: expect.stringContaining('keep the other as Secret setup-karpenter-unreadable') as unknown
      }
    ]
  })
  const ended = await world.main(quick)
  expect([ended.failed, ended.outputs['changed']]).toEqual([undefined, 'true'])
  expect(world.server.at(asidePath)).toMatchObject({ type: 'Opaque', data: before })
  expect(world.record()).toMatchObject({ schema: 1 })
  const after = await world.main({ mode: 'check' })
  expect([after.failed, after.warnings, after.outputs['pending']]).toEqual([undefined, [], '0'])
  await world.main({ mode: 'uninstall' })
  expect([world.server.at(path), world.server.at(asidePath)]).toEqual([undefined, undefined])
})

it('a record that may not be read is not written over', async () => {
  const { intercept } = world.server
  world.server.intercept = (call, response) => {
    if (call.method !== 'GET' || call.path !== path) return intercept(call, response)
    response
      .writeHead(403, { 'content-type': 'application/json' })
      .end(JSON.stringify({ kind: 'Status', status: 'Failure', reason: 'Forbidden', message: 'no' }))
    return true
  }
  const ended = await world.main(quick)
  expect([ended.failed, ended.outputs['changed'], ended.writes.cluster]).toEqual([undefined, 'false', []])
})

/** The record with each resource as `change` has it. */
function withResources(change: (entry: JsonMap) => unknown): string {
  const record = world.record() ?? {}
  const resources: JsonMap = {}
  for (const [id, entry] of Object.entries(mapAt(record, 'resources')))
    resources[id] = change(isMap(entry) ? entry : {})
  return JSON.stringify({ ...record, resources })
}

it.each([
  ['is that of the version before', () => JSON.stringify({ ...world.record(), karpenterVersion: '1.2.1' })],
  ['only announces what was about to be made', () => withResources((entry) => picked(entry, ['before']))],
  [
    'has what was wanted before',
    () =>
      withResources((entry) =>
        !('limits' in mapAt(mapAt(entry, 'wanted'), 'spec'))
          ? entry
          : {
              ...entry,
              wanted: {
                ...mapAt(entry, 'wanted'),
                spec: { ...mapAt(mapAt(entry, 'wanted'), 'spec'), limits: { cpu: '7' } }
              }
            }
      )
  ]
])(
  'a record that %s, while all stands as wanted, is written by the next install, and proved anew',
  async (_what, behind) => {
    const before = world.record()
    put(behind())
    const ended = await world.main()
    expect([ended.failed, ended.outputs['changed']]).toEqual([undefined, 'true'])
    expect(ended.writes.aws).toEqual([])
    expect(ended.outputs['nodes-added']).toBe('1')
    expect(mapAt(world.record(), 'resources')).toEqual(mapAt(before, 'resources'))
    expect(world.record()?.['karpenterVersion']).toBe(before?.['karpenterVersion'])
    const check = await world.main({ mode: 'check' })
    expect([check.failed, check.outputs['drift'], check.outputs['pending']]).toEqual([undefined, '0', '0'])
    expect((await world.main()).outputs['changed']).toBe('false')
  }
)
