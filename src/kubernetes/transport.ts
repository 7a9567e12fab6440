import { request as httpsRequest, Agent } from 'node:https'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '../engine/errors.js'
import { isRefusedPatch, UnreachableError } from './errors.js'
import { textField } from './manifest.js'

/** One request that was sent, for the run's count. */
export interface KubernetesRequest {
  readonly method: string
  /** With its query. */
  readonly path: string
  /** HTTP status, or 0 when no answer came. */
  readonly status: number
  readonly milliseconds: number
}

export interface Connection {
  readonly endpoint: string
  /** PEM. */
  readonly certificateAuthority: string
  /** Called for each request; whoever gives it keeps it fresh. */
  readonly token: () => Promise<string>
  /** HTTPS_PROXY, NO_PROXY and their kin. */
  readonly proxyEnv: Readonly<Record<string, string | undefined>>
  readonly record: (request: KubernetesRequest) => void
  /** Milliseconds until an endpoint that does not answer is called unreachable. */
  readonly connectTimeout?: number
}

export interface Outgoing {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly body?: string
  readonly contentType?: string
  readonly accept?: string
  /** Whether sending it twice does no harm. */
  readonly repeatable: boolean
  readonly signal: AbortSignal
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface Transport {
  /** The answer, read to its end, whatever its status. */
  send(outgoing: Outgoing): Promise<Answer>
  /** The answer as it comes; the caller reads it to its end or destroys it. */
  open(outgoing: Outgoing): Promise<IncomingMessage>
  close(): void
}

const attempts = 5
const answerTimeout = 60_000
/** The server sends a bookmark about once a minute: a watch that is silent for longer is dead. */
const silenceTimeout = 150_000

export function transport(connection: Connection): Transport {
  const agent = new Agent({
    keepAlive: true,
    ca: connection.certificateAuthority,
    proxyEnv: { ...connection.proxyEnv }
  })

  // What close() cuts off is not to be sent again: it would keep the process for as long as it takes to fail.
  let closed = false

  async function open(outgoing: Outgoing, silence = silenceTimeout): Promise<IncomingMessage> {
    const token = await connection.token()
    const started = performance.now()
    const done = (status: number): void => {
      connection.record({
        method: outgoing.method,
        path: outgoing.path,
        status,
        milliseconds: Math.round(performance.now() - started)
      })
    }
    return new Promise((resolve, reject) => {
      const connectTimeout = connection.connectTimeout ?? 5_000
      const request = httpsRequest(new URL(outgoing.path, connection.endpoint), {
        method: outgoing.method,
        agent,
        signal: outgoing.signal,
        headers: {
          authorization: `Bearer ${token}`,
          accept: outgoing.accept ?? 'application/json',
          'user-agent': 'setup-karpenter',
          ...(outgoing.body !== undefined && {
            'content-type': outgoing.contentType ?? 'application/json',
            'content-length': Buffer.byteLength(outgoing.body)
          })
        }
      })
      const timer = setTimeout(() => {
        const seconds = connectTimeout / 1000
        request.destroy(
          new UnreachableError(connection.endpoint, `does not answer within ${seconds} s`, undefined)
        )
      }, connectTimeout)
      request.on('socket', (socket) => {
        if (request.reusedSocket || !socket.connecting) clearTimeout(timer)
        else socket.once('secureConnect', () => clearTimeout(timer))
      })
      request.setTimeout(silence, () => request.destroy(new SilenceError(silence)))
      request.once('response', (response) => {
        clearTimeout(timer)
        done(response.statusCode ?? 0)
        resolve(response)
      })
      request.once('error', (error) => {
        clearTimeout(timer)
        done(0)
        reject(error)
      })
      request.end(outgoing.body)
    })
  }

  async function once(outgoing: Outgoing): Promise<Answer> {
    const response = await open(outgoing, answerTimeout)
    response.setEncoding('utf8')
    let body = ''
    for await (const chunk of response) body += String(chunk)
    return { status: response.statusCode ?? 0, headers: response.headers, body }
  }

  return {
    open,
    send: async (outgoing) => {
      for (let attempt = 1; ; attempt++) {
        const last = attempt === attempts || !outgoing.repeatable
        const wait = 200 * 2 ** (attempt - 1)
        try {
          const answer = await once(outgoing)
          if (last || !isPassing(answer.status) || isRefusedPatch(answer)) return answer
          await sleep(retryAfter(answer.headers) ?? wait, undefined, { signal: outgoing.signal })
        } catch (error) {
          if (outgoing.signal.aborted) throw outgoing.signal.reason
          if (last || closed || !isPassingError(error)) throw unreachable(connection.endpoint, error)
          await sleep(wait, undefined, { signal: outgoing.signal })
        }
      }
    },
    close: () => {
      closed = true
      agent.destroy()
    }
  }
}

class SilenceError extends Error {
  readonly code = 'ETIMEDOUT'
  constructor(milliseconds: number) {
    super(`no data for ${milliseconds / 1000} s`)
    this.name = 'SilenceError'
  }
}

/** Whether an answer may be another one in a moment: throttled, or a server that starts or stops. */
export function isPassing(status: number): boolean {
  return status === 429 || status >= 500
}

/** Milliseconds, from Retry-After in seconds as the API server sends it; at most half a minute. */
export function retryAfter(headers: IncomingHttpHeaders): number | undefined {
  const seconds = Number(headers['retry-after'])
  return Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds, 30) * 1000 : undefined
}

export function codeOf(error: unknown): string | undefined {
  return textField(error, 'code')
}

const passingCodes = ['ECONNRESET', 'ECONNREFUSED', 'EPIPE', 'EAI_AGAIN', 'ETIMEDOUT', 'ECONNABORTED']

export function isPassingError(error: unknown): boolean {
  return passingCodes.includes(codeOf(error) ?? '')
}

/** The error as a person should see it: a broken connection is about the endpoint, the rest stays what it is. */
export function unreachable(endpoint: string, error: unknown): unknown {
  if (error instanceof UnreachableError) return error
  const code = codeOf(error)
  if (code === undefined) return error
  if (/CERT|SELF_SIGNED|UNABLE_TO_VERIFY/.test(code)) {
    return new UnreachableError(
      endpoint,
      `shows a certificate that the cluster's CA did not sign (${code})`,
      error
    )
  }
  return new UnreachableError(endpoint, `could not be reached: ${messageOf(error) || code}`, error)
}
