import { Agent, createServer, type IncomingMessage, request } from 'node:http'
import { text } from 'node:stream/consumers'
import { type DelayingRelay, startDelayingRelay } from '../../bench/delaying-relay.js'
import { listen, type Listening } from '../../sandbox/listen.js'

describe('the delaying relay', () => {
  let target: Listening
  let relay: DelayingRelay

  beforeEach(async () => {
    const server = createServer((incoming, response) => {
      void text(incoming).then((body) => response.end(body))
    })
    target = await listen(server)
    relay = await startDelayingRelay(`http://127.0.0.1:${target.port}`, { roundTrip: 40, setUp: 2 })
  })

  afterEach(async () => {
    await relay.stop()
    await target.close()
  })

  /** Milliseconds until a request by this agent is answered. */
  async function took(agent: Agent): Promise<number> {
    const startedAt = performance.now()
    const get = request(relay.endpoint, { agent }).end()
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      get.once('response', resolve).once('error', reject)
    })
    await text(response)
    return performance.now() - startedAt
  }

  it('sets a new connection up before its first byte, and an old one never again', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    try {
      const first = await took(agent)
      const later = [await took(agent), await took(agent), await took(agent)]
      // Three round trips against one each; half is late enough, as below.
      expect(first).toBeGreaterThan(60)
      expect(Math.min(...later)).toBeLessThan(first)
    } finally {
      agent.destroy()
    }
  })

  it('passes requests on late and whole', async () => {
    const startedAt = performance.now()
    const post = request(relay.endpoint, { method: 'POST' })
    for (let part = 0; part < 100; part++) post.write(`${part} `)
    post.end()
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      post.once('response', resolve).once('error', reject)
    })
    expect(await text(response)).toBe([...Array(100).keys()].map((part) => `${part} `).join(''))
    // A timer counts from the event loop's clock, which lags behind on a busy machine: half of it is late enough.
    expect(performance.now() - startedAt).toBeGreaterThan(20)
  })
})
