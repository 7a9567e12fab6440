import { connect, createServer, type Socket } from 'node:net'
import { listen } from '../sandbox/listen.js'

export interface DelayingRelay {
  /** The endpoint, but for the port. */
  readonly endpoint: string
  stop(): Promise<void>
}

/** Stands before an endpoint of this machine and passes on whatever a client sends so many milliseconds later. */
export async function startDelayingRelay(endpoint: string, milliseconds: number): Promise<DelayingRelay> {
  const { hostname, port, protocol } = new URL(endpoint)
  const open = new Set<Socket>()
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname)
    upstream.pipe(client)
    // Timers of one length fire in the order in which they were set, so the bytes stay in order.
    client.on('data', (chunk) => setTimeout(() => void upstream.write(chunk), milliseconds))
    client.on('end', () => setTimeout(() => upstream.end(), milliseconds))
    const pair: readonly Socket[] = [client, upstream]
    for (const socket of pair) {
      socket.setNoDelay(true)
      open.add(socket)
      socket.on('error', () => pair.forEach((either) => either.destroy()))
      socket.on('close', () => open.delete(socket))
    }
  })
  const listening = await listen(server)
  return {
    endpoint: `${protocol}//${hostname}:${listening.port}`,
    stop: async () => {
      for (const socket of open) socket.destroy()
      await listening.close()
    }
  }
}
