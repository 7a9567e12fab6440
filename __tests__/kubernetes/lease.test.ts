import { acquireLock, releaseLock, type LockOptions } from '../../src/kubernetes/lease.js'
import { textField } from '../../src/kubernetes/manifest.js'
import { containing } from './containing.js'
import { ApiServer, status } from './api-server.js'

let server: ApiServer
beforeEach(async () => {
  server = await ApiServer.start()
})
afterEach(async () => server.stop())

const path = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/setup-karpenter'

function options(
  holder: string,
  more: Partial<LockOptions> = {}
): LockOptions & { waits: string[]; notes: string[] } {
  const waits: string[] = []
  const notes: string[] = []
  return {
    holder,
    run: `https://github.com/org/repo/actions/runs/${holder}`,
    now: Date.now,
    signal: new AbortController().signal,
    waiting: (what) => {
      if (what !== undefined) waits.push(what)
    },
    note: (line) => {
      notes.push(line)
    },
    ...more,
    waits,
    notes
  }
}

const holder = (): string | undefined => textField(server.at(path), 'spec', 'holderIdentity')

test('a free lock is taken and given back', async () => {
  const lock = await acquireLock(server.kubernetes, options('1'))
  expect(holder()).toBe('1')
  await lock.release()
  expect(holder()).toBe('')
})

test('a held lock is waited for, and the wait says which run has it', async () => {
  const first = await acquireLock(server.kubernetes, options('1'))
  const second = options('2')
  const waiting = acquireLock(server.kubernetes, second)
  while (second.waits.length === 0) await new Promise((resolve) => setImmediate(resolve))
  expect(second.waits[0]).toContain('https://github.com/org/repo/actions/runs/1')
  while (server.watching === 0) await new Promise((resolve) => setImmediate(resolve))
  await first.release()
  const lock = await waiting
  expect(holder()).toBe('2')
  await lock.release()
})

test('a lock that is no longer renewed is taken over, and that is said', async () => {
  await acquireLock(server.kubernetes, options('1', { now: () => Date.now() - 10 * 60_000 }))
  const second = options('2')
  const lock = await acquireLock(server.kubernetes, second)
  expect(holder()).toBe('2')
  expect(second.notes).toEqual([containing('runs/1 stopped renewing it; taken over')])
  await lock.release()
})

test('of two runs that reach for the lock at once one waits', async () => {
  await acquireLock(server.kubernetes, options('old', { now: () => Date.now() - 10 * 60_000 }))
  let stolen = false
  server.intercept = (call) => {
    if (call.method !== 'PATCH' || stolen) return false
    stolen = true
    // Another run is faster, between this one's look and its write.
    const live = server.at(path)
    server.put(path, {
      ...live,
      spec: { holderIdentity: 'fast', leaseDurationSeconds: 60, renewTime: new Date().toISOString() }
    })
    return false
  }
  const second = options('2')
  const waiting = acquireLock(server.kubernetes, second)
  while (second.waits.length === 0) await new Promise((resolve) => setImmediate(resolve))
  expect(holder()).toBe('fast')
  await releaseLock(server.kubernetes, 'fast')
  const lock = await waiting
  expect(holder()).toBe('2')
  await lock.release()
})

test("another run's lock is left alone", async () => {
  const lock = await acquireLock(server.kubernetes, options('1'))
  expect(await releaseLock(server.kubernetes, '2')).toBe('not held')
  expect(holder()).toBe('1')
  await lock.release()
  expect(await releaseLock(server.kubernetes, '1')).toBe('not held')
})

test('a caller that may not have the lock is told so', async () => {
  server.intercept = (call, response) => {
    if (call.method !== 'POST') return false
    status(response, 403, 'Forbidden', 'no')
    return true
  }
  await expect(acquireLock(server.kubernetes, options('1'))).rejects.toMatchObject({
    permission: 'create leases.coordination.k8s.io in namespace kube-system'
  })
})

test('a lock that is removed leaves no Lease, and who waits for it makes a new one', async () => {
  const first = await acquireLock(server.kubernetes, options('1'))
  const second = options('2')
  const waiting = acquireLock(server.kubernetes, second)
  while (second.waits.length === 0) await new Promise((resolve) => setImmediate(resolve))
  await first.remove()
  const lock = await waiting
  expect(holder()).toBe('2')
  await lock.remove()
  expect(server.at(path)).toBeUndefined()
})

test("a lock that was taken over is not removed under the other run's hands", async () => {
  const first = await acquireLock(server.kubernetes, options('1', { now: () => Date.now() - 10 * 60_000 }))
  const second = await acquireLock(server.kubernetes, options('2'))
  await first.remove()
  expect(holder()).toBe('2')
  await second.release()
})
