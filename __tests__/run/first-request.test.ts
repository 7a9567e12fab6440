import { channel } from 'node:diagnostics_channel'
import { EventEmitter, once } from 'node:events'
import { createServer, request } from 'node:http'
import { listen } from '../../sandbox/listen.js'
import { firstRequestSent } from '../../src/run/first-request.js'

test('a request counts as sent when it is on its way, before it is answered', async () => {
  const server = createServer()
  const { port, close } = await listen(server)
  const arrived = once(server, 'request')
  const sent = firstRequestSent()
  const asked = request({ port, method: 'POST' })
  let answered = false
  asked.on('response', () => (answered = true))
  asked.on('error', () => undefined)
  asked.end('body')
  await sent
  await arrived
  expect(answered).toBe(false)
  asked.destroy()
  await close()
})

test('a request that was made is not sent before it is ended', async () => {
  const server = createServer((_, response) => response.end())
  const { port, close } = await listen(server)
  let done = false
  const sent = firstRequestSent().then(() => (done = true))
  const first = request({ port, method: 'POST' })
  first.flushHeaders()
  await once(server, 'request')
  expect(done).toBe(false)
  first.end()
  await sent
  await once(first, 'response')
  await close()
})

test('what somebody else says on the channel is no request, and the first one after it counts', async () => {
  const server = createServer((_, response) => response.end())
  const { port, close } = await listen(server)
  const sent = firstRequestSent()
  channel('http.client.request.created').publish({ request: new EventEmitter() })
  const first = request({ port })
  first.end()
  await sent
  await once(first, 'response')
  await close()
})
