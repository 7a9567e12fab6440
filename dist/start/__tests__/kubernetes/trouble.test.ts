import { createServer } from 'node:net'
import { listen } from '../../sandbox/listen.js'
import type { Kubernetes } from '../../src/kubernetes/client.js'
import { configMaps } from '../../src/kubernetes/kinds.js'
import { decided, View } from '../../src/kubernetes/view.js'
import { type ApiFault, randomFaults, seeded } from '../../sandbox/control-plane/api-faults.js'
import { ApiServer, type Call, status } from './api-server.js'
import { containing } from './containing.js'
import { swiftPace } from './pace.js'

let server: ApiServer
beforeEach(async () => {
  server = await ApiServer.start()
})
afterEach(async () => server.stop())

const at = { name: 'one', namespace: 'kube-system' }
const path = '/api/v1/namespaces/kube-system/configmaps/one'
const object = (value: string) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { ...at, labels: { 'app.kubernetes.io/managed-by': 'setup-karpenter' } },
  data: { value }
})
const value = (): unknown => server.at(path)?.['data']
const version = (): unknown => server.at(path)?.metadata['resourceVersion']

const before = (): void => void server.put(path, object('before'))
const writes: readonly [string, () => void, (kubernetes: Kubernetes) => Promise<unknown>, unknown][] = [
  ['create', () => undefined, async (kubernetes) => kubernetes.create(configMaps, object('after')), 'after'],
  ['server-side apply', before, async (kubernetes) => kubernetes.apply(configMaps, object('after')), 'after'],
  [
    'merge patch of what was read',
    before,
    async (kubernetes) =>
      kubernetes.patch(configMaps, at, {
        type: 'merge',
        value: { metadata: { resourceVersion: version() }, data: { value: 'after' } }
      }),
    'after'
  ],
  [
    'merge patch',
    before,
    async (kubernetes) =>
      kubernetes.patch(configMaps, at, { type: 'merge', value: { data: { value: 'after' } } }),
    'after'
  ],
  [
    'JSON patch with a test',
    before,
    async (kubernetes) =>
      kubernetes.patch(configMaps, at, {
        type: 'json',
        operations: [
          { op: 'test', path: '/data/value', value: 'before' },
          { op: 'replace', path: '/data/value', value: 'after' }
        ]
      }),
    'after'
  ],
  ['delete', before, async (kubernetes) => kubernetes.delete(configMaps, at), undefined],
  [
    'delete of what was read',
    before,
    async (kubernetes) => kubernetes.delete(configMaps, at, { resourceVersion: String(version()) }),
    undefined
  ],
  [
    'delete by uid',
    before,
    async (kubernetes) =>
      kubernetes.delete(configMaps, at, { uid: String(server.at(path)?.metadata['uid']) }),
    undefined
  ]
]
const troubles: readonly [string, ApiFault][] = [
  ['answered 429', { answer: 429 }],
  ['answered 500', { answer: 500 }],
  ['answered 503', { answer: 503 }],
  ['cut off', { answer: 'reset' }],
  ['carried out and answered 500', { answer: 500, done: true }],
  ['carried out and answered 503', { answer: 503, done: true }],
  ['carried out and cut off', { answer: 'reset', done: true }]
]

describe.each(troubles)('a write that is %s', (_what, trouble) => {
  test.each(writes)('once is a write that succeeds: %s', async (_name, prepare, write, after) => {
    prepare()
    let left = 1
    server.trouble = (call) => (call.method !== 'GET' && left-- > 0 ? trouble : undefined)
    const result = await write(server.kubernetes)
    if (after === undefined) expect(result).toBe('deleted')
    else expect(result).toMatchObject({ data: { value: after } })
    expect(value()).toEqual(after === undefined ? undefined : { value: after })
  })
})

test('what asks for a time to wait is given it, for every verb', async () => {
  for (const [, prepare, write] of writes) {
    server.remove(path)
    prepare()
    const pace = swiftPace()
    const kubernetes = server.client({ pace })
    let left = 1
    server.intercept = (call, response) => {
      if (call.method === 'GET' || left-- <= 0) return false
      response.setHeader('retry-after', '7')
      status(response, 429, 'TooManyRequests', 'later')
      return true
    }
    await write(kubernetes)
    expect(pace.monotonic()).toBe(7_000)
    kubernetes.close()
  }
})

test("a name that another's object has is still an error, also when the answer of the first try was lost", async () => {
  let left = 1
  server.trouble = () => {
    if (left-- <= 0) return undefined
    server.put(path, { ...object('theirs'), metadata: {} })
    return { answer: 'reset' }
  }
  await expect(server.kubernetes.create(configMaps, object('ours'))).rejects.toMatchObject({ status: 409 })
  expect(value()).toEqual({ value: 'theirs' })
})

test('a test that fails because of another writer is still an error', async () => {
  before()
  let left = 1
  server.trouble = () => {
    if (left-- <= 0) return undefined
    server.put(path, object('theirs'))
    return { answer: 503 }
  }
  const patch = {
    type: 'json',
    operations: [
      { op: 'test', path: '/data/value', value: 'before' },
      { op: 'replace', path: '/data/value', value: 'ours' }
    ]
  } as const
  await expect(server.kubernetes.patch(configMaps, at, patch)).rejects.toMatchObject({ status: 422 })
})

test('a patch that would do twice what it does once is only repeated when nothing was done', async () => {
  before()
  const patch = { type: 'json', operations: [{ op: 'add', path: '/data/value', value: 'after' }] } as const
  let left = 1
  server.trouble = () => (left-- > 0 ? { answer: 429 } : undefined)
  await server.kubernetes.patch(configMaps, at, patch)
  left = 1
  server.trouble = () => (left-- > 0 ? { answer: 503, done: true } : undefined)
  await expect(server.kubernetes.patch(configMaps, at, patch)).rejects.toMatchObject({ status: 503 })
})

describe('a server that answers no more', () => {
  test('is asked for more than a minute once it has answered, and then said to have stopped', async () => {
    const pace = swiftPace()
    const kubernetes = server.client({ pace })
    await kubernetes.get(configMaps, 'one', 'kube-system')
    server.trouble = () => ({ answer: 'reset' })
    await expect(kubernetes.apply(configMaps, object('after'))).rejects.toMatchObject({
      name: 'UnreachableError',
      message: containing('stopped answering during this run'),
      fix: expect.not.stringContaining('private') as unknown
    })
    expect(pace.monotonic()).toBeGreaterThan(60_000)
    kubernetes.close()
  })

  test.each([5_000, 20_000, 60_000])('for %i ms costs one run nothing but the time', async (milliseconds) => {
    const pace = swiftPace()
    const kubernetes = server.client({ pace })
    await kubernetes.get(configMaps, 'one', 'kube-system')
    server.trouble = () => (pace.monotonic() < milliseconds ? { answer: 'reset' } : undefined)
    await kubernetes.apply(configMaps, object('after'))
    expect(value()).toEqual({ value: 'after' })
    kubernetes.close()
  })

  test('and refuses connections is asked for as long', async () => {
    const pace = swiftPace()
    const gone = createServer()
    const { port, close } = await listen(gone)
    await close()
    const kubernetes = server.client({ pace, answered: true, endpoint: `https://127.0.0.1:${port}` })
    await expect(kubernetes.create(configMaps, object('after'))).rejects.toThrow(
      /stopped answering during this run, and did not in \d\d s of trying: .*ECONNREFUSED/
    )
    expect(pace.monotonic()).toBeGreaterThan(60_000)
    kubernetes.close()
  })

  test('and never did is out of reach after seconds, with what to do about a private endpoint', async () => {
    const pace = swiftPace()
    const kubernetes = server.client({ pace })
    server.trouble = () => ({ answer: 'reset' })
    await expect(kubernetes.get(configMaps, 'one', 'kube-system')).rejects.toMatchObject({
      message: containing('could not be reached'),
      fix: containing('private')
    })
    expect(pace.monotonic()).toBeLessThan(10_000)
    kubernetes.close()
  })

  test('but answers 503 is said to be in trouble', async () => {
    const kubernetes = server.client({})
    server.trouble = () => ({ answer: 503 })
    await expect(kubernetes.get(configMaps, 'one', 'kube-system')).rejects.toMatchObject({
      status: 503,
      fix: containing('in trouble')
    })
    kubernetes.close()
  })
})

test('a webhook that does not answer is not waited for as a server is', async () => {
  const pace = swiftPace()
  const kubernetes = server.client({ pace })
  server.intercept = (_call, response) => {
    status(response, 500, 'InternalError', 'Internal error occurred: failed calling webhook "x": refused')
    return true
  }
  await expect(kubernetes.apply(configMaps, object('after'))).rejects.toThrow('failed calling webhook')
  expect(pace.monotonic()).toBeLessThan(20_000)
  kubernetes.close()
})

describe('a connection that breaks before the answer', () => {
  const add = { type: 'json', operations: [{ op: 'add', path: '/data/value', value: 'after' }] } as const

  test('is no failure of the request when it was kept open from an earlier one', async () => {
    before()
    await server.kubernetes.get(configMaps, 'one', 'kube-system')
    let left = 1
    server.trouble = () => (left-- > 0 ? { answer: 'reset' } : undefined)
    await server.kubernetes.patch(configMaps, at, add)
    expect(value()).toEqual({ value: 'after' })
  })

  test('is one when the request may have been read, and cannot be made twice', async () => {
    before()
    server.trouble = () => ({ answer: 'reset' })
    await expect(server.kubernetes.patch(configMaps, at, add)).rejects.toThrow('could not be reached')
    expect(server.calls).toHaveLength(1)
  })
})

describe('a watch', () => {
  const watches = (): readonly Call[] => server.calls.filter((call) => call.query.get('watch') === 'true')

  async function follows(pace = swiftPace()): Promise<void> {
    const kubernetes = server.client({ pace })
    const view = new View(kubernetes, new AbortController().signal)
    const followed = await view.follow(configMaps, { namespace: 'kube-system' })
    let put = false
    try {
      await view.until(() => {
        if (!put && server.watching > 0) before()
        put ||= server.watching > 0
        return followed.objects.length === 1 ? decided(true) : undefined
      }, 1)
    } finally {
      await view.close()
      kubernetes.close()
    }
  }

  test.each([[{ answer: 429 }], [{ answer: 500 }], [{ answer: 503 }], [{ answer: 'reset' }]] satisfies [
    ApiFault
  ][])('that meets %j seven times goes on', async (trouble) => {
    server.trouble = (call) =>
      call.query.get('watch') === 'true' && watches().length <= 7 ? trouble : undefined
    await follows()
    expect(watches().length).toBeGreaterThan(7)
  })

  test('goes on after a minute without the server', async () => {
    const pace = swiftPace()
    server.trouble = (call) =>
      call.query.get('watch') === 'true' && pace.monotonic() < 60_000 ? { answer: 'reset' } : undefined
    await follows(pace)
  })

  test('of a server that stays away ends the wait, and says so', async () => {
    server.trouble = (call) => (call.query.get('watch') === 'true' ? { answer: 'reset' } : undefined)
    await expect(follows()).rejects.toThrow('stopped answering during this run')
  })

  test('that the server breaks off by an error of its own is made anew', async () => {
    server.intercept = (call, response) => {
      if (call.query.get('watch') !== 'true' || watches().length > 2) return false
      response.end(
        `${JSON.stringify({ type: 'ERROR', object: { kind: 'Status', code: 500, reason: 'InternalError' } })}\n`
      )
      return true
    }
    await follows()
    expect(watches().length).toBeGreaterThan(2)
  })
})

test('30 % of all calls failing, carried out or not, change the outcome of none', async () => {
  const seed = Date.now() % 100_000
  const random = seeded(seed)
  server.trouble = randomFaults(random, 0.3)
  try {
    for (let round = 0; round < 12; round++) {
      for (const [, prepare, write, after] of writes) {
        server.remove(path)
        prepare()
        await write(server.kubernetes)
        expect(value()).toEqual(after === undefined ? undefined : { value: after })
      }
    }
  } catch (error) {
    throw new Error(`seed ${seed}`, { cause: error })
  }
})
