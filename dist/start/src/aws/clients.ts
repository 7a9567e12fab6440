import type { DescribeClusterCommandOutput } from '@aws-sdk/client-eks'
import type { CloudFormationClient } from '@aws-sdk/client-cloudformation'
import type { EC2Client } from '@aws-sdk/client-ec2'
import type { EKSClient } from '@aws-sdk/client-eks'
import type { EventBridgeClient } from '@aws-sdk/client-eventbridge'
import type { IAMClient } from '@aws-sdk/client-iam'
import type { SQSClient } from '@aws-sdk/client-sqs'
import type { SSMClient } from '@aws-sdk/client-ssm'
import type { STSClient } from '@aws-sdk/client-sts'
import type { AwsCredentialIdentityProvider, MiddlewareStack, Pluggable } from '@smithy/types'
import { once } from '../engine/once.js'
import type { Account } from './environment.js'
import type { Credentials } from './credentials.js'
import { isExpired } from './errors.js'
import { clientDefaults, type Connection, requestLogging } from './connection.js'
import type { RequestLog } from './request-log.js'
import type { ServerTime } from './server-time.js'

/** The AWS of one account and region. A client is loaded when it is first asked for; its package costs up to 200 ms. */
export interface Aws extends Clients {
  readonly account: Account
  readonly credentials: Credentials
  readonly requests: RequestLog
  readonly serverTime: ServerTime
  /** Endpoint of STS in the region; the EKS token is a presigned URL there. */
  readonly stsEndpoint: URL
  /** The answer about a cluster that was asked for while the credentials were proved; handed out once: it grows old. */
  readonly described?: Described
}

export type Described = (name: string) => Promise<DescribeClusterCommandOutput> | undefined

/** A client of each service, which needs no account. */
export interface Clients {
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
  stsEndpoint: URL,
  clients: Clients = openClients(connection, credentials)
): Aws {
  const { requests, serverTime } = connection
  return { ...clients, account, credentials, stsEndpoint, requests, serverTime }
}

export function openClients(connection: Connection, credentials: Credentials): Clients {
  // Of the moment in which a client is made: by then an answer may have said what time it is by AWS.
  const configuration = () => ({ ...clientDefaults(connection), credentials: askedEveryTime(credentials) })
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
    sts: once(async () => equipped(new (await import('./sdk/sts.js')).STSClient(configuration()))),
    iam: once(async () => equipped(new (await import('./sdk/iam.js')).IAMClient(configuration()))),
    ec2: once(async () => equipped(new (await import('./sdk/ec2.js')).EC2Client(configuration()))),
    eks: once(async () => equipped(new (await import('./sdk/eks.js')).EKSClient(configuration()))),
    cloudformation: once(async () =>
      equipped(new (await import('./sdk/cloudformation.js')).CloudFormationClient(configuration()))
    ),
    // A queue's URL says which queue is meant; where SQS is reached, AWS_ENDPOINT_URL_SQS and FIPS included, it does not.
    sqs: once(async () =>
      equipped(
        new (await import('./sdk/sqs.js')).SQSClient({ ...configuration(), useQueueUrlAsEndpoint: false })
      )
    ),
    eventbridge: once(async () =>
      equipped(new (await import('./sdk/eventbridge.js')).EventBridgeClient(configuration()))
    ),
    ssm: once(async () => equipped(new (await import('./sdk/ssm.js')).SSMClient(configuration()))),
    destroy: () => {
      for (const client of made) client.destroy()
      connection.destroy()
    }
  }
}
