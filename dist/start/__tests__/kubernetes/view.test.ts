import { awaitObject } from '../../src/kubernetes/conditions.js'
import { configMaps } from '../../src/kubernetes/kinds.js'
import { decided, View } from '../../src/kubernetes/view.js'
import { ApiServer, status } from './api-server.js'
import { until } from './pace.js'

let server: ApiServer
beforeEach(async () => {
  server = await ApiServer.start()
})
afterEach(async () => server.stop())

const path = (name: string): string => `/api/v1/namespaces/kube-system/configmaps/${name}`
const configMap = (value: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', data: { value } })
const selection = { namespace: 'kube-system' }

async function watched(): Promise<void> {
  while (server.watching === 0) await new Promise((resolve) => setImmediate(resolve))
}

test('what is followed is current: added, modified, deleted', async () => {
  server.put(path('one'), configMap('a'))
  const view = new View(server.kubernetes, new AbortController().signal)
  const seen: string[] = []
  const followed = await view.follow(configMaps, selection, (object, change) => {
    seen.push(`${change} ${object.metadata?.name ?? ''} ${object.data?.['value'] ?? ''}`)
  })
  expect(followed.objects).toHaveLength(1)
  await watched()
  server.put(path('one'), configMap('b'))
  server.put(path('two'), configMap('c'))
  server.remove(path('one'))
  await view.until(() => (followed.objects.length === 1 && seen.length === 4 ? decided(true) : undefined))
  expect(seen).toEqual(['here one a', 'here one b', 'here two c', 'gone one b'])
  await view.close()
})

test('of what is followed only what is looked at is kept, and is gone when it is looked at no longer', async () => {
  server.put(path('one'), configMap('a'))
  server.put(path('two'), configMap('hidden'))
  const view = new View(server.kubernetes, new AbortController().signal)
  const seen: string[] = []
  const followed = await view.follow(
    configMaps,
    selection,
    (object, change) => void seen.push(`${change} ${object.metadata?.name ?? ''}`),
    ({ data, ...rest }) => (data?.['value'] === 'hidden' ? undefined : rest)
  )
  expect(followed.objects.map(({ data }) => data)).toEqual([undefined])
  await watched()
  server.put(path('one'), configMap('hidden'))
  server.put(path('two'), configMap('b'))
  server.put(path('three'), configMap('hidden'))
  server.remove(path('three'))
  server.remove(path('two'))
  await view.until(() => (seen.length === 4 ? decided(true) : undefined))
  expect(seen).toEqual(['here one', 'gone one', 'here two', 'gone two'])
  expect(followed.objects).toEqual([])
  await view.close()
})

test('a watch that the server ends goes on from where it was', async () => {
  const view = new View(server.kubernetes, new AbortController().signal)
  const followed = await view.follow(configMaps, selection)
  await watched()
  server.put(path('one'), configMap('a'))
  await view.until(() => (followed.objects.length === 1 ? decided(true) : undefined))
  server.endWatches()
  await watched()
  server.put(path('two'), configMap('b'))
  await view.until(() => (followed.objects.length === 2 ? decided(true) : undefined))
  const watches = server.calls.filter((call) => call.query.get('watch') === 'true')
  expect(watches).toHaveLength(2)
  expect(watches[1]?.query.get('resourceVersion')).not.toBe(watches[0]?.query.get('resourceVersion'))
  await view.close()
})

test('a watch whose version is too old is replaced by a new list, and what went meanwhile is gone', async () => {
  server.put(path('one'), configMap('a'))
  let expired = 0
  server.intercept = (call, response) => {
    if (call.query.get('watch') !== 'true' || expired++ > 0) return false
    server.remove(path('one'))
    server.put(path('two'), configMap('b'))
    response.end(
      `${JSON.stringify({ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } })}\n`
    )
    return true
  }
  const gone: string[] = []
  const view = new View(server.kubernetes, new AbortController().signal)
  const followed = await view.follow(configMaps, selection, (object, change) => {
    if (change === 'gone') gone.push(object.metadata?.name ?? '')
  })
  await view.until(() => (followed.objects[0]?.metadata?.name === 'two' ? decided(true) : undefined))
  expect(gone).toEqual(['one'])
  await view.close()
})

describe('a watch that is silently dead', () => {
  const never = 3_600_000

  /** Watches that stay open and bring nothing of what is written later. */
  function deafen(bookmarks: boolean): void {
    server.intercept = (call, response) => {
      if (call.query.get('watch') !== 'true') return false
      response.writeHead(200).flushHeaders()
      if (bookmarks) {
        const bookmark = { type: 'BOOKMARK', object: { metadata: { resourceVersion: '9' } } }
        const timer = setInterval(() => response.write(`${JSON.stringify(bookmark)}\n`), 5)
        response.once('close', () => clearInterval(timer))
      }
      return true
    }
  }

  test.each([
    ['brings nothing at all is made anew from a list', false, { afterSilence: 20, always: never }],
    ['brings bookmarks only is checked by a list now and then', true, { afterSilence: never, always: 20 }]
  ])('%s', async (_what, bookmarks, looks) => {
    deafen(bookmarks)
    const view = new View(server.kubernetes, new AbortController().signal, looks)
    const followed = await view.follow(configMaps, selection)
    await until(() => server.calls.some((call) => call.query.get('watch') === 'true'))
    server.put(path('one'), configMap('a'))
    await view.until(() => (followed.objects.length === 1 ? decided(true) : undefined))
    server.remove(path('one'))
    await view.until(() => (followed.objects.length === 0 ? decided(true) : undefined))
    await view.close()
  })

  test('is not taken for one while bookmarks come', async () => {
    deafen(true)
    const view = new View(server.kubernetes, new AbortController().signal, {
      afterSilence: 500,
      always: never
    })
    await view.follow(configMaps, selection)
    let asked = 0
    await view.until(() => (++asked === 4 ? decided(true) : undefined), 250)
    expect(server.calls.filter((call) => call.query.get('watch') === 'true')).toHaveLength(1)
    await view.close()
  })
})

test('waiting ends with the reason of the signal', async () => {
  const controller = new AbortController()
  const waiting = awaitObject(
    server.kubernetes,
    configMaps,
    { name: 'one', namespace: 'kube-system' },
    controller.signal,
    () => undefined
  )
  await watched()
  controller.abort(new Error('cancelled by the user'))
  await expect(waiting).rejects.toThrow('cancelled by the user')
})

test('a watch that is refused is the error of the wait', async () => {
  server.intercept = (call, response) => {
    if (call.query.get('watch') !== 'true') return false
    status(response, 403, 'Forbidden', 'may not watch')
    return true
  }
  const view = new View(server.kubernetes, new AbortController().signal)
  await view.follow(configMaps, selection)
  await expect(view.until(() => undefined)).rejects.toMatchObject({ status: 403 })
  await view.close()
})

test('what only time decides is asked again without a change', async () => {
  const view = new View(server.kubernetes, new AbortController().signal)
  let asked = 0
  await view.until(() => (++asked === 3 ? decided(true) : undefined), 5)
  expect(asked).toBe(3)
  await view.close()
})
