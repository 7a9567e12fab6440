import type { IncomingMessage } from 'node:http'
import { Endurance, type Pace } from './endurance.js'
import { type KubernetesError, StoppedAnsweringError } from './errors.js'
import type { Kind } from './kinds.js'
import { field, textField } from './manifest.js'
import { BrokenAnswerError, isPassing, isPassingError, retryAfter, unreachable } from './transport.js'

export type WatchEvent<T> =
  | { readonly type: 'added' | 'modified' | 'deleted'; readonly object: T }
  /** Nothing has changed; the server says so about once a minute. */
  | { readonly type: 'bookmark' }

export interface WatchOptions<T> {
  readonly kind: Kind<T>
  /** Resource version to go on from. */
  readonly from: string
  readonly signal: AbortSignal
  readonly endpoint: string
  readonly pace: Pace
  /** Whether the server has answered in this run. */
  answered(): boolean
  /** Whether the client has been closed. */
  closed(): boolean
  open(resourceVersion: string, signal: AbortSignal): Promise<IncomingMessage>
  errorOf(answer: { status: number; body: string }): KubernetesError
}

const types = new Map([
  ['ADDED', 'added'],
  ['MODIFIED', 'modified'],
  ['DELETED', 'deleted']
] as const)
/** Milliseconds before a watch that the server has ended goes on, as it ends each one after some minutes. */
const betweenWatches = 50
/** The same after one that was over at once, so that this is no tight loop. */
const afterShortWatch = 1_000
/** A connection that has lasted for so many milliseconds was a good one, although nothing may have come. */
const lastingMilliseconds = 10_000

/** The events of a watch over as many connections as it takes; ends when the signal is aborted or the client closed. */
export async function* watchEvents<T>(options: WatchOptions<T>): AsyncGenerator<WatchEvent<T>, void, void> {
  let version = options.from
  const endurance = new Endurance(options.pace)
  const ended = (): boolean => options.signal.aborted || options.closed()
  const pauseAfterFailure = (asked?: number): number | undefined =>
    endurance.next({ answered: options.answered() }, asked)
  while (!ended()) {
    const ends = new AbortController()
    const openedAt = options.pace.monotonic()
    const lasted = (): boolean => options.pace.monotonic() - openedAt >= lastingMilliseconds
    let heard = false
    let pause: number | undefined
    try {
      const response = await options.open(version, AbortSignal.any([options.signal, ends.signal]))
      const status = response.statusCode ?? 0
      if (status !== 200) {
        const answer = { status, body: await textOf(response) }
        pause = isPassing(status) ? pauseAfterFailure(retryAfter(response.headers)) : undefined
        if (pause === undefined) throw options.errorOf(answer)
      } else {
        for await (const line of linesOf(response)) {
          if (line === '') continue
          const event = eventOf(line)
          const raw = field(event, 'object')
          const type = textField(event, 'type')
          if (type === 'ERROR') {
            const answer = answerOf(raw)
            pause = isPassing(answer.status) ? pauseAfterFailure() : undefined
            if (pause === undefined) throw options.errorOf(answer)
            break
          }
          heard = true
          endurance.reset()
          version = textField(raw, 'metadata', 'resourceVersion') ?? version
          const change = [...types].find(([name]) => name === type)?.[1]
          if (change !== undefined && options.kind.is(raw)) yield { type: change, object: raw }
          else if (type === 'BOOKMARK') yield { type: 'bookmark' }
        }
        pause ??= heard || lasted() ? betweenWatches : afterShortWatch
      }
    } catch (error) {
      if (ended()) return
      if (lasted()) endurance.reset()
      const answered = options.answered()
      if (!isPassingError(error, answered)) throw unreachable(options.endpoint, error)
      pause = pauseAfterFailure()
      if (pause === undefined) {
        throw answered
          ? new StoppedAnsweringError(options.endpoint, endurance.seconds, error)
          : unreachable(options.endpoint, error)
      }
    } finally {
      ends.abort()
    }
    try {
      await options.pace.pause(pause, options.signal)
    } catch {
      return
    }
  }
}

function eventOf(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch (error) {
    throw error instanceof SyntaxError ? new BrokenAnswerError(error) : error
  }
}

/** What the server says in a watch that it cannot go on with. */
function answerOf(status: unknown): { status: number; body: string } {
  const code = field(status, 'code')
  return { status: typeof code === 'number' ? code : 500, body: JSON.stringify(status) }
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
