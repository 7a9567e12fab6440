import { randomBytes, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { messageOf } from '../engine/errors.js'
import type { Forward, Forwarded } from '../kubernetes/forward.js'

/** Where helm finds the cluster's API: on this machine, for whoever knows the path. */
export interface ApiRelay {
  /** With the secret as its path: helm's Kubernetes client sends no token over plain HTTP (client-go, clientcmd). */
  readonly url: string
  /** Of this relay only, and gone with it: the cluster's token stays in this process. */
  readonly secret: string
  close(): Promise<void>
}

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const

/**
 * helm gives up at the first answer that it does not like, in the middle of a release. Behind this it asks as patiently as
 * the run itself does, every write of its passes the run's lock, and no token of its grows too old.
 */
export async function startApiRelay(forward: Forward): Promise<ApiRelay> {
  const secret = randomBytes(32).toString('base64url')
  const server = createServer((incoming, response) => {
    answer(forward, secret, incoming, response).catch((error: unknown) => {
      if (response.headersSent) incoming.socket.destroy()
      else refuse(response, 503, 'ServiceUnavailable', messageOf(error))
    })
  })
  const port = await listening(server)
  return {
    url: `http://127.0.0.1:${port}/${secret}`,
    secret,
    close: async () => {
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    }
  }
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  // It serves a child of this process, and ends with it.
  server.unref()
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('helm: no port to serve it the API on')
  return address.port
}

async function answer(
  forward: Forward,
  secret: string,
  incoming: IncomingMessage,
  response: ServerResponse
): Promise<void> {
  const path = pathBelow(secret, incoming.url ?? '')
  if (path === undefined) {
    return refuse(response, 401, 'Unauthorized', 'this is served to the helm of one run')
  }
  const method = methods.find((one) => one === incoming.method)
  if (method === undefined) return refuse(response, 405, 'MethodNotAllowed', incoming.method ?? '')
  const body = await bodyOf(incoming)
  const request: Forwarded = { method, path, headers: incoming.headers, body: body === '' ? undefined : body }
  if (method === 'GET' && /[?&](watch|follow)=(true|1)\b/.test(path)) {
    const gone = new AbortController()
    incoming.socket.once('close', () => gone.abort())
    const stream = await forward.open(request, gone.signal)
    response.writeHead(stream.statusCode ?? 502, { 'content-type': stream.headers['content-type'] ?? '' })
    response.flushHeaders()
    stream.on('error', () => response.destroy())
    stream.pipe(response)
    return
  }
  const found = await forward.send(request)
  response.writeHead(found.status, found.headers).end(found.body, 'latin1')
}

/** What follows the secret; undefined for whoever does not know it. */
function pathBelow(secret: string, url: string): string | undefined {
  const end = secret.length + 1
  const given = Buffer.from(url.slice(1, end))
  const wanted = Buffer.from(secret)
  const known = given.length === wanted.length && timingSafeEqual(given, wanted) && url.startsWith('/', end)
  return known ? url.slice(end) : undefined
}

async function bodyOf(incoming: IncomingMessage): Promise<string> {
  incoming.setEncoding('latin1')
  let body = ''
  for await (const chunk of incoming) body += String(chunk)
  return body
}

function refuse(response: ServerResponse, code: number, reason: string, message: string): void {
  const status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', code, reason, message }
  response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(status))
}
