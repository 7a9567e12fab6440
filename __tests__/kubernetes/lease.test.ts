import type { Kubernetes } from '../../src/kubernetes/client.js'
import { configMaps } from '../../src/kubernetes/kinds.js'
import { acquireLock, type Lock, lockSeconds, releaseLock } from '../../src/kubernetes/lease.js'
import { textField } from '../../src/kubernetes/manifest.js'
import { ApiServer, json, status } from './api-server.js'
import { containing } from './containing.js'
import { ManualPace, until } from './pace.js'

let server: ApiServer
let runs: TestRun[]
beforeEach(async () => {
  server = await ApiServer.start()
  runs = []
})
afterEach(async () => {
  for (const run of runs) run.end()
  await server.stop()
})

const path = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/setup-karpenter'
const holder = (): string | undefined => textField(server.at(path), 'spec', 'holderIdentity')
const renewed = (): string | undefined => textField(server.at(path), 'spec', 'renewTime')

/** A run with clocks of its own: what time it takes it to be, and how long it has run. */
class TestRun {
  readonly pace: ManualPace
  readonly waits: string[] = []
  readonly notes: string[] = []
  readonly warnings: string[] = []
  readonly kubernetes: Kubernetes
  #lock: Lock | undefined
  readonly #ends = new AbortController()
  readonly #id: string
  readonly #skew: number

  constructor(id: string, skew = 0) {
    this.#id = id
    this.#skew = skew
    // No two processes have started at the same moment.
    this.pace = new ManualPace(Number(id) * 1_000_000)
    this.kubernetes = server.client({
      pace: this.pace,
      signal: this.#ends.signal,
      beforeWrite: async () => this.#lock?.held()
    })
    runs.push(this)
  }

  async lock(): Promise<Lock> {
    const lock = await acquireLock(this.kubernetes, {
      holder: this.#id,
      run: `https://github.com/org/repo/actions/runs/${this.#id}`,
      now: () => Date.UTC(2026, 0, 1) + this.#skew + this.pace.monotonic(),
      pace: this.pace,
      signal: this.#ends.signal,
      waiting: (what) => {
        if (what !== undefined) this.waits.push(what)
      },
      note: (line) => void this.notes.push(line),
      warning: (line) => void this.warnings.push(line)
    })
    this.#lock = lock
    return lock
  }

  async waiting(): Promise<void> {
    await until(() => this.waits.length > 0 && server.watching > 0)
  }

  /** A write of the run's work. */
  async write(value: string): Promise<void> {
    await this.kubernetes.apply(configMaps, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'work', namespace: 'kube-system' },
      data: { value }
    })
  }

  end(): void {
    this.#ends.abort()
    this.kubernetes.close()
  }
}

const written = (): unknown => server.at('/api/v1/namespaces/kube-system/configmaps/work')?.['data']

/** Lets whoever waits see no change for as long as it takes, and then look once more. */
async function letExpire(waiter: TestRun): Promise<void> {
  waiter.pace.advance(lockSeconds * 1000)
  const looks = (): number =>
    server.calls.filter((call) => call.method === 'GET' && call.path === path).length
  const before = looks()
  await until(() => looks() > before)
  // The last look comes five seconds after the first: time goes on until it is there.
  await until(() => {
    waiter.pace.advance(1_000)
    return looks() > before + 1
  })
}

test('a free lock is taken and given back', async () => {
  const lock = await new TestRun('1').lock()
  expect(holder()).toBe('1')
  await lock.release()
  expect(holder()).toBe('')
})

test('a held lock is waited for, and the wait says which run has it and compares no clocks', async () => {
  const first = await new TestRun('1').lock()
  const second = new TestRun('2')
  const waiting = second.lock()
  await second.waiting()
  expect(second.waits[0]).toBe(
    'the lock, held by https://github.com/org/repo/actions/runs/1 (taken over if that run does not renew it for 50 s more)'
  )
  await first.release()
  const lock = await waiting
  expect(holder()).toBe('2')
  await lock.release()
})

describe.each([
  ['90 s ahead of', 90_000],
  ['90 s behind', -90_000],
  ['ten minutes ahead of', 600_000],
  ['ten minutes behind', -600_000]
])("a holder whose clock is %s the others'", (_skew, milliseconds) => {
  test('keeps the lock for as long as it renews it, with two runs waiting for it', async () => {
    const first = new TestRun('1', milliseconds)
    const lock = await first.lock()
    const others = [new TestRun('2'), new TestRun('3')]
    const waiting = others.map(async (run) => run.lock())
    for (const run of others) await run.waiting()
    for (let minute = 0; minute < 12; minute += 0.25) {
      const before = renewed()
      await until(() => first.pace.next === 15_000)
      for (const run of runs) run.pace.advance(15_000)
      await until(() => renewed() !== before)
      expect(holder()).toBe('1')
    }
    await first.write('mine')
    await lock.release()
    await Promise.all(
      waiting.map(async (one, index) => {
        const next = await one
        expect(holder()).toBe(['2', '3'][index])
        await next.release()
      })
    )
    expect(others.flatMap(({ notes }) => notes)).toEqual([])
  })

  test('loses it when it is gone, after less than a minute, and that is said', async () => {
    await new TestRun('1', milliseconds).lock()
    const second = new TestRun('2')
    const waiting = second.lock()
    await second.waiting()
    const startedAt = second.pace.monotonic()
    await letExpire(second)
    const lock = await waiting
    expect(holder()).toBe('2')
    expect(second.pace.monotonic() - startedAt).toBeLessThanOrEqual(60_000)
    expect(second.notes).toEqual([containing('runs/1 stopped renewing it; taken over')])
    await lock.release()
  })
})

test('a holder that was stopped and wakes up writes nothing more, and says who has the lock', async () => {
  const first = new TestRun('1')
  const lost = await first.lock()
  await first.write('first')
  const second = new TestRun('2')
  const waiting = second.lock()
  await second.waiting()
  await letExpire(second)
  const lock = await waiting
  await second.write('second')
  first.pace.wakeAfter(70_000)
  await expect(first.write('first again')).rejects.toThrow('another run took the lock over')
  expect(written()).toEqual({ value: 'second' })
  expect(lost.lost.aborted).toBe(true)
  await lock.release()
})

test('a holder that was stopped for less than it takes goes on, once it has renewed the lock', async () => {
  const first = new TestRun('1')
  const lock = await first.lock()
  const before = renewed()
  first.pace.wakeAfter(45_000)
  await first.write('first')
  expect(renewed()).not.toBe(before)
  expect(written()).toEqual({ value: 'first' })
  await lock.release()
})

test('a renewal that fails stops the writes at once; they go on when it succeeds', async () => {
  const first = new TestRun('1')
  const lock = await first.lock()
  let away = true
  server.trouble = (call) => (away && call.path === path ? { answer: 503 } : undefined)
  first.pace.advance(15_000)
  // The renewal has failed when the next one is due in two seconds.
  await until(() => first.pace.next === 2_000)
  const writing = first.write('first')
  await until(() => first.warnings.length > 0)
  expect(first.warnings).toEqual([
    containing('Lease kube-system/setup-karpenter: writes wait until it is renewed')
  ])
  expect(written()).toBeUndefined()
  away = false
  first.pace.advance(2_000)
  await writing
  expect(written()).toEqual({ value: 'first' })
  await lock.release()
})

test('a holder whose Lease is gone ends', async () => {
  const run = new TestRun('1')
  const lock = await run.lock()
  server.remove(path)
  run.pace.advance(15_000)
  await until(() => lock.lost.aborted)
  expect(lock.lost.reason).toMatchObject({ message: containing('another run took the lock over') })
})

test('a lock that cannot be renewed for two minutes ends the run', async () => {
  const first = new TestRun('1')
  const lock = await first.lock()
  server.trouble = (call) => (call.path === path ? { answer: 'reset' } : undefined)
  await until(() => {
    first.pace.advance(2_000)
    return lock.lost.aborted
  })
  expect(lock.lost.reason).toMatchObject({
    message: containing('the lock could not be renewed for 120 s, so another run may have it by now')
  })
  await expect(first.write('first')).rejects.toBe(lock.lost.reason)
})

test('of two runs that reach for the lock at once one waits', async () => {
  server.put(path, { spec: { holderIdentity: '' }, apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' })
  let stolen = false
  server.intercept = (call) => {
    if (call.method !== 'PATCH' || stolen) return false
    stolen = true
    // Another run is faster, between this one's look and its write.
    server.put(path, { ...server.at(path), spec: { holderIdentity: 'fast', renewTime: 'now' } })
    return false
  }
  const second = new TestRun('2')
  const waiting = second.lock()
  await second.waiting()
  expect(holder()).toBe('fast')
  await releaseLock(server.kubernetes, 'fast')
  const lock = await waiting
  expect(holder()).toBe('2')
  await lock.release()
})

test('a Lease that an uninstall takes away between the look and the write is made anew', async () => {
  server.put(path, { spec: { holderIdentity: '' }, apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' })
  let gone = false
  server.intercept = (call) => {
    if (call.method !== 'PATCH' || gone) return false
    gone = true
    server.remove(path)
    return false
  }
  const lock = await new TestRun('1').lock()
  expect([gone, holder()]).toEqual([true, '1'])
  await lock.release()
})

test('who has been cut off from the API server lets the holder, who was too, renew it first', async () => {
  const first = new TestRun('1')
  const lock = await first.lock()
  const second = new TestRun('2')
  const waiting = second.lock()
  await second.waiting()
  // Neither reaches it for a minute; then both do.
  first.pace.wakeAfter(60_000)
  second.pace.advance(lockSeconds * 1000)
  const looks = (): number =>
    server.calls.filter((call) => call.method === 'GET' && call.path === path).length
  await until(() => looks() === 1)
  const before = renewed()
  first.pace.fire()
  await until(() => renewed() !== before)
  second.pace.advance(5_000)
  await until(() => looks() === 2)
  expect(holder()).toBe('1')
  await lock.release()
  await (await waiting).release()
  expect(second.notes).toEqual([])
})

test('a lock that this run has, because the answer to its write was lost, is not waited for', async () => {
  const spec = { holderIdentity: '1', renewTime: 'now' }
  server.put(path, { spec, apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' })
  const run = new TestRun('1')
  const lock = await run.lock()
  expect(run.waits).toEqual([])
  await lock.release()
})

test.each(['release', 'remove'] as const)('a lock is renewed no more after its %s', async (how) => {
  const run = new TestRun('1')
  const lock = await run.lock()
  expect(Number.isFinite(run.pace.next)).toBe(true)
  await lock[how]()
  expect(run.pace.next).toBe(Infinity)
})

test("another run's lock is left alone", async () => {
  const lock = await new TestRun('1').lock()
  expect(await releaseLock(server.kubernetes, '2')).toBe('not held')
  expect(holder()).toBe('1')
  await lock.release()
  expect(await releaseLock(server.kubernetes, '1')).toBe('not held')
})

test('a caller that may not have the lock is told so', async () => {
  server.intercept = (call, response) => {
    if (call.method !== 'POST') return false
    status(response, 403, 'Forbidden', 'User "me" cannot create resource "leases"')
    return true
  }
  await expect(new TestRun('1').lock()).rejects.toMatchObject({
    permission: 'create leases.coordination.k8s.io in namespace kube-system'
  })
})

test('a lock that is removed leaves no Lease, and who waits for it makes a new one', async () => {
  const first = await new TestRun('1').lock()
  const second = new TestRun('2')
  const waiting = second.lock()
  await second.waiting()
  await first.remove()
  const lock = await waiting
  expect(holder()).toBe('2')
  await lock.remove()
  expect(server.at(path)).toBeUndefined()
})

test("a lock that was taken over is not removed under the other run's hands", async () => {
  const first = await new TestRun('1').lock()
  const second = new TestRun('2')
  const waiting = second.lock()
  await second.waiting()
  await letExpire(second)
  const lock = await waiting
  await first.remove()
  expect(holder()).toBe('2')
  await lock.release()
})

test('a lock that another run takes between the look and the removal stays', async () => {
  const lock = await new TestRun('1').lock()
  server.intercept = (call) => {
    if (call.method !== 'DELETE') return false
    server.put(path, { ...server.at(path), spec: { holderIdentity: '2', renewTime: 'now' } })
    return false
  }
  await lock.remove()
  expect(holder()).toBe('2')
})

test('a Lease that has no spec yet is free', async () => {
  server.intercept = (call, response) => {
    if (call.method !== 'GET' || call.path !== path) return false
    json(response, 200, { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: 'x' } })
    return true
  }
  server.put(path, { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' })
  const lock = await new TestRun('1').lock()
  expect(holder()).toBe('1')
  await lock.release()
})
