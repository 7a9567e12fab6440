import { createServer } from 'node:http'
import { connect, type Socket } from 'node:net'
import { listen } from '../sandbox/listen.js'

export interface DelayingProxy {
  /** http://127.0.0.1:1234, for HTTPS_PROXY. */
  readonly url: string
  stop(): Promise<void>
}

/** A proxy that leads CONNECT where it says, and passes on whatever the client sends so many milliseconds later. */
export async function startDelayingProxy(milliseconds: number): Promise<DelayingProxy> {
  const open = new Set<Socket>()
  const server = createServer()
  server.on('connect', (request, client: Socket) => {
    const { hostname, port } = new URL(`https://${request.url ?? ''}`)
    const upstream = connect(port === '' ? 443 : Number(port), hostname, () => {
      client.write('HTTP/1.1 200 Connection Established\r\n\r\n')
      upstream.pipe(client)
      // Timers of one length fire in the order in which they were set, so the bytes stay in order.
      client.on('data', (chunk) => setTimeout(() => void upstream.write(chunk), milliseconds))
      client.on('end', () => setTimeout(() => upstream.end(), milliseconds))
    })
    const pair: readonly Socket[] = [client, upstream]
    for (const socket of pair) {
      open.add(socket)
      socket.on('error', () => pair.forEach((either) => either.destroy()))
      socket.on('close', () => open.delete(socket))
    }
  })
  const listening = await listen(server)
  return {
    url: `http://127.0.0.1:${listening.port}`,
    stop: async () => {
      for (const socket of open) socket.destroy()
      await listening.close()
    }
  }
}
