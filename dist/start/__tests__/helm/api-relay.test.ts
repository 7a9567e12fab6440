import { type ApiFault, randomFaults, seeded } from '../../sandbox/control-plane/api-faults.js'
import { type ApiRelay, startApiRelay } from '../../src/helm/api-relay.js'
import { ApiServer, json } from '../kubernetes/api-server.js'
import { until } from '../kubernetes/pace.js'

let server: ApiServer
let relay: ApiRelay
beforeEach(async () => {
  server = await ApiServer.start()
  relay = await startApiRelay(server.kubernetes.forward)
})
afterEach(async () => {
  await relay.close()
  await server.stop()
})

const collection = '/api/v1/namespaces/karpenter/secrets'
const secret = (status: string) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'one', namespace: 'karpenter', labels: { status } },
  data: { release: 'SDRzSUE' }
})

/** As helm's Kubernetes client asks. */
async function ask(method: string, path: string, body?: unknown, type = 'application/json') {
  const response = await fetch(`${relay.url}${path}`, {
    method,
    headers: { accept: 'application/json', ...(body !== undefined && { 'content-type': type }) },
    ...(body !== undefined && { body: JSON.stringify(body) })
  })
  const answered: unknown = await response.json()
  return { status: response.status, body: answered }
}

const troubles: readonly ApiFault[] = [
  { answer: 429 },
  { answer: 500 },
  { answer: 503 },
  { answer: 'reset' },
  { answer: 500, done: true },
  { answer: 'reset', done: true }
]

test.each(troubles)(
  'what helm asks while the API server is in trouble is answered as if it were not: %j',
  async (fault) => {
    let left = 0
    server.trouble = () => (left-- > 0 ? fault : undefined)
    const once = async (...call: Parameters<typeof ask>) => {
      left = 1
      return ask(...call)
    }
    expect(await once('POST', collection, secret('pending-install'))).toMatchObject({ status: 201 })
    expect(await once('GET', `${collection}/one`)).toMatchObject({
      status: 200,
      body: { metadata: { labels: { status: 'pending-install' } } }
    })
    const patch = { metadata: { labels: { status: 'deployed' } } }
    expect(await once('PATCH', `${collection}/one`, patch, 'application/merge-patch+json')).toMatchObject({
      status: 200,
      body: { metadata: { labels: { status: 'deployed' } } }
    })
    expect(await once('DELETE', `${collection}/one`)).toMatchObject({
      status: 200,
      body: { status: 'Success' }
    })
    expect(server.at(`${collection}/one`)).toBeUndefined()
  }
)

test('a name that another has is refused as the API server refuses it', async () => {
  server.put(`${collection}/one`, { ...secret('deployed'), data: { release: 'theirs' } })
  let left = 1
  server.trouble = () => (left-- > 0 ? { answer: 503 } : undefined)
  expect(await ask('POST', collection, secret('pending-install'))).toMatchObject({
    status: 409,
    body: { reason: 'AlreadyExists' }
  })
  expect(await ask('DELETE', `${collection}/two`)).toMatchObject({ status: 404 })
})

test('a watch is passed on as it comes, and ends when helm goes', async () => {
  const going = new AbortController()
  const response = await fetch(`${relay.url}${collection}?watch=true`, { signal: going.signal })
  const reader = response.body?.getReader()
  await until(() => server.watching === 1)
  server.put(`${collection}/one`, secret('deployed'))
  const first: unknown = (await reader?.read())?.value
  expect(first instanceof Uint8Array && Buffer.from(first).toString()).toContain('"type":"ADDED"')
  going.abort()
  await until(() => server.watching === 0)
})

test('bytes come through as they are', async () => {
  const bytes = Buffer.from([...Array(256).keys()])
  server.intercept = (_call, response) => {
    response.writeHead(200, { 'content-type': 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf' })
    response.end(bytes)
    return true
  }
  const response = await fetch(`${relay.url}/openapi/v2`)
  expect(response.headers.get('content-type')).toContain('protobuf')
  expect(Buffer.from(await response.arrayBuffer())).toEqual(bytes)
})

test('is not counted among the requests of the run', async () => {
  await ask('GET', collection)
  expect(server.sent).toEqual([])
})

test('what the run may not write any more, helm does not write either', async () => {
  const guarded = server.client({
    beforeWrite: async () => {
      throw new Error('another run took the lock over')
    }
  })
  const own = await startApiRelay(guarded.forward)
  const response = await fetch(`${own.url}${collection}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(secret('deployed'))
  })
  expect(response.status).toBe(503)
  expect(await response.text()).toContain('another run took the lock over')
  expect(server.writes()).toEqual([])
  await own.close()
  guarded.close()
})

test('30 % of all answers failing leave a long conversation whole', async () => {
  const seed = Date.now() % 100_000
  server.trouble = randomFaults(seeded(seed), 0.3)
  server.intercept = (call, response) => {
    if (call.path !== '/version') return false
    json(response, 200, { gitVersion: 'v1.35.4' })
    return true
  }
  for (let revision = 0; revision < 15; revision++) {
    const statuses = [
      await ask('GET', '/version'),
      await ask('POST', collection, secret('pending-upgrade')),
      await ask(
        'PATCH',
        `${collection}/one`,
        { data: { release: `${revision}` } },
        'application/merge-patch+json'
      ),
      await ask('DELETE', `${collection}/one`)
    ].map(({ status }) => status)
    expect([seed, ...statuses]).toEqual([seed, 200, 201, 200, 200])
  }
})
