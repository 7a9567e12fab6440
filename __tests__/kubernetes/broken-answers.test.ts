import type { ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import type { Kubernetes } from '../../src/kubernetes/client.js'
import { NoApiServerError } from '../../src/kubernetes/errors.js'
import { configMaps, deployments } from '../../src/kubernetes/kinds.js'
import { decided, View } from '../../src/kubernetes/view.js'
import { ApiServer, json, status } from './api-server.js'
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
  metadata: { ...at },
  data: { value }
})
const whole = JSON.stringify({ kind: 'ConfigMapList', apiVersion: 'v1', metadata: {}, items: [object('x')] })
const failed = { kind: 'Status', apiVersion: 'v1', status: 'Failure', code: 500, message: 'etcd is away' }

/** The first answer is this one; those that follow are the server's own. */
function atFirst(answer: (response: ServerResponse) => void): void {
  let answered = false
  server.intercept = (_call, response) => {
    if (answered) return undefined
    answered = true
    answer(response)
    return true
  }
}

const page = (response: ServerResponse): void =>
  void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Service unavailable</html>')

const answers: readonly [string, (response: ServerResponse) => void][] = [
  ['a page of a proxy', page],
  ['half of it, and its end', (response) => response.writeHead(200).end(whole.slice(0, 90))],
  ['nothing', (response) => response.writeHead(200).end()],
  ['a failure that is sent as a success', (response) => json(response, 200, failed)],
  [
    'half of it, packed',
    (response) =>
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(whole).subarray(0, -12))
  ],
  ['that the request did not come in time', (response) => response.writeHead(408).end()]
]

const requests: readonly [string, (kubernetes: Kubernetes) => Promise<unknown>, unknown][] = [
  ['a get', async (one) => (await one.get(configMaps, 'one', 'kube-system'))?.data, { value: 'before' }],
  [
    'a list',
    async (one) => (await one.list(configMaps)).items.map(({ data }) => data),
    [{ value: 'before' }]
  ],
  ['the question whether there is one', async (one) => one.any(configMaps, {}), true],
  [
    'an apply',
    async (one) => (await one.apply(configMaps, object('after'), { force: true })).data,
    { value: 'after' }
  ],
  ['a deletion', async (one) => one.delete(configMaps, at).then(() => server.at(path)), undefined]
]

describe.each(answers)('answered with %s', (_name, answer) => {
  test.each(requests)('%s is asked for again', async (_request, ask, expected) => {
    server.put(path, object('before'))
    atFirst(answer)
    expect(await ask(server.kubernetes)).toEqual(expected)
    expect(server.calls.length).toBeGreaterThan(1)
  })
})

test('a watch of which half a line comes is made anew', async () => {
  const view = new View(server.kubernetes, new AbortController().signal)
  const followed = await view.follow(configMaps, {})
  let broken = 0
  server.intercept = (call, response) => {
    if (!call.query.has('watch') || ++broken > 1) return undefined
    response.writeHead(200).end('{"type":"ADDED","obj\n')
    server.put(path, object('later'))
    return true
  }
  // The watch that is open already is ended, and the next one is the broken one.
  server.endWatches()
  await view.until(() => (followed.objects.length === 1 ? decided(undefined) : undefined))
  await view.close()
  expect(broken).toBeGreaterThan(1)
})

describe('a proxy that answers in the place of the server', () => {
  test('from the start on is said after seconds, with what to look at', async () => {
    server.intercept = (_call, response) => (page(response), true)
    const pace = swiftPace()
    const asked = server.client({ pace }).list(configMaps)
    await expect(asked).rejects.toThrow(NoApiServerError)
    await expect(asked).rejects.toThrow(/^cluster endpoint: https:\S+ did not answer as an API server does/)
    await expect(asked).rejects.toMatchObject({
      fix: expect.stringContaining('check HTTPS_PROXY and NO_PROXY') as string
    })
    expect(server.calls).toHaveLength(5)
    expect(pace.monotonic()).toBeLessThan(10_000)
  })

  test('of a server that was reached is waited for as long as the server is', async () => {
    const pace = swiftPace()
    const kubernetes = server.client({ pace })
    await kubernetes.list(configMaps)
    server.intercept = (_call, response) => (page(response), true)
    await expect(kubernetes.list(configMaps)).rejects.toThrow(/and did not in \d\d s of trying/)
    expect(pace.monotonic()).toBeGreaterThan(60_000)
  })
})

describe('a write that another one came before', () => {
  const overtaken = (response: ServerResponse): void =>
    status(
      response,
      409,
      'Conflict',
      'Operation cannot be fulfilled on resourcequotas "compute": the object has been modified; please apply your changes to the latest version and try again'
    )

  test.each(requests.filter(([name]) => /apply|deletion/.test(name)))(
    'is made again: %s',
    async (_request, ask, expected) => {
      server.put(path, object('before'))
      atFirst(overtaken)
      expect(await ask(server.kubernetes)).toEqual(expected)
    }
  )

  test('is a creation that a quota was counted for', async () => {
    atFirst(overtaken)
    expect((await server.kubernetes.create(configMaps, object('new'))).data).toEqual({ value: 'new' })
  })

  test('and is meant for one version of the object is an error', async () => {
    server.put(path, object('before'))
    atFirst(overtaken)
    const value = { metadata: { resourceVersion: '1' }, data: {} }
    const patched = server.kubernetes.patch(configMaps, at, { type: 'merge', value })
    await expect(patched).rejects.toThrow('the object has been modified')
    expect(server.calls).toHaveLength(1)
  })
})

describe('a continuation that expires each time', () => {
  const always410 = (limited: object): void => {
    server.intercept = (call, response) => {
      if (call.query.has('continue')) status(response, 410, 'Expired', 'too old')
      else json(response, 200, { ...limited, metadata: call.query.has('limit') ? { continue: 'x' } : {} })
      return true
    }
  }

  test('ends in a list that is read in one piece', async () => {
    always410({ kind: 'ConfigMapList', items: [object('x')] })
    expect((await server.kubernetes.list(configMaps)).items).toHaveLength(1)
    expect(server.calls).toHaveLength(3)
  })

  test('and so does a column', async () => {
    const rows = [{ cells: ['image'], object: { kind: 'PartialObjectMetadata', metadata: { name: 'a' } } }]
    always410({ kind: 'Table', columnDefinitions: [{ name: 'Images' }], rows })
    expect(await server.kubernetes.column(deployments, 'Images', () => 1)).toEqual([
      { cell: 'image', picked: 1 }
    ])
  })
})
