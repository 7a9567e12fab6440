import { Agent, request as send, type RequestOptions } from 'node:https'
import { createInterface } from 'node:readline'
import { idleTimeout } from '../control-plane/kept-connection.js'
import { isRecord, record, text } from '../values.js'

/** Whom the API server takes a request for. */
export interface ApiIdentity {
  readonly username: string
  readonly groups: readonly string[]
}

export interface ApiAnswer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
}

export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  readonly object: Readonly<Record<string, unknown>>
}

export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly body?: unknown
  /** Of a PATCH; a merge patch when absent. */
  readonly contentType?: string
  /** Acts as this user, so that what the user may not do is refused; the administrator when absent. */
  readonly as?: ApiIdentity
}

export interface ApiClient {
  /** Any HTTP answer is an answer; only a lost connection throws. */
  request(request: ApiRequest): Promise<ApiAnswer>
  /** Lists, then watches, and does so again whenever the watch ends, until stopped. */
  watch(path: string, onEvent: (event: WatchEvent) => void): { stop(): void }
  close(): void
}

export interface ApiAccess {
  readonly endpoint: string
  readonly caPem: string
  readonly certPem: string
  readonly keyPem: string
}

const PAUSE = 200

/** Talks to an API server with a client certificate in system:masters. */
export function connectApi(access: ApiAccess): ApiClient {
  const { caPem, certPem, keyPem } = access
  const agent = new Agent({ keepAlive: true, timeout: idleTimeout, ca: caPem, cert: certPem, key: keyPem })
  const options = (method: string, identity: ApiIdentity | undefined): RequestOptions => ({
    agent,
    method,
    headers: {
      accept: 'application/json',
      ...(identity === undefined
        ? {}
        : {
            'impersonate-user': identity.username,
            'impersonate-group': [...identity.groups, 'system:authenticated']
          })
    }
  })

  const request = async (call: ApiRequest): Promise<ApiAnswer> =>
    new Promise((resolve, reject) => {
      const payload = call.body === undefined ? undefined : JSON.stringify(call.body)
      const outgoing = send(
        new URL(call.path, access.endpoint),
        options(call.method, call.as),
        (response) => {
          let answer = ''
          response.setEncoding('utf8')
          response.on('data', (chunk: string) => (answer += chunk))
          response.on('error', reject)
          response.on('end', () => resolve({ status: response.statusCode ?? 0, body: parsed(answer) }))
        }
      )
      outgoing.on('error', reject)
      if (payload !== undefined) {
        const patch = call.method === 'PATCH' ? 'application/merge-patch+json' : 'application/json'
        outgoing.setHeader('content-type', call.contentType ?? patch)
        // Node frames no body of a DELETE by itself: the server would take it for the next request.
        outgoing.setHeader('content-length', Buffer.byteLength(payload))
      }
      outgoing.end(payload)
    })

  const watch: ApiClient['watch'] = (path, onEvent) => {
    let stopped = false
    let current: { destroy(): void } | undefined
    let timer: NodeJS.Timeout | undefined
    const known = new Map<string, Readonly<Record<string, unknown>>>()

    const follow = async (version: string): Promise<void> =>
      new Promise((resolve, reject) => {
        const url = new URL(path, access.endpoint)
        url.searchParams.set('watch', 'true')
        url.searchParams.set('resourceVersion', version)
        const outgoing = send(url, options('GET', undefined), (response) => {
          const lines = createInterface({ input: response })
          // Readline hands the stream's errors on; an aborted watch is one of them.
          lines.on('error', () => resolve())
          lines.on('line', (line) => {
            const event = parsed(line)
            const object = record(event['object'])
            const type = event['type']
            if (type !== 'ADDED' && type !== 'MODIFIED' && type !== 'DELETED') {
              response.destroy()
              return
            }
            const uid = uidOf(object)
            if (type === 'DELETED') {
              known.delete(uid)
            } else {
              known.set(uid, object)
            }
            onEvent({ type, object })
          })
          response.on('close', () => resolve())
          response.on('error', reject)
        })
        current = outgoing
        outgoing.on('error', reject)
        outgoing.end()
      })

    const start = async (): Promise<void> => {
      const listed = await request({ method: 'GET', path })
      if (stopped) {
        return
      }
      const items = Array.isArray(listed.body['items']) ? listed.body['items'].filter(isRecord) : []
      const present = new Set(items.map(uidOf))
      for (const [uid, object] of [...known]) {
        if (!present.has(uid)) {
          known.delete(uid)
          onEvent({ type: 'DELETED', object })
        }
      }
      for (const object of items) {
        const type = known.has(uidOf(object)) ? 'MODIFIED' : 'ADDED'
        known.set(uidOf(object), object)
        onEvent({ type, object })
      }
      await follow(text(record(listed.body['metadata'])['resourceVersion']) ?? '0')
    }
    const again = (): void => {
      if (!stopped) {
        start()
          .catch(() => undefined)
          .finally(() => {
            if (!stopped) {
              timer = setTimeout(again, PAUSE)
            }
          })
      }
    }
    again()
    return {
      stop: () => {
        stopped = true
        clearTimeout(timer)
        current?.destroy()
      }
    }
  }

  return { request, watch, close: () => agent.destroy() }
}

function uidOf(object: Readonly<Record<string, unknown>>): string {
  return text(record(object['metadata'])['uid']) ?? ''
}

function parsed(answer: string): Readonly<Record<string, unknown>> {
  try {
    return record(JSON.parse(answer))
  } catch {
    return { message: answer }
  }
}
