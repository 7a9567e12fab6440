import { createServer } from 'node:http'
import { connect, type Socket } from 'node:net'
import { listen } from './listen.js'

export interface ProxyOptions {
  /** Port of 127.0.0.1 that serves this host over TLS; undefined refuses the connection. */
  readonly portFor: (host: string) => number | undefined
}

export interface Proxy {
  /** http://127.0.0.1:1234, for HTTPS_PROXY. */
  readonly url: string
  /** host:port of each CONNECT in order, refused ones too. */
  readonly connections: readonly ProxyConnection[]
  /** From now on these hosts are refused too; those of an earlier call are not any more. */
  setUnreachable(hosts: readonly string[]): void
  stop(): Promise<void>
}

export interface ProxyConnection {
  readonly host: string
  readonly port: number
  readonly refused: boolean
}

/** A proxy that leads the public hosts' names to the sandbox's own listeners and refuses every other. */
export async function startProxy(options: ProxyOptions): Promise<Proxy> {
  const connections: ProxyConnection[] = []
  const open = new Set<Socket>()
  let unreachable: readonly string[] = []
  const server = createServer((request, response) => {
    request.resume()
    response.writeHead(405, { 'content-type': 'text/plain' })
    response.end('This proxy takes CONNECT only\n')
  })
  server.on('connect', (request, client: Socket) => {
    const { hostname, port } = new URL(`https://${request.url ?? ''}`)
    const target = unreachable.includes(hostname) ? undefined : options.portFor(hostname)
    connections.push({
      host: hostname,
      port: Number(port === '' ? 443 : port),
      refused: target === undefined
    })
    client.on('error', () => client.destroy())
    if (target === undefined) {
      client.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n')
      return
    }
    const upstream = connect(target, '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection Established\r\n\r\n')
      upstream.pipe(client)
      client.pipe(upstream)
    })
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client]
    ] as const) {
      open.add(socket)
      socket.on('close', () => {
        open.delete(socket)
        other.destroy()
      })
      socket.on('error', () => other.destroy())
    }
  })
  const listening = await listen(server)
  return {
    url: `http://127.0.0.1:${listening.port}`,
    connections,
    setUnreachable: (hosts) => {
      unreachable = hosts
    },
    stop: async () => {
      for (const socket of open) {
        socket.destroy()
      }
      await listening.close()
    }
  }
}
