import { createServer, type IncomingMessage, request } from 'node:http'
import { text } from 'node:stream/consumers'
import { startDelayingRelay } from '../../bench/delaying-relay.js'
import { listen } from '../../sandbox/listen.js'

describe('the delaying relay', () => {
  it('passes requests on late and whole', async () => {
    const server = createServer((incoming, response) => {
      void text(incoming).then((body) => response.end(body))
    })
    const target = await listen(server)
    const relay = await startDelayingRelay(`http://127.0.0.1:${target.port}`, 40)
    const startedAt = performance.now()
    const post = request(relay.endpoint, { method: 'POST' })
    for (let part = 0; part < 100; part++) post.write(`${part} `)
    post.end()
    const response = await new Promise<IncomingMessage>((resolve) => post.once('response', resolve))
    expect(await text(response)).toBe([...Array(100).keys()].map((part) => `${part} `).join(''))
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(39)
    await relay.stop()
    await target.close()
  })
})
