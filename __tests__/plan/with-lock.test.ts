import { textField } from '../../src/kubernetes/manifest.js'
import { withLock } from '../../src/plan/record-keeper.js'
import { ApiServer } from '../kubernetes/api-server.js'
import { ManualPace } from '../kubernetes/pace.js'
import { type LocalRun, localRun } from '../local-run.js'

let server: ApiServer
let local: LocalRun
beforeEach(async () => {
  server = await ApiServer.start()
  local = localRun()
})
afterEach(async () => {
  await local.run.session.close()
  local.end()
  await server.stop()
})

const path = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/setup-karpenter'
const left = (): unknown => {
  const text = local.state('cleanup')
  return text === '' ? undefined : (JSON.parse(text) as unknown)
}

test('a write after the lock was lost is refused and ends the run; before and after the work none is asked about', async () => {
  const pace = new ManualPace()
  const { ports, session } = local.run
  const lockPace = {
    monotonic: () => pace.monotonic(),
    pause: async (milliseconds: number, signal: AbortSignal) => pace.pause(milliseconds, signal)
  }
  await session.writes.pass()
  await withLock({ ...local.run, ports: { ...ports, lockPace } }, server.kubernetes, async () => {
    await session.writes.pass()
    // The process was stopped for a while, and another run has taken the Lease away meanwhile.
    server.remove(path)
    pace.wakeAfter(40_000)
    await expect(session.writes.pass()).rejects.toThrow('another run took the lock over')
  })
  expect(local.run.signal.reason).toMatchObject({
    message: expect.stringContaining('took the lock over') as unknown
  })
})

test("what went wrong is the run's error, also when the lock cannot be given back; post is left to do it", async () => {
  await expect(
    withLock(local.run, server.kubernetes, async () => {
      server.trouble = () => ({ answer: 503 })
      throw new Error('the work failed')
    })
  ).rejects.toThrow('the work failed')
  expect(left()).toMatchObject({ lockHolder: expect.any(String) as unknown })
})

test.each<[string, Readonly<Record<string, string>>, RegExp]>([
  ['job and step', { GITHUB_JOB: 'deploy', GITHUB_ACTION: 'blue' }, /^https:.*\/runs\/7#deploy-blue-\d+$/],
  ['its process alone, where the runner names none', {}, /^https:.*\/runs\/7#job-step-\d+$/]
])('the holder is named by %s', async (_by, env, holder) => {
  const { ports } = local.run
  let held: unknown
  await withLock(
    { ...local.run, ports: { ...ports, env: { ...ports.env, ...env } } },
    server.kubernetes,
    async () => {
      held = textField(server.at(path), 'spec', 'holderIdentity')
    }
  )
  expect(held).toMatch(holder)
})

test.each([
  ['is free', '', false],
  ['is held by another run until that gives it back', 'https://github.com/org/repo/actions/runs/6#a', true]
])('where the lock %s the work is told whether it waited', async (_what, holderIdentity, wanted) => {
  const lease = (holder: string): unknown =>
    server.put(path, {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { namespace: 'kube-system' },
      spec: { holderIdentity: holder }
    })
  lease(holderIdentity)
  const given = wanted ? setTimeout(() => lease(''), 500) : undefined
  let waited: boolean | undefined
  await withLock(local.run, server.kubernetes, async (held) => {
    waited = held.waited
  })
  clearTimeout(given)
  expect(waited).toBe(wanted)
})
