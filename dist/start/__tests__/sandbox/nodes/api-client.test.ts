import { createServer } from 'node:https'
import type { ServerResponse } from 'node:http'
import { createAuthority } from '../../../sandbox/certificates.js'
import { listen } from '../../../sandbox/listen.js'
import { connectApi, type WatchEvent } from '../../../sandbox/nodes/api-client.js'

function podNamed(name: string): Readonly<Record<string, unknown>> {
  return { metadata: { name, uid: name, resourceVersion: '1' } }
}

it('lists, watches, and after a lost watch tells what has gone in between', async () => {
  const authority = await createAuthority('test')
  const [serverPair, clientPair] = await Promise.all([
    authority.issue({ commonName: 'server', ipAddresses: ['127.0.0.1'], usage: 'server' }),
    authority.issue({ commonName: 'admin', usage: 'client' })
  ])
  let items = [podNamed('a'), podNamed('b')]
  const watchers: ServerResponse[] = []
  const seen: (string | string[] | undefined)[] = []
  const server = createServer({ cert: serverPair.certPem, key: serverPair.keyPem }, (request, response) => {
    request.resume()
    seen.push(request.headers['impersonate-user'])
    if ((request.url ?? '').includes('watch=true')) {
      response.writeHead(200)
      response.flushHeaders()
      watchers.push(response)
      if (watchers.length === 1) {
        response.write(`${JSON.stringify({ type: 'MODIFIED', object: podNamed('a') })}\n`)
      }
      return
    }
    response.end(JSON.stringify({ metadata: { resourceVersion: '5' }, items }))
  })
  const { port, close } = await listen(server)
  const api = connectApi({
    endpoint: `https://127.0.0.1:${port}`,
    caPem: authority.certPem,
    certPem: clientPair.certPem,
    keyPem: clientPair.keyPem
  })
  const events: string[] = []
  const watch = await new Promise<{ stop(): void }>((resolve) => {
    const started = api.watch('/api/v1/pods', ({ type, object }: WatchEvent) => {
      events.push(`${type} ${String(Object.values(object['metadata'] ?? {})[0])}`)
      if (events.length === 3) {
        items = [podNamed('b')]
        watchers[0]?.end()
      }
      if (type === 'DELETED') {
        setImmediate(() => resolve(started))
      }
    })
  })
  expect(events.slice(0, 4)).toEqual(['ADDED a', 'ADDED b', 'MODIFIED a', 'DELETED a'])
  await api.request({
    method: 'GET',
    path: '/api/v1/nodes',
    as: { username: 'system:node:n', groups: ['system:nodes'] }
  })
  expect(seen.at(-1)).toBe('system:node:n')
  watch.stop()
  api.close()
  await close()
})

it('frames the body of a DELETE, so that its options arrive', async () => {
  const authority = await createAuthority('test')
  const [serverPair, clientPair] = await Promise.all([
    authority.issue({ commonName: 'server', ipAddresses: ['127.0.0.1'], usage: 'server' }),
    authority.issue({ commonName: 'admin', usage: 'client' })
  ])
  const server = createServer({ cert: serverPair.certPem, key: serverPair.keyPem }, (request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString('utf8')))
    request.on('end', () => response.end(JSON.stringify({ method: request.method, body })))
  })
  const { port, close } = await listen(server)
  const api = connectApi({
    endpoint: `https://127.0.0.1:${port}`,
    caPem: authority.certPem,
    certPem: clientPair.certPem,
    keyPem: clientPair.keyPem
  })
  const options = { kind: 'DeleteOptions', gracePeriodSeconds: 0 }
  const removal = { method: 'DELETE', path: '/api/v1/namespaces/a/pods/b', body: options } as const
  for (const answer of [await api.request(removal), await api.request(removal)]) {
    expect(answer).toEqual({ status: 200, body: { method: 'DELETE', body: JSON.stringify(options) } })
  }
  api.close()
  await close()
})
