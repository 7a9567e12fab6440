import type { IncomingMessage } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { KubernetesError } from './errors.js'
import type { Kind } from './kinds.js'
import { field, textField } from './manifest.js'
import { isPassing, isPassingError, retryAfter, unreachable } from './transport.js'

export type WatchEvent<T> = { readonly type: 'added' | 'modified' | 'deleted'; readonly object: T }

export interface WatchOptions<T> {
  readonly kind: Kind<T>
  /** Resource version to go on from. */
  readonly from: string
  readonly signal: AbortSignal
  readonly endpoint: string
  open(resourceVersion: string, signal: AbortSignal): Promise<IncomingMessage>
  errorOf(answer: { status: number; body: string }): KubernetesError
}

const types = new Map([
  ['ADDED', 'added'],
  ['MODIFIED', 'modified'],
  ['DELETED', 'deleted']
] as const)
const mostFailures = 6

/** The events of a watch over as many connections as it takes; ends when the signal is aborted. */
export async function* watchEvents<T>(options: WatchOptions<T>): AsyncGenerator<WatchEvent<T>, void, void> {
  let version = options.from
  let failures = 0
  const ended = (): boolean => options.signal.aborted
  while (!ended()) {
    const ends = new AbortController()
    let wait = 200 * 2 ** failures
    try {
      const response = await options.open(version, AbortSignal.any([options.signal, ends.signal]))
      const status = response.statusCode ?? 0
      if (status !== 200) {
        const answer = { status, body: await textOf(response) }
        if (!isPassing(status) || ++failures === mostFailures) throw options.errorOf(answer)
        wait = retryAfter(response.headers) ?? wait
      } else {
        for await (const line of linesOf(response)) {
          if (line === '') continue
          const event: unknown = JSON.parse(line)
          const raw = field(event, 'object')
          const type = textField(event, 'type')
          if (type === 'ERROR') {
            const code = field(raw, 'code')
            throw options.errorOf({
              status: typeof code === 'number' ? code : 500,
              body: JSON.stringify(raw)
            })
          }
          failures = 0
          version = textField(raw, 'metadata', 'resourceVersion') ?? version
          const change = [...types].find(([name]) => name === type)?.[1]
          if (change !== undefined && options.kind.is(raw)) yield { type: change, object: raw }
        }
        // Ended by the server, as it does every few minutes: at once again, but not in a tight loop.
        if (failures === 0) wait = 50
      }
    } catch (error) {
      if (ended()) return
      if (!isPassingError(error) || ++failures >= mostFailures) throw unreachable(options.endpoint, error)
    } finally {
      ends.abort()
    }
    try {
      await sleep(wait, undefined, { signal: options.signal })
    } catch {
      return
    }
  }
}

async function* linesOf(response: IncomingMessage): AsyncGenerator<string, void, void> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of response) {
    if (!Buffer.isBuffer(chunk)) continue
    rest += decoder.decode(chunk, { stream: true })
    const lines = rest.split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of response) if (Buffer.isBuffer(chunk)) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}
