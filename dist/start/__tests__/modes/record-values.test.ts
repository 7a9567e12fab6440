import { gunzipSync, gzipSync } from 'node:zlib'
import { isMap, mapAt } from '../../src/engine/json.js'
import { type Ended, PlayedWorld } from './played-run.js'

const record = '/api/v1/namespaces/kube-system/configmaps/setup-karpenter'
const values = '/api/v1/namespaces/kube-system/secrets/setup-karpenter'
const marked = 'hunter2-marked'
const given = {
  'smoke-test': 'false',
  'helm-values': JSON.stringify({ controller: { env: [{ name: 'API_TOKEN', value: marked }] } })
}
const other = { ...given, 'helm-values': given['helm-values'].replace(marked, 'another-marked') }

let world: PlayedWorld
beforeEach(async () => {
  world = await PlayedWorld.start()
})
afterEach(async () => world.stop())

/** Everything that a run shows or hands on. */
function shownBy({ failed, outputs, summary, warnings, errors, log, report, state }: Ended): string {
  return JSON.stringify([failed, outputs, summary, warnings, errors, log, report, state])
}

/** Of a stored object all text, unpacked. */
function textOf(path: string): string {
  const object = world.server.at(path)
  const packed = [mapAt(object, 'binaryData'), mapAt(object, 'data')].flatMap((map) => Object.values(map))
  return packed.map((one) => gunzipSync(Buffer.from(String(one), 'base64')).toString('utf8')).join('\n')
}

/** As releases before wrote it: all in the ConfigMap. */
function putInClear(): void {
  const [, text = ''] = /("release":\{.*)\}$/.exec(textOf(values)) ?? []
  const kept: unknown = JSON.parse(`{${text}}`)
  const now = world.record() ?? {}
  const resources = mapAt(now, 'resources')
  const release = mapAt(resources, 'helm-release')
  const wanted = { ...mapAt(release, 'wanted'), values: isMap(kept) ? kept['release'] : undefined }
  const clear = {
    ...now,
    valuesIn: undefined,
    resources: { ...resources, 'helm-release': { ...release, wanted } }
  }
  world.server.remove(values)
  world.server.put(record, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    binaryData: { 'record.json.gz': gzipSync(JSON.stringify(clear)).toString('base64') }
  })
}

it('a marked value stands in Secrets and in nothing that an install, a check or an uninstall shows', async () => {
  const runs = [
    await world.main(given),
    await world.main({ ...given, mode: 'check' }),
    await world.main({ ...other, mode: 'check' }),
    await world.main(other),
    await world.main({ ...other, mode: 'check' })
  ]
  expect(runs.map(({ failed }) => failed)).toEqual([undefined, undefined, undefined, undefined, undefined])
  expect(runs.map(shownBy).join('\n')).not.toContain('-marked')
  expect(runs.map(({ outputs }) => [outputs['drift'], outputs['pending']]).slice(1)).toEqual([
    ['0', '0'],
    ['0', '1'],
    [undefined, undefined],
    ['0', '0']
  ])
  expect([textOf(record).includes('-marked'), textOf(values).includes('another-marked')]).toEqual([
    false,
    true
  ])
  const gone = await world.main({ ...other, mode: 'uninstall' })
  expect([gone.failed, shownBy(gone).includes('-marked')]).toEqual([undefined, false])
  expect([world.server.at(record), world.server.at(values)]).toEqual([undefined, undefined])
})

it('an install without such values makes no Secret, and one that no longer has them removes it', async () => {
  await world.main({ 'smoke-test': 'false' })
  expect(world.server.at(values)).toBeUndefined()
  await world.main(given)
  expect(world.server.at(values)).toBeDefined()
  await world.main({ 'smoke-test': 'false' })
  expect(world.server.at(values)).toBeUndefined()
})

describe('a record that has them in clear', () => {
  beforeEach(async () => {
    await world.main({ ...given, 'smoke-test': 'true' })
    putInClear()
    expect(textOf(record)).toContain(marked)
  })

  it('is read by a check as before, which says so in a line', async () => {
    const ended = await world.main({ ...given, mode: 'check' })
    expect([ended.failed, ended.outputs['drift'], ended.outputs['pending']]).toEqual([undefined, '0', '0'])
    expect(ended.log.join('\n')).toContain('has helm-values that may be secret in clear')
    expect([ended.writes.cluster, shownBy(ended).includes(marked)]).toEqual([[], false])
  })

  it('is rewritten by the next install, with its smoke test, and by no later one', async () => {
    const ended = await world.main({ ...given, 'smoke-test': 'true' })
    expect([ended.failed, ended.outputs['changed']]).toEqual([undefined, 'true'])
    expect(ended.writes.cluster.filter((write) => !write.includes('leases'))).toEqual([
      `PATCH ${values}`,
      `PATCH ${record}`
    ])
    expect([textOf(record).includes(marked), textOf(values).includes(marked)]).toEqual([false, true])
    expect(world.record()).toHaveProperty('smokeTest')
    const again = await world.main({ ...given, 'smoke-test': 'true' })
    expect([again.failed, again.outputs['changed'], again.writes.cluster]).toEqual([undefined, 'false', []])
  })
})

it('a Secret that is gone is said by a check, harms no comparison, and is written anew', async () => {
  await world.main(given)
  world.server.remove(values)
  const check = await world.main({ ...given, mode: 'check' })
  expect([check.failed, check.outputs['drift'], check.outputs['pending']]).toEqual([undefined, '0', '0'])
  expect(check.log.join('\n')).toContain(
    "the record's helm-values are gone from Secret kube-system/setup-karpenter"
  )
  const ended = await world.main(given)
  expect([ended.failed, ended.outputs['changed'], textOf(values).includes(marked)]).toEqual([
    undefined,
    'true',
    true
  ])
})

it('a Secret that may not be read is unknown, with the permission', async () => {
  await world.main(given)
  const { intercept } = world.server
  world.server.intercept = (call, response) => {
    if (call.path !== values) return intercept(call, response)
    response
      .writeHead(403, { 'content-type': 'application/json' })
      .end(JSON.stringify({ kind: 'Status', status: 'Failure', reason: 'Forbidden', message: 'no' }))
    return true
  }
  const check = await world.main({ ...given, mode: 'check', 'fail-on': 'drift' })
  expect([check.failed, check.outputs['drift'], check.outputs['unknown']]).toEqual([undefined, '0', '1'])
  expect(check.report).toMatchObject({
    findings: [{ kind: 'unknown', missingPermission: 'get secrets in namespace kube-system' }]
  })
})

it('a run that is killed between the two writes leaves each record with its own values', async () => {
  await world.main(given)
  const { intercept } = world.server
  world.server.intercept = (call, response) => {
    if (call.method !== 'PATCH' || call.path !== record) return intercept(call, response)
    response
      .writeHead(403, { 'content-type': 'application/json' })
      .end(JSON.stringify({ kind: 'Status', status: 'Failure', reason: 'Forbidden', message: 'no' }))
    return true
  }
  const killed = await world.main(other)
  expect(killed.failed).toBeDefined()
  world.server.intercept = intercept
  // The release has the new value already: by the record that stands it was another that was installed.
  const check = await world.main({ ...other, mode: 'check', 'fail-on': 'unknown' })
  expect([check.outputs['drift'], shownBy(check).includes('-marked')]).toEqual(['1', false])
  const ended = await world.main(other)
  expect([ended.failed, textOf(values).includes('another-marked')]).toEqual([undefined, true])
})
