import { createHash } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * Runs `work` while no other process does the same under this name.
 *
 * The lock is a socket that listens: the kernel takes it away when its owner dies, however it dies, and those who wait
 * are connected to it, so that they wake at once.
 */
export async function withLock<T>(name: string, onWait: () => void, work: () => Promise<T>): Promise<T> {
  const address = addressOf(name)
  let server = await tryToOwn(address)
  if (server === undefined) {
    onWait()
  }
  while (server === undefined) {
    await untilFreed(address)
    server = await tryToOwn(address)
  }
  try {
    return await work()
  } finally {
    server.release()
  }
}

interface Owned {
  release(): void
}

/** On Linux a name that is in no file system, so that nothing stale can be left of it. */
function addressOf(name: string): string {
  const id = createHash('sha256').update(name).digest('hex').slice(0, 32)
  return process.platform === 'linux'
    ? `\0setup-karpenter-${id}`
    : join(tmpdir(), `setup-karpenter-${id}.lock`)
}

async function tryToOwn(address: string): Promise<Owned | undefined> {
  const waiting = new Set<{ destroy(): void }>()
  const server: Server = createServer((socket) => {
    waiting.add(socket)
    socket.on('error', () => undefined).on('close', () => waiting.delete(socket))
  })
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') {
        resolve(undefined)
      } else {
        reject(error)
      }
    })
    server.listen(address, () => {
      server.unref()
      resolve({
        release: () => {
          server.close()
          for (const socket of waiting) {
            socket.destroy()
          }
        }
      })
    })
  })
}

async function untilFreed(address: string): Promise<void> {
  const refused = await new Promise<boolean>((resolve) => {
    const socket = connect(address)
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'))
    socket.on('close', () => resolve(false))
    socket.resume()
  })
  if (refused && !address.startsWith('\0')) {
    // Its owner died without a chance to take the file away.
    await rm(address, { force: true })
  }
}
