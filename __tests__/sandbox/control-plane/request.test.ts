import { once } from 'node:events'
import { createServer } from 'node:https'
import type { TLSSocket } from 'node:tls'
import { createAuthority } from '../../../sandbox/certificates.js'
import { requesterTo } from '../../../sandbox/control-plane/request.js'
import { listen } from '../../../sandbox/listen.js'

test('a connection that stands idle is closed before the server closes it under a request', async () => {
  const authority = await createAuthority('test')
  const own = await authority.issue({ commonName: 'api', ipAddresses: ['127.0.0.1'], usage: 'server' })
  const user = await authority.issue({ commonName: 'admin', usage: 'client' })
  const connections: TLSSocket[] = []
  const server = createServer(
    { cert: own.certPem, key: own.keyPem, keepAliveTimeout: 0 },
    (_request, response) => response.end('{}')
  )
  server.on('secureConnection', (socket: TLSSocket) => connections.push(socket))
  const listening = await listen(server)
  const client = requesterTo(`https://127.0.0.1:${listening.port}`, authority.certPem, user, 50)
  try {
    await client.request('GET', '/')
    const [first] = connections
    if (first?.closed === false) await once(first, 'close')
    expect(await client.request('GET', '/')).toEqual({ status: 200, body: {} })
    expect(connections).toHaveLength(2)
  } finally {
    client.close()
    await listening.close()
  }
})
