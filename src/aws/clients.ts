import http from 'node:http'
import https from 'node:https'
import type { CloudFormationClient } from '@aws-sdk/client-cloudformation'
import type { EC2Client } from '@aws-sdk/client-ec2'
import type { EKSClient } from '@aws-sdk/client-eks'
import type { EventBridgeClient } from '@aws-sdk/client-eventbridge'
import type { IAMClient } from '@aws-sdk/client-iam'
import type { SQSClient } from '@aws-sdk/client-sqs'
import type { SSMClient } from '@aws-sdk/client-ssm'
import type { STSClient } from '@aws-sdk/client-sts'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import type { AwsCredentialIdentityProvider, MiddlewareStack, Pluggable } from '@smithy/types'
import { isMap } from '../engine/json.js'
import { once } from '../engine/once.js'
import type { Account } from './environment.js'
import type { Credentials } from './credentials.js'
import { askedFor } from './denials.js'
import { isExpired } from './errors.js'
import { isWrite, RequestLog } from './request-log.js'
import { ServerTime } from './server-time.js'

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

/** The AWS of one account and region. A client is loaded when it is first asked for; its package costs up to 200 ms. */
export interface Aws {
  readonly account: Account
  readonly credentials: Credentials
  readonly requests: RequestLog
  readonly serverTime: ServerTime
  /** Endpoint of STS in the region; the EKS token is a presigned URL there. */
  readonly stsEndpoint: URL
  sts(): Promise<STSClient>
  iam(): Promise<IAMClient>
  ec2(): Promise<EC2Client>
  eks(): Promise<EKSClient>
  cloudformation(): Promise<CloudFormationClient>
  sqs(): Promise<SQSClient>
  eventbridge(): Promise<EventBridgeClient>
  ssm(): Promise<SSMClient>
  /** Closes every socket; no client works afterwards. */
  destroy(): void
}

/** As CloudTrail shows it in the user agent: app/setup-karpenter. */
const appId = 'setup-karpenter'

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
    userAgentAppId: appId,
    retryMode: 'standard',
    maxAttempts: 4,
    // The SDK finds it out by a call that is refused; what earlier answers said saves that.
    systemClockOffset: connection.serverTime.ahead
  }
}

/**
 * Asks before each write, notes each attempt of each call, and what time it is by AWS. Sits inside the retry loop, so that
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
            const result = await next(args)
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
    }
  }
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

/** A call that is refused because the session has expired is made once more with renewed credentials. */
function renewal<I extends object, O extends object>(credentials: Credentials): Pluggable<I, O> {
  return {
    applyToStack: (stack) => {
      stack.add(
        (next) => async (args) => {
          try {
            return await next(args)
          } catch (error) {
            if (!isExpired(error)) throw error
            await credentials.renew(error)
            try {
              return await next(args)
            } catch (again) {
              throw isExpired(again) ? credentials.expired(again) : again
            }
          }
        },
        { step: 'initialize', name: 'credentialRenewal' }
      )
    }
  }
}

/** The SDK asks a provider marked like this at every call instead of keeping the first answer for good. */
function askedEveryTime(credentials: Credentials): AwsCredentialIdentityProvider {
  return Object.assign(async () => credentials.get(), { memoized: true })
}

/** `stsEndpoint` is where GetCallerIdentity was answered: the region's own, or what AWS_ENDPOINT_URL says. */
export function openAws(
  connection: Connection,
  credentials: Credentials,
  account: Account,
  stsEndpoint: URL
): Aws {
  const configuration = { ...clientDefaults(connection), credentials: askedEveryTime(credentials) }
  const made: { destroy(): void }[] = []
  function equipped<I extends object, O extends object, C extends { destroy(): void }>(
    client: C & { readonly middlewareStack: MiddlewareStack<I, O> }
  ): C {
    client.middlewareStack.use(requestLogging<I, O>(connection))
    client.middlewareStack.use(renewal<I, O>(credentials))
    made.push(client)
    return client
  }
  return {
    account,
    credentials,
    stsEndpoint,
    requests: connection.requests,
    serverTime: connection.serverTime,
    sts: once(async () => equipped(new (await import('./sdk/sts.js')).STSClient(configuration))),
    iam: once(async () => equipped(new (await import('./sdk/iam.js')).IAMClient(configuration))),
    ec2: once(async () => equipped(new (await import('./sdk/ec2.js')).EC2Client(configuration))),
    eks: once(async () => equipped(new (await import('./sdk/eks.js')).EKSClient(configuration))),
    cloudformation: once(async () =>
      equipped(new (await import('./sdk/cloudformation.js')).CloudFormationClient(configuration))
    ),
    // A queue's URL says which queue is meant; where SQS is reached, AWS_ENDPOINT_URL_SQS and FIPS included, it does not.
    sqs: once(async () =>
      equipped(
        new (await import('./sdk/sqs.js')).SQSClient({ ...configuration, useQueueUrlAsEndpoint: false })
      )
    ),
    eventbridge: once(async () =>
      equipped(new (await import('./sdk/eventbridge.js')).EventBridgeClient(configuration))
    ),
    ssm: once(async () => equipped(new (await import('./sdk/ssm.js')).SSMClient(configuration))),
    destroy: () => {
      for (const client of made) client.destroy()
      connection.destroy()
    }
  }
}
