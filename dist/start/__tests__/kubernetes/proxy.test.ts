import { createServer, type Server } from 'node:http'
import { connect } from 'node:net'
import { listen, type Listening } from '../../sandbox/listen.js'
import { nodePools } from '../../src/kubernetes/kinds.js'
import { ApiServer } from './api-server.js'

let server: ApiServer
let proxy: Listening
let tunnels: string[]
beforeEach(async () => {
  server = await ApiServer.start()
  tunnels = []
  const proxyServer: Server = createServer()
  proxyServer.on('connect', (request, socket, head) => {
    tunnels.push(request.url ?? '')
    const [host = '', port = ''] = (request.url ?? '').split(':')
    const upstream = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
      upstream.write(head)
      upstream.pipe(socket).pipe(upstream)
    })
    upstream.on('error', () => socket.destroy())
    socket.on('error', () => upstream.destroy())
  })
  proxy = await listen(proxyServer)
})
afterEach(async () => {
  await server.stop()
  await proxy.close()
})

test('the API server is reached through HTTPS_PROXY, whose tunnel is kept', async () => {
  const kubernetes = server.client({ proxyEnv: { HTTPS_PROXY: `http://127.0.0.1:${proxy.port}` } })
  await kubernetes.get(nodePools, 'default')
  await kubernetes.get(nodePools, 'default')
  expect(tunnels).toEqual([new URL(server.endpoint).host])
  kubernetes.close()
})

test('NO_PROXY is honoured', async () => {
  const kubernetes = server.client({
    proxyEnv: { HTTPS_PROXY: `http://127.0.0.1:${proxy.port}`, NO_PROXY: '127.0.0.1' }
  })
  await kubernetes.get(nodePools, 'default')
  expect(tunnels).toEqual([])
  kubernetes.close()
})
