import type { Server } from 'node:net'

export interface Listening {
  readonly port: number
  /** Stops listening and ends the connections that are open. */
  readonly close: () => Promise<void>
}

/** Lets a server listen on a free port of 127.0.0.1 (or the port given). */
export async function listen(server: Server, port = 0): Promise<Listening> {
  const sockets = new Set<{ destroy(): void }>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject)
      resolve()
    })
  })
  const address = server.address()
  if (address === null || typeof address === 'string') {
    throw new Error('server: listens on no TCP port')
  }
  return {
    port: address.port,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) {
          socket.destroy()
        }
      })
  }
}
