import { connect, createServer, type Socket } from 'node:net'
import { listen } from '../sandbox/listen.js'

export interface DelayingRelay {
  /** The endpoint, but for the port. */
  readonly endpoint: string
  stop(): Promise<void>
}

export interface Distance {
  /** Milliseconds there and back; all of them are spent on the way there. */
  readonly roundTrip: number
  /** Round trips before a new connection takes its first byte, beyond those that pass through as bytes; none when absent. */
  readonly setUp?: number
}

/** Stands before an endpoint of this machine and passes on whatever a client sends as late as if it were so far away. */
export async function startDelayingRelay(
  endpoint: string,
  { roundTrip, setUp = 0 }: Distance
): Promise<DelayingRelay> {
  const { hostname, port, protocol } = new URL(endpoint)
  const open = new Set<Socket>()
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname)
    upstream.pipe(client)
    const usableAt = performance.now() + setUp * roundTrip
    const waiting: (() => void)[] = []
    // Timers of different lengths can fire out of turn: each passes on what has waited longest, so the bytes stay in order.
    const later = (pass: () => void): void => {
      waiting.push(pass)
      const delay = roundTrip + Math.max(0, usableAt - performance.now())
      setTimeout(() => waiting.shift()?.(), delay)
    }
    client.on('data', (chunk) => later(() => void upstream.write(chunk)))
    client.on('end', () => later(() => void upstream.end()))
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
