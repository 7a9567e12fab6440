import { createServer, type IncomingMessage, request } from 'node:http'
import { text } from 'node:stream/consumers'
import type { Socket } from 'node:net'
import { startDelayingProxy } from '../../bench/delaying-proxy.js'
import { listen } from '../../sandbox/listen.js'

describe('the delaying proxy', () => {
  it('leads a tunnel to its target and passes requests on late and whole', async () => {
    const server = createServer((incoming, response) => {
      void text(incoming).then((body) => response.end(body))
    })
    const target = await listen(server)
    const proxy = await startDelayingProxy(40)
    const tunnel = request(proxy.url, { method: 'CONNECT', path: `127.0.0.1:${target.port}` })
    tunnel.end()
    const socket = await new Promise<Socket>((resolve) =>
      tunnel.once('connect', (_answer, opened: Socket) => resolve(opened))
    )
    const startedAt = performance.now()
    const post = request({ method: 'POST', path: '/', host: 'target', createConnection: () => socket })
    for (let part = 0; part < 100; part++) post.write(`${part} `)
    post.end()
    const response = await new Promise<IncomingMessage>((resolve) => post.once('response', resolve))
    expect(await text(response)).toBe([...Array(100).keys()].map((part) => `${part} `).join(''))
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(39)
    await proxy.stop()
    await target.close()
  })
})
