import { createServer, request as httpsRequest, Agent } from 'node:https'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { IssuedCertificate } from '../certificates.js'
import type { ApiFault } from './api-faults.js'
import { listen, type Listening } from '../listen.js'

/** A request on its way to the API server. */
export interface RelayedCall {
  readonly method: string
  /** With its query. */
  readonly path: string
  /** `karpenter`, `Helm/3.22.0`: who asks. */
  readonly userAgent: string
}

export interface FaultyRelay {
  /** https://127.0.0.1:PORT, in place of the API server's own. */
  readonly endpoint: string
  /** Asked for each call; undefined: it passes. */
  fault: (call: RelayedCall) => ApiFault | undefined
  /** Asked at each write that is no dry run, before it is passed on and when it has been answered. */
  gate: (call: RelayedCall, moment: 'before' | 'after') => Promise<'pass' | 'cut'>
  /** Every call that came, with what became of it. */
  readonly calls: readonly (RelayedCall & { readonly fault: ApiFault | undefined })[]
  /** Cuts every connection and refuses new ones for so many milliseconds. */
  outage(milliseconds: number): Promise<void>
  stop(): Promise<void>
}

export interface FaultyRelayOptions {
  readonly endpoint: string
  /** PEM, of the API server behind. */
  readonly caCertificate: string
  /** Of 127.0.0.1, signed by an authority that the clients trust. */
  readonly certificate: IssuedCertificate
}

/** Stands before an API server, and is in trouble when it is told to be. */
export async function startFaultyRelay(options: FaultyRelayOptions): Promise<FaultyRelay> {
  const agent = new Agent({ ca: options.caCertificate, keepAlive: true })
  const calls: (RelayedCall & { readonly fault: ApiFault | undefined })[] = []
  const sockets = new Set<{ destroy(): void }>()

  const forward = (incoming: IncomingMessage, body: Buffer): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const outgoing = httpsRequest(new URL(incoming.url ?? '/', options.endpoint), {
        method: incoming.method ?? 'GET',
        headers: incoming.headers,
        agent
      })
      outgoing.once('response', resolve).once('error', reject)
      // Whoever has gone does not leave a watch open behind the relay.
      const leave = (): void => void outgoing.destroy()
      incoming.socket.once('close', leave)
      outgoing.once('close', () => incoming.socket.off('close', leave))
      outgoing.end(body)
    })

  async function answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of incoming) if (Buffer.isBuffer(chunk)) chunks.push(chunk)
    const call = {
      method: incoming.method ?? '',
      path: incoming.url ?? '',
      userAgent: incoming.headers['user-agent'] ?? ''
    }
    const fault = started.fault(call)
    calls.push({ ...call, fault })
    const body = Buffer.concat(chunks)
    if (fault === undefined) {
      const write = call.method !== 'GET' && !call.path.includes('dryRun=All')
      if (write && (await started.gate(call, 'before')) === 'cut') return void incoming.socket.destroy()
      const passed = await forward(incoming, body)
      if (write && (await started.gate(call, 'after')) === 'cut') return void incoming.socket.destroy()
      response.writeHead(passed.statusCode ?? 502, passed.headers)
      response.flushHeaders()
      passed.pipe(response)
      return
    }
    if (fault.done === true && call.method !== 'GET') (await forward(incoming, body)).resume()
    if (fault.answer === 'reset') return void incoming.socket.destroy()
    const status = {
      kind: 'Status',
      apiVersion: 'v1',
      status: 'Failure',
      code: fault.answer,
      message: 'in trouble'
    }
    response
      .writeHead(fault.answer, {
        'content-type': 'application/json',
        ...(fault.answer === 429 && { 'retry-after': '1' })
      })
      .end(JSON.stringify(status))
  }

  const { certPem, keyPem } = options.certificate
  const open = async (port?: number): Promise<Listening> => {
    const server = createServer(
      { cert: certPem, key: keyPem, keepAliveTimeout: 120_000 },
      (incoming, response) => {
        answer(incoming, response).catch(() => incoming.socket.destroy())
      }
    )
    server.on('connection', (socket) => {
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
    })
    return listen(server, port)
  }
  let listening = await open()
  const { port } = listening
  const started: FaultyRelay = {
    endpoint: `https://127.0.0.1:${port}`,
    fault: () => undefined,
    gate: async () => 'pass',
    calls,
    outage: async (milliseconds) => {
      for (const socket of sockets) socket.destroy()
      await listening.close()
      await new Promise((resolve) => setTimeout(resolve, milliseconds))
      listening = await open(port)
    },
    stop: async () => {
      for (const socket of sockets) socket.destroy()
      agent.destroy()
      await listening.close()
    }
  }
  return started
}
