import { request as httpsRequest, Agent } from 'node:https'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { pipeline, type Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import pLimit from 'p-limit'
import { called } from '../engine/calls.js'
import { messageOf } from '../engine/errors.js'
import { Endurance, type Pace } from './endurance.js'
import { isRefusedPatch, NoApiServerError, StoppedAnsweringError, UnreachableError } from './errors.js'
import { textField } from './manifest.js'
import { ourName } from '../engine/owner.js'

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
  readonly pace: Pace
  /** Awaited before each try of a write; rejects when the run may not write any more. */
  readonly beforeWrite?: () => Promise<void>
  /** Whether the server has answered earlier in this job: it is waited for then, and not looked for. */
  readonly answered?: boolean
  /** Milliseconds until an endpoint that does not answer is called unreachable. */
  readonly connectTimeout?: number
}

export interface Outgoing {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly body?: string
  readonly contentType?: string
  readonly accept?: string
  /** Asked for another program, and no request of the run's own: bytes are text in latin1, and it is not counted. */
  readonly forwarded?: { readonly acceptEncoding: string | undefined }
  /** Whether sending it twice does no harm, when the first one may have been carried out. */
  readonly repeatable: boolean
  /** Sent once, by whoever tries again himself, and without the check before a write. */
  readonly direct?: boolean
  readonly dryRun?: boolean
  /** Whether it is meant whatever version the object has: a write that another one came before is made again. */
  readonly anyVersion?: boolean
  /** Takes the body of a success as it comes, and begins again with each try; the answer's own is empty then. */
  readonly reader?: BodyReader
  /** Throws SyntaxError where the body of a success is not what an API server answers; a reader says that itself. */
  readonly proves?: (body: string) => void
  readonly signal: AbortSignal
}

export interface BodyReader {
  restart(): void
  push(text: string): void
  /** Throws SyntaxError where what came is not the whole of what was asked for. */
  finish(): void
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
  /** An earlier try of it may have been carried out: its answer was lost, or a 5xx. */
  readonly repeated: boolean
}

export interface Transport {
  /** The answer, read to its end, whatever its status. */
  send(outgoing: Outgoing): Promise<Answer>
  /** The answer as it comes; the caller reads it to its end or destroys it. */
  open(outgoing: Outgoing): Promise<IncomingMessage>
  /** Whether the server has answered in this run. */
  readonly answered: boolean
  /** What close() has cut off does not go on. */
  readonly closed: boolean
  close(): void
}

/** How far a request has come: what died on a connection that was kept open was most likely never read. */
interface Progress {
  at: 'not sent' | 'on a kept connection' | 'sent'
}

const answerTimeout = 60_000
/** Each request under way has a connection, of 0.3 MB and a handshake: hundreds at once are slower and no smaller. */
const mostAtOnce = 32
/** The server sends a bookmark about once a minute: a connection that is silent for longer is dead. */
const silenceTimeout = 150_000

export function transport(connection: Connection): Transport {
  const agent = new Agent({
    keepAlive: true,
    ca: connection.certificateAuthority,
    proxyEnv: { ...connection.proxyEnv }
  })

  // Outside of a call's time: a wait for one's turn is nothing that the server took.
  const inTurn = pLimit(mostAtOnce)

  // What close() cuts off is not to be sent again: it would keep the process for as long as it takes to fail.
  let closed = false
  let answered = connection.answered === true
  /** The same of an answer that was whole, and no page of a proxy's. */
  let proved = answered

  async function open(
    outgoing: Outgoing,
    silence = silenceTimeout,
    progress: Progress = { at: 'not sent' },
    acceptEncoding = outgoing.forwarded?.acceptEncoding
  ): Promise<IncomingMessage> {
    // A destroyed agent would connect anew.
    if (closed) throw new Error('the client has been closed')
    const token = await connection.token()
    const started = performance.now()
    const done = (status: number): void => {
      if (outgoing.forwarded !== undefined) return
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
          'user-agent': ourName,
          ...(acceptEncoding !== undefined && { 'accept-encoding': acceptEncoding }),
          ...(outgoing.body !== undefined && {
            'content-type': outgoing.contentType ?? 'application/json',
            'content-length': Buffer.byteLength(outgoing.body, encodingOf(outgoing))
          })
        }
      })
      const timer = setTimeout(() => {
        request.destroy(new ConnectTimeoutError(connection.endpoint, connectTimeout / 1000))
      }, connectTimeout)
      request.on('socket', (socket) => {
        const connected = (): void => {
          clearTimeout(timer)
          progress.at = request.reusedSocket ? 'on a kept connection' : 'sent'
        }
        if (request.reusedSocket || !socket.connecting) connected()
        else socket.once('secureConnect', connected)
      })
      request.setTimeout(silence, () => request.destroy(new SilenceError(silence)))
      request.once('response', (response) => {
        clearTimeout(timer)
        answered = true
        progress.at = 'sent'
        done(response.statusCode ?? 0)
        resolve(response)
      })
      request.once('error', (error) => {
        clearTimeout(timer)
        done(0)
        reject(error)
      })
      request.end(outgoing.body, encodingOf(outgoing))
    })
  }

  async function once(outgoing: Outgoing, progress: Progress): Promise<Omit<Answer, 'repeated'>> {
    // A page of nodes is a thirtieth of its size then; the server packs what is longer than 128 KiB (apiserver's writers.go).
    const encoding = outgoing.forwarded === undefined ? 'gzip' : outgoing.forwarded.acceptEncoding
    const response = await open(outgoing, answerTimeout, progress, encoding)
    const text = outgoing.forwarded === undefined ? unpacked(response) : response
    text.setEncoding(encodingOf(outgoing))
    const reader = (response.statusCode ?? 0) < 300 ? outgoing.reader : undefined
    reader?.restart()
    let body = ''
    try {
      for await (const chunk of text) {
        if (reader === undefined) body += String(chunk)
        else reader.push(String(chunk))
      }
      reader?.finish()
      if ((response.statusCode ?? 0) < 300) outgoing.proves?.(body)
    } catch (error) {
      throw error instanceof SyntaxError ? new BrokenAnswerError(error) : error
    }
    proved = true
    return { status: response.statusCode ?? 0, headers: response.headers, body }
  }

  async function send(outgoing: Outgoing): Promise<Answer> {
    const endurance = new Endurance(connection.pace)
    const direct = outgoing.direct === true
    const guarded = outgoing.method !== 'GET' && outgoing.dryRun !== true && !direct
    let repeated = false
    const tried = async (): Promise<Answer | { readonly pause: number }> => {
      if (guarded) await connection.beforeWrite?.()
      const progress: Progress = { at: 'not sent' }
      try {
        const answer = await named(outgoing, async () => once(outgoing, progress))
        // Both are said before anything is done.
        const undone = answer.status === 429 || (outgoing.anyVersion === true && wasOvertaken(answer))
        const passing = undone || (isPassing(answer.status) && !isRefusedPatch(answer))
        const again = (outgoing.repeatable || undone) && !direct
        const pause =
          passing && again
            ? endurance.next(
                { answered, webhook: answer.body.includes('failed calling webhook') },
                retryAfter(answer.headers)
              )
            : undefined
        if (pause === undefined) return { ...answer, repeated }
        repeated ||= !undone
        return { pause }
      } catch (error) {
        if (outgoing.signal.aborted) throw outgoing.signal.reason
        const again = (outgoing.repeatable || progress.at !== 'sent') && !direct
        const passing = !closed && isPassingError(error, answered)
        const known = error instanceof BrokenAnswerError ? proved : answered
        const pause = passing && again ? endurance.next({ answered: known }, undefined) : undefined
        if (pause === undefined) {
          if (error instanceof BrokenAnswerError)
            throw new NoApiServerError(connection.endpoint, endurance.seconds, error)
          throw passing && answered
            ? new StoppedAnsweringError(connection.endpoint, endurance.seconds, error)
            : unreachable(connection.endpoint, error)
        }
        repeated ||= progress.at !== 'not sent'
        return { pause }
      }
    }
    for (;;) {
      // The lock is lost where its renewal waits behind others.
      const outcome = await (direct ? tried() : inTurn(tried))
      if ('status' in outcome) return outcome
      await connection.pace.pause(outcome.pause, outgoing.signal)
    }
  }

  return {
    open,
    send,
    get answered() {
      return answered
    },
    get closed() {
      return closed
    },
    close: () => {
      closed = true
      agent.destroy()
    }
  }
}

/** Another program's requests are no calls of the run: that program's work is. */
async function named<T>({ method, path, dryRun, forwarded }: Outgoing, send: () => Promise<T>): Promise<T> {
  if (forwarded !== undefined) return send()
  return called(`${method} ${path.replace(/\?.*$/, '')}${dryRun === true ? ' (dry run)' : ''}`, send)
}

/** What breaks the answer breaks what is read of it. */
function unpacked(response: IncomingMessage): Readable {
  if (response.headers['content-encoding'] !== 'gzip') return response
  return pipeline(response, createGunzip(), () => undefined)
}

function encodingOf(outgoing: Outgoing): 'latin1' | 'utf8' {
  return outgoing.forwarded === undefined ? 'utf8' : 'latin1'
}

/** A success that is cut off, or no answer of an API server's at all. */
export class BrokenAnswerError extends Error {
  readonly code = 'EBADMSG'
  constructor(cause: SyntaxError) {
    super(cause.message, { cause })
    this.name = 'BrokenAnswerError'
  }
}

class SilenceError extends Error {
  readonly code = 'ETIMEDOUT'
  constructor(milliseconds: number) {
    super(`no data for ${milliseconds / 1000} s`)
    this.name = 'SilenceError'
  }
}

/** Whether an answer may be another one in a moment: throttled, a request that did not come in time, a server that starts. */
export function isPassing(status: number): boolean {
  return status === 429 || status === 408 || status >= 500
}

/**
 * Another write came between the server's reading and its writing: of the object itself, which it tries five times, or of a
 * quota that counts it (apiserver's `OptimisticLockErrorMsg`).
 */
function wasOvertaken({ status, body }: Pick<Answer, 'status' | 'body'>): boolean {
  return status === 409 && body.includes('the object has been modified')
}

/** Milliseconds, from Retry-After in seconds as the API server sends it; at most half a minute. */
export function retryAfter(headers: IncomingHttpHeaders): number | undefined {
  const seconds = Number(headers['retry-after'])
  return Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds, 30) * 1000 : undefined
}

function codeOf(error: unknown): string | undefined {
  return textField(error, 'code')
}

class ConnectTimeoutError extends UnreachableError {
  readonly code = 'ETIMEDOUT'
  constructor(endpoint: string, seconds: number) {
    super(endpoint, `does not answer within ${seconds} s`, undefined)
  }
}

/** Of a network that breaks in the middle, as libuv and Node's TLS, HTTP and zlib call it, and what was broken on the way. */
const passingCodes =
  /^(EBADMSG|Z_[A-Z]+_ERROR|ECONNRESET|ECONNREFUSED|ECONNABORTED|EPIPE|EPROTO|EAI_AGAIN|ETIMEDOUT|ERR_STREAM_PREMATURE_CLOSE|HPE_.*)$/
/** What passes as well where the way to the server was open before, and is a wrong endpoint or network where it was not. */
const passingOnceAnswered =
  /^(ENOTFOUND|ENETDOWN|ENETUNREACH|EHOSTDOWN|EHOSTUNREACH|ERR_PROXY_.*|ERR_SSL_.*)$/

/** `answered`: whether the server has answered in this run. */
export function isPassingError(error: unknown, answered: boolean): boolean {
  const code = codeOf(error) ?? ''
  if (answered && passingOnceAnswered.test(code)) return true
  return passingCodes.test(code) && (answered || !(error instanceof ConnectTimeoutError))
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
