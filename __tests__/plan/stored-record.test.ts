import type { InstallRecord } from '../../src/engine/record.js'
import type { Step } from '../../src/engine/resource.js'
import { writeRecord, writeRecordValues } from '../../src/kubernetes/record-store.js'
import { installRecord, type Stored } from '../../src/plan/stored-record.js'
import type { Denied } from '../../src/resources/denied.js'
import { releasePath, releaseSecret } from '../helm/release-secret.js'
import { ApiServer, status } from '../kubernetes/api-server.js'

const configMap = '/api/v1/namespaces/kube-system/configmaps/setup-karpenter'
const secret = '/api/v1/namespaces/kube-system/secrets/setup-karpenter'
const values = { controller: { env: [{ name: 'FOO', value: 'hunter2' }] } }
const live = { logLevel: 'debug' }
const time = '2026-11-30T00:00:00.000Z'

let server: ApiServer
beforeEach(async () => {
  server = await ApiServer.start()
})
afterEach(async () => server.stop())

function recordOf(
  wanted: Readonly<Record<string, unknown>>,
  more: Partial<InstallRecord> = {}
): InstallRecord {
  return {
    schema: 1,
    karpenterVersion: '1.14.1',
    run: 'local',
    time,
    resources: { 'helm-release': { before: [], wanted } },
    ...more
  }
}
const apart = recordOf({ name: 'karpenter', namespace: 'karpenter' }, { valuesIn: 'secret' })

async function write(record: InstallRecord | string): Promise<void> {
  await writeRecord(server.kubernetes, typeof record === 'string' ? record : JSON.stringify(record), 'local')
}

/** What is read, and what the log and the report are told of it. */
async function stored(): Promise<
  Stored & { readonly warnings: readonly string[]; readonly denied: Denied[] }
> {
  const warnings: string[] = []
  const denied: Denied[] = []
  const step: Step = {
    changed: () => undefined,
    note: () => undefined,
    warning: (line) => void warnings.push(line),
    waiting: () => undefined,
    signal: new AbortController().signal,
    now: () => 0,
    pause: async () => undefined
  }
  return { ...(await installRecord(server.kubernetes, step, denied)), warnings, denied }
}

function refuse(path: string, code: number, reason: string): void {
  server.intercept = (call, response) => {
    if (call.path !== path) return
    status(response, code, reason, 'no')
    return true
  }
}

test('without a record there is none, and nothing is said', async () => {
  expect(await stored()).toStrictEqual({ record: undefined, warnings: [], denied: [] })
})

test('a record that is none is said, and the run goes on without it', async () => {
  await write('{"schema":1}')
  const { broken, ...rest } = await stored()
  expect(broken).toMatch(/\S/)
  const warnings = [`record kube-system/setup-karpenter: ${broken}; going on without it`]
  expect(rest).toStrictEqual({ record: undefined, warnings, denied: [] })
  server.put(configMap, { apiVersion: 'v1', kind: 'ConfigMap', data: {} })
  expect((await stored()).broken).toBe('ConfigMap has no record.json.gz')
})

test('one that may not be read is not known, which is no word about the record', async () => {
  refuse(configMap, 403, 'Forbidden')
  const { denied, warnings, ...rest } = await stored()
  expect(rest).toStrictEqual({ record: undefined })
  expect(denied).toMatchObject([
    { what: 'record', layer: 'kubernetes', missingPermission: 'get configmaps in namespace kube-system' }
  ])
  expect(warnings).toEqual([
    expect.stringMatching(/^record kube-system\/setup-karpenter: .*no; going on without it$/)
  ])
})

describe('values of the release', () => {
  it('that stand in the record and may be secret are said to be in clear', async () => {
    await write(recordOf({ name: 'karpenter', values }))
    expect(await stored()).toMatchObject({
      values: 'in clear',
      record: recordOf({ name: 'karpenter', values })
    })
    await write(recordOf({ name: 'karpenter', values: live }))
    expect(await stored()).not.toHaveProperty('values')
  })

  it('come from the Secret, where they are kept apart', async () => {
    await write(apart)
    await writeRecordValues(server.kubernetes, [{ time, text: JSON.stringify({ release: values }) }], 'local')
    expect(await stored()).toEqual({
      record: recordOf({ name: 'karpenter', namespace: 'karpenter', values }, { valuesIn: 'secret' }),
      warnings: [],
      denied: []
    })
  })

  it('are those that the release has now where the Secret is gone, which is said', async () => {
    server.put(releasePath(1), releaseSecret(1, 'deployed', '1.14.1', live))
    await write(apart)
    const { record, warnings, ...rest } = await stored()
    expect(record?.resources['helm-release']?.wanted).toMatchObject({ values: live })
    expect(warnings).toEqual([expect.stringContaining('its helm-values are gone from Secret kube-system/')])
    expect(rest).toEqual({ values: 'lost', denied: [] })
  })

  it('are so too where the Secret may not be read, of which nothing is lost', async () => {
    server.put(releasePath(1), releaseSecret(1, 'deployed', '1.14.1', live))
    await write(apart)
    refuse(secret, 403, 'Forbidden')
    const { record, denied, ...rest } = await stored()
    expect(record?.resources['helm-release']?.wanted).toMatchObject({ values: live })
    expect(denied).toMatchObject([
      {
        what: 'values of the record',
        layer: 'kubernetes',
        missingPermission: 'get secrets in namespace kube-system'
      }
    ])
    expect(rest).toEqual({ warnings: [] })
  })

  it('of an installation that was taken over are found in its namespace', async () => {
    server.put(releasePath(1), releaseSecret(1, 'deployed', '1.14.1', live))
    await write(recordOf({ name: 'karpenter' }, { valuesIn: 'secret', adoption: { namespace: 'karpenter' } }))
    const { record } = await stored()
    expect(record?.adoption).toEqual({ namespace: 'karpenter', helmValues: live })
  })

  it('are not looked for where no namespace is known', async () => {
    const record = recordOf({ name: 'karpenter' }, { valuesIn: 'secret' })
    await write(record)
    expect((await stored()).record).toEqual(record)
  })

  it('that cannot be read for another reason end the run', async () => {
    await write(apart)
    refuse(secret, 400, 'BadRequest')
    await expect(stored()).rejects.toThrow('no')
  })
})
