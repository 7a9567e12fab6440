import { type Renewal, renewing } from '../../src/kubernetes/lease-renewal.js'
import { ManualPace, until } from './pace.js'

let pace: ManualPace
let tries: number
let answer: (limit: AbortSignal) => Promise<void>
let renewal: Renewal
let warnings: string[]

beforeEach(() => {
  pace = new ManualPace()
  tries = 0
  warnings = []
  renewal = renewing({
    takenAt: 0,
    renew: async (limit) => {
      tries += 1
      await answer(limit)
    },
    pace,
    signal: new AbortController().signal,
    warning: (line) => void warnings.push(line)
  })
})
afterEach(async () => renewal.stop())

const noRoute = async (): Promise<void> => Promise.reject(new Error('no route'))
const well = async (): Promise<void> => undefined

/** Time goes on until it is so. */
async function passesUntil(isSo: () => boolean): Promise<void> {
  await until(() => {
    if (!isSo()) pace.advance(500)
    return isSo()
  })
}

test('is believed for 30 s from when it was sent, however late it was answered', async () => {
  const sent = Promise.withResolvers<undefined>()
  answer = async () => {
    await sent.promise
  }
  pace.advance(15_000)
  await until(() => tries === 1)
  pace.wakeAfter(9_000)
  sent.resolve(undefined)
  await until(() => pace.next === 15_000)
  pace.wakeAfter(20_000)
  await renewal.held()
  expect(tries).toBe(1)
  pace.wakeAfter(2_000)
  await renewal.held()
  expect(tries).toBe(2)
})

test('one that fails is tried again two seconds later, and again 15 s after it went well', async () => {
  answer = noRoute
  pace.advance(15_000)
  await until(() => tries === 1 && pace.next === 2_000)
  answer = well
  pace.advance(2_000)
  await until(() => tries === 2 && pace.next === 15_000)
  expect(warnings).toEqual([])
})

test('a write is held back by a failure, though the last renewal is still believed, and says so once', async () => {
  answer = noRoute
  pace.advance(15_000)
  await until(() => tries === 1 && pace.next === 2_000)
  let went = false
  const held = renewal.held().then(() => {
    went = true
  })
  await passesUntil(() => tries === 4)
  expect([went, pace.monotonic() < 30_000]).toEqual([false, true])
  answer = well
  await passesUntil(() => went)
  await held
  expect(warnings).toEqual(['Lease kube-system/setup-karpenter: writes wait until it is renewed (no route)'])
})

test('one that is not answered is given up after ten seconds', async () => {
  answer = async (limit) =>
    new Promise((_resolve, reject) => {
      limit.addEventListener('abort', () => reject(new Error(String(limit.reason))), { once: true })
    })
  pace.advance(15_000)
  await until(() => tries === 1)
  pace.advance(10_000)
  await until(() => pace.next === 2_000)
  const held = renewal.held()
  answer = well
  await passesUntil(() => tries === 2)
  await held
  expect(warnings.join()).toContain('no answer within 10 s')
})

test('the run goes on for two minutes without one, and no longer', async () => {
  answer = noRoute
  await passesUntil(() => pace.monotonic() >= 115_000)
  expect(renewal.lost.aborted).toBe(false)
  await passesUntil(() => renewal.lost.aborted)
  expect(pace.monotonic()).toBeLessThan(125_000)
})
