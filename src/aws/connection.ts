import http from 'node:http'
import https from 'node:https'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import type { Pluggable } from '@smithy/types'
import { called } from '../engine/calls.js'
import { isMap } from '../engine/json.js'
import { askedFor } from './denials.js'
import { isWrite, RequestLog } from './request-log.js'
import { ServerTime } from './server-time.js'
import { wholeAnswers } from './whole-answers.js'
import { ourName } from '../engine/owner.js'

export interface ConnectionOptions {
  readonly region: string
  /** Proxy variables are taken from here; the SDK itself reads AWS_ENDPOINT_URL and the like from the process. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** Awaited before each try of a call that writes; rejects when the run may not write any more. */
  readonly beforeWrite?: () => Promise<void>
}

/** What all AWS clients of a run share: sockets, limits, the log of requests. */
export interface Connection {
  readonly region: string
  readonly requests: RequestLog
  readonly handler: NodeHttpHandler
  readonly now: () => number
  readonly serverTime: ServerTime
  readonly beforeWrite: () => Promise<void>
  destroy(): void
}

/** Sockets honour HTTPS_PROXY, HTTP_PROXY and NO_PROXY. */
export function openConnection(options: ConnectionOptions): Connection {
  const agent = { keepAlive: true, proxyEnv: { ...options.env } }
  const handler = new NodeHttpHandler({
    connectionTimeout: 5_000,
    requestTimeout: 30_000,
    throwOnRequestTimeout: true,
    httpAgent: new http.Agent(agent),
    httpsAgent: new https.Agent(agent)
  })
  return {
    region: options.region,
    requests: new RequestLog(),
    handler,
    now: options.now,
    serverTime: new ServerTime(options.now),
    beforeWrite: options.beforeWrite ?? (async () => undefined),
    destroy: () => handler.destroy()
  }
}

/** Settings that every client is made with. Standard mode retries network errors, throttling and 5xx, nothing else. */
export function clientDefaults(connection: Connection): {
  region: string
  requestHandler: NodeHttpHandler
  userAgentAppId: string
  retryMode: 'standard'
  maxAttempts: number
  systemClockOffset: number
} {
  return {
    region: connection.region,
    requestHandler: connection.handler,
    // As CloudTrail shows it in the user agent: app/setup-karpenter.
    userAgentAppId: ourName,
    retryMode: 'standard',
    maxAttempts: 4,
    // The SDK finds it out by a call that is refused; what earlier answers said saves that.
    systemClockOffset: connection.serverTime.ahead
  }
}

/**
 * Asks before each write, notes each attempt of each call, what time it is by AWS, and takes no answer for one that is none. Sits inside the retry loop, so that
 * an attempt is what is counted.
 */
export function requestLogging<I extends object, O extends object>(connection: Connection): Pluggable<I, O> {
  return {
    applyToStack: (stack) => {
      stack.add(
        (next, context) => async (args) => {
          const action = (context.commandName ?? '').replace(/Command$/, '')
          const write = isWrite(action)
          if (write) await connection.beforeWrite()
          const startedAt = connection.now()
          const service = (context.clientName ?? '').replace(/Client$/, '').toLowerCase()
          const note = (outcome: string): void => {
            connection.requests.add(
              {
                service,
                action,
                attempt: attemptOf(args.request),
                milliseconds: connection.now() - startedAt,
                outcome,
                write
              },
              args.input
            )
          }
          try {
            const result = await called(callName(service, action, args.input), async () => next(args))
            note('ok')
            return result
          } catch (error) {
            note(error instanceof Error ? error.name : 'unknown')
            askedFor(error, service, action)
            throw error
          }
        },
        { step: 'finalizeRequest', priority: 'low', name: 'requestLogging' }
      )
      stack.add(
        (next) => async (args) => {
          const result = await next(args)
          connection.serverTime.heard(headerOf(result.response, 'date'))
          return result
        },
        { step: 'deserialize', priority: 'low', name: 'serverTime' }
      )
      wholeAnswers<I, O>().applyToStack(stack)
    }
  }
}

/** `iam GetRole blue-karpenter`: what it is about, where one word of the input says it. */
function callName(service: string, action: string, input: unknown): string {
  const about = Object.entries(isMap(input) ? input : {}).find(
    ([name, value]) => typeof value === 'string' && /^(?!Next|.*(Session|Token))\w*(Name|Arn)$/i.test(name)
  )
  const named = about === undefined ? [] : [String(about[1]).replace(/^arn:([^:]*:){4}/, '')]
  return [service, action, ...named].join(' ')
}

/** From the SDK's own header, `attempt=2; max=4`. */
function attemptOf(request: unknown): number {
  return Number(/attempt=(\d+)/.exec(headerOf(request, 'amz-sdk-request') ?? '')?.[1] ?? 1)
}

function headerOf(message: unknown, name: string): string | undefined {
  const headers = isMap(message) ? message['headers'] : undefined
  const value = isMap(headers) ? headers[name] : undefined
  return typeof value === 'string' ? value : undefined
}
