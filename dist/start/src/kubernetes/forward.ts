import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { isMap } from '../engine/json.js'
import { isCreated } from './carried-out.js'
import { isManifest } from './manifest.js'
import type { Answer, Outgoing, Transport } from './transport.js'

/** A request that another program makes of the API server. */
export interface Forwarded {
  readonly method: Outgoing['method']
  /** With its query. */
  readonly path: string
  readonly headers: IncomingHttpHeaders
  /** Bytes, as text in latin1; undefined without a body. */
  readonly body: string | undefined
}

export interface ForwardedAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** Bytes, as text in latin1. */
  readonly body: string
}

export interface Forward {
  send(request: Forwarded): Promise<ForwardedAnswer>
  /** A watch or a log that is followed: the answer as it comes. */
  open(request: Forwarded, until: AbortSignal): Promise<IncomingMessage>
}

/** Headers of an answer that its body cannot be read without. */
const passedBack = ['content-type', 'content-encoding', 'retry-after', 'warning'] as const

export function forwarding(wire: Transport): Forward {
  const { signal } = new AbortController()
  return {
    open: async (request, until) => wire.open(outgoingOf(request, AbortSignal.any([signal, until]))),
    send: async (request) => {
      const answer = await wire.send(outgoingOf(request, signal))
      return (await ofFirstTry(wire, signal, request, answer)) ?? passed(answer)
    }
  }
}

function outgoingOf({ method, path, headers, body }: Forwarded, signal: AbortSignal): Outgoing {
  const acceptEncoding = headers['accept-encoding']
  return {
    method,
    path,
    signal,
    // A name is taken or gone the second time, which is looked at below; what is put or patched is put once more.
    repeatable: true,
    dryRun: path.includes('dryRun=All'),
    forwarded: { acceptEncoding: typeof acceptEncoding === 'string' ? acceptEncoding : undefined },
    ...(headers.accept !== undefined && { accept: headers.accept }),
    ...(headers['content-type'] !== undefined && { contentType: headers['content-type'] }),
    ...(body !== undefined && { body })
  }
}

/** What the first try would have been answered, when a later one is refused because of it. */
async function ofFirstTry(
  wire: Transport,
  signal: AbortSignal,
  request: Forwarded,
  answer: Answer
): Promise<ForwardedAnswer | undefined> {
  if (!answer.repeated) return undefined
  if (request.method === 'DELETE' && answer.status === 404) {
    return json(200, JSON.stringify({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success' }))
  }
  if (request.method !== 'POST' || answer.status !== 409) return undefined
  const sent = parsed(request.body)
  if (!isManifest(sent)) return undefined
  const [collection = '', query = ''] = request.path.split('?')
  const path = `${collection}/${encodeURIComponent(sent.metadata.name)}${query === '' ? '' : `?${query}`}`
  const found = await wire.send({
    ...outgoingOf({ method: 'GET', path, headers: {}, body: undefined }, signal),
    accept: 'application/json'
  })
  return found.status === 200 && isCreated(sent, parsed(found.body)) ? json(201, found.body) : undefined
}

function parsed(latin1: string | undefined): unknown {
  try {
    const value: unknown = JSON.parse(Buffer.from(latin1 ?? '', 'latin1').toString('utf8'))
    return isMap(value) ? value : undefined
  } catch {
    return undefined
  }
}

function json(status: number, body: string): ForwardedAnswer {
  return { status, headers: { 'content-type': 'application/json' }, body }
}

function passed({ status, headers, body }: Answer): ForwardedAnswer {
  const back = passedBack.flatMap((name) => {
    const value = headers[name]
    return typeof value === 'string' ? [[name, value] as const] : []
  })
  return { status, headers: Object.fromEntries(back), body }
}
