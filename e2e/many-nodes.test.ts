import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { crowd } from '../bench/crowd.js'
import { newest, startSandbox, type ActionResult, type Sandbox } from '../sandbox/index.js'
import { record } from '../sandbox/values.js'
import { get, reportOf, succeeded } from './scenario.js'

const count = 5_000
const recordPath = '/api/v1/namespaces/kube-system/configmaps/setup-karpenter'
const inputs = { 'karpenter-version': newest, 'smoke-test': 'false' }

describe(`a cluster with ${count} nodes and NodeClaims`, () => {
  let sandbox: Sandbox
  let small: Record<'check' | 'install', ActionResult>
  let large: Record<'check' | 'install', ActionResult>
  let withoutRecord: ActionResult

  beforeAll(async () => {
    // A download of helm would hide some 20 MB.
    sandbox = await startSandbox({
      name: 'many',
      kubernetesVersion: '1.35',
      authenticationMode: 'API',
      runner: 'kept'
    })
    succeeded(await sandbox.run(inputs))
    small = await both()
    await crowd(sandbox, count)
    large = await both()
    await get(sandbox, recordPath)
    await sandbox.kubernetes('DELETE', recordPath)
    withoutRecord = succeeded(await sandbox.run({ ...inputs, mode: 'check' }))
  })
  afterAll(async () => sandbox.stop())

  const both = async (): Promise<typeof small> => ({
    check: succeeded(await sandbox.run({ ...inputs, mode: 'check' })),
    install: succeeded(await sandbox.run(inputs))
  })
  const requestsOf = (result: ActionResult): number => Number(record(reportOf(result)['requests'])['total'])

  test('check finds all as it was, in at most 150 MB, with a record and without', () => {
    const lost = { drift: '0', unhealthy: '0', pending: '1', unknown: '0' }
    expect(withoutRecord.outputs).toMatchObject(lost)
    expect(large.check.outputs).toMatchObject({ ...lost, pending: '0' })
    for (const { maxRssBytes } of [large.check, withoutRecord]) {
      expect(maxRssBytes).toBeLessThanOrEqual(150_000_000)
    }
  })

  test('install finds all as it was, and of the nodes keeps what it looks at', () => {
    expect(large.install.outputs).toMatchObject({ changed: 'false' })
    expect(large.install.maxRssBytes).toBeLessThanOrEqual(190_000_000)
  })

  test('check asks for the pages of the NodeClaims more than in a small cluster, install for those of the nodes', () => {
    expect(requestsOf(small.check)).toBeLessThanOrEqual(63)
    expect(requestsOf(large.check) - requestsOf(small.check)).toBe(Math.ceil(count / 2_500) - 1)
    expect(requestsOf(large.install) - requestsOf(small.install)).toBe(Math.ceil((count + 2) / 1_000) - 1)
    expect(large.install.outputs['nodes-before']).toBe(String(count + 2))
  })
})
