import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type ActionResult, newest, startSandbox, type Sandbox } from '../sandbox/index.js'
import { record } from '../sandbox/values.js'
import { secondRunner } from './local-action/install.js'
import { runSecond, type SecondResult } from './local-action/run.js'
import { find, paths, smokeTestObjects, succeeded, until } from './scenario.js'

const inputs = { 'karpenter-version': newest, 'smoke-test': 'false' }

/** The sandbox plays GitHub's runner; this one is GitHub's. It takes no bundle, and so runs src/. */
describe("GitHub's own runner for developers", () => {
  let sandbox: Sandbox
  let program: string

  beforeAll(async () => {
    ;[sandbox, program] = await Promise.all([
      startSandbox({ name: 'judged', region: 'eu-west-1', kubernetesVersion: '1.35', runner: 'kept' }),
      secondRunner(process.env)
    ])
  })
  afterAll(async () => sandbox.stop())

  const second = async (
    given: Readonly<Record<string, string>>,
    stopAt?: Promise<unknown>
  ): Promise<SecondResult> => {
    const result = await runSecond(program, sandbox, given, stopAt)
    for (const [name, secret] of Object.entries(sandbox.cloud.secrets()))
      expect([name, result.log.includes(secret)]).toEqual([name, false])
    return result
  }

  test('installs, and an install by the played runner finds nothing to do and has the same outputs', async () => {
    const judged = await second(inputs)
    expect(judged.log).not.toMatch(/^::(error|warning)::/m)
    expect(judged.outputs['changed']).toBe('true')
    expect(judged.cleanup).toBe('')
    expect(judged.summary).toContain('**Installed**: ')
    expect(judged.report).toMatchObject({ result: 'succeeded', mode: 'install' })
    const played = succeeded(await sandbox.run(inputs))
    expect(judged.outputs).toEqual({ ...played.outputs, changed: 'true', report: judged.outputs['report'] })
    expect(played.outputs['changed']).toBe('false')
  })

  test('checks with every output that the played runner sees, and a report of the same shape', async () => {
    const judged = await second({ ...inputs, mode: 'check' })
    const played = succeeded(await sandbox.run({ ...inputs, mode: 'check' }))
    const { report: path, ...outputs } = played.outputs
    expect(judged.outputs).toEqual({ ...outputs, report: judged.outputs['report'] })
    const report = record(JSON.parse(played.files[path ?? ''] ?? ''))
    expect(Object.keys(judged.report)).toEqual(Object.keys(report))
    expect(judged.report['findings']).toEqual(report['findings'])
  })

  test('says of an input that is wrong what the played runner shows, in log and summary', async () => {
    const wrong = { ...inputs, subnets: 'all of them' }
    const judged = await second(wrong)
    const played = await sandbox.run(wrong)
    const [error, ...more] = played.annotations
    expect(more).toEqual([])
    expect(judged.log).toContain(`::error::${error?.message ?? 'no error'}`)
    expect([judged.summary, judged.outputs]).toEqual([played.summary, played.outputs])
  })

  test('stopped in its smoke test it leaves the same state, by which post takes the rest away', async () => {
    const given = { mode: 'smoke-test', 'smoke-test-replicas': '1' }
    const claimed = async (): Promise<unknown> =>
      until('a NodeClaim of the smoke test', async () =>
        (await smokeTestObjects(sandbox)).find((object) => object.startsWith('NodeClaim '))
      )
    const gone = async (): Promise<void> => {
      expect((await smokeTestObjects(sandbox)).filter((one) => !one.startsWith('NodeClaim '))).toEqual([])
      expect(record(record(await find(sandbox, paths.lock))['spec'])['holderIdentity'] ?? '').toBe('')
      await until('the end of the smoke test', async () =>
        (await smokeTestObjects(sandbox)).length === 0 ? true : undefined
      )
    }
    const judged = await second(given, claimed())
    await gone()
    const played: ActionResult = await sandbox.run(given, { cancelAt: claimed() })
    await gone()
    expect(played.conclusion).toBe('cancelled')
    expect(judged.report).toMatchObject({ result: 'cancelled' })
    const left = (state: string | undefined): unknown => {
      const { smokeTestRun, lockHolder, ...rest } = record(JSON.parse(state ?? ''))
      return { ...rest, ofRun: [typeof smokeTestRun, typeof lockHolder] }
    }
    expect(left(judged.cleanup)).toEqual(left(played.state['cleanup']))
    const did = (log: string | undefined): readonly string[] =>
      [...(log ?? '').matchAll(/(removed \w+|released the lock)/g)].map(([line]) => line)
    expect(did(judged.post)).toEqual(did(played.post?.log))
    expect(did(judged.post)).toContain('released the lock')
  })
})
