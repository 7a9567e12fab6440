import { randomUUID } from 'node:crypto'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Asker } from './authorisation.js'
import type { CredentialStore } from './credentials/store.js'
import { refused, verify } from './credentials/verify.js'
import type { Home } from './partition.js'
import { answerFaults, requestFaults } from './model/judge.js'
import { ConnectionReset, type Pipeline } from './pipeline.js'
import { type AwsCall, AwsError, type Caller, RawReply, type Service } from './service.js'
import { type Asked, errorReply, outputReply } from './wire/reply.js'
import { hostParts, parseCall, readRequest, serviceName } from './wire/request.js'
import { readSignature, type Signature, type SignedRequest } from './wire/signature.js'

export interface FrontParts {
  readonly home: Home
  readonly now: () => number
  readonly services: ReadonlyMap<string, Service>
  readonly credentials: CredentialStore
  readonly pipeline: Pipeline
  /** Told each fault of a request or answer by the service's own model. */
  readonly unlike: (fault: string) => unknown
  /** Answers a POST whose path is no AWS API's (the clusters' token webhook) with JSON; undefined: it is one. */
  readonly aside: (path: string, body: string) => Promise<string> | undefined
}

/** Actions that carry their own proof of identity instead of a signature. */
const unsigned = new Set(['sts AssumeRoleWithWebIdentity'])

/** What AWS does before a service sees a call, for HTTP and TLS alike. */
export function front(parts: FrontParts): RequestListener {
  return (message, response) => {
    handle(parts, message, response).catch((error: unknown) => {
      if (!(error instanceof ConnectionReset)) console.error(error)
      message.socket.destroy()
    })
  }
}

async function handle(parts: FrontParts, message: IncomingMessage, response: ServerResponse): Promise<void> {
  const request = await readRequest(message)
  const aside = request.method === 'POST' ? parts.aside(request.url.pathname, request.body) : undefined
  if (aside !== undefined) {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(await aside)
    return
  }
  const reply = await answer(parts, request)
  response.writeHead(reply.status, {
    ...reply.headers,
    date: new Date(parts.now()).toUTCString(),
    'content-length': Buffer.byteLength(reply.body).toString()
  })
  response.end(reply.body)
}

async function answer(parts: FrontParts, request: SignedRequest): Promise<RawReply> {
  const signature = readSignature(request)
  const read = signature === 'malformed' ? undefined : signature
  const name = serviceName(request, read)
  const service = name === undefined ? undefined : parts.services.get(name)
  const asked: Asked = {
    protocol: service?.protocol ?? 'query',
    service: name ?? '',
    action: '',
    requestId: randomUUID(),
    contentType: request.headers['content-type']
  }
  if (service === undefined) {
    return errorReply(
      asked,
      new AwsError('UnknownEndpoint', `No service ${name ?? 'named'} listens here`, 404)
    )
  }
  try {
    const { action, input } = parseCall(service, request)
    const tell = (side: string) => (fault: string) =>
      parts.unlike(`${service.name} ${action}, ${side}: ${fault}`)
    requestFaults(service.name, action, input).forEach(tell('request'))
    const region = read?.region ?? hostParts(request.url.hostname)?.region ?? parts.home.region
    const partial = { service: service.name, action, region, input, http: httpOf(request) }
    const reply = await performed(parts, service, { ...asked, action }, partial, { request, signature })
    answerFaults(service.name, action, reply).forEach(tell('answer'))
    return reply
  } catch (error) {
    if (error instanceof AwsError) return errorReply(asked, error)
    throw error
  }
}

interface Received {
  readonly request: SignedRequest
  readonly signature: Signature | 'malformed' | undefined
}

async function performed(
  parts: FrontParts,
  service: Service,
  asked: Asked,
  partial: Omit<AwsCall, 'caller'>,
  { request, signature }: Received
): Promise<RawReply> {
  const host = request.url.host
  try {
    const asker = authenticated(parts, service, partial, { request, signature })
    const call: AwsCall = { ...partial, caller: asker.caller }
    const output = await parts.pipeline.perform(service, call, asker, host)
    return output instanceof RawReply ? output : outputReply(asked, output)
  } catch (error) {
    if (error instanceof Unauthenticated) {
      parts.pipeline.record({ ...partial, caller: nobody(parts) }, host, error.refusal.code)
      return errorReply(asked, error.refusal)
    }
    if (error instanceof AwsError) return errorReply(asked, error)
    if (error instanceof ConnectionReset) throw error
    console.error(error)
    return errorReply(
      asked,
      new AwsError('InternalFailure', `${partial.service} ${partial.action} failed`, 500)
    )
  }
}

/** A refusal from before the pipeline, which therefore has not recorded it. */
class Unauthenticated extends Error {
  readonly refusal: AwsError
  constructor(refusal: AwsError) {
    super(refusal.message)
    this.refusal = refusal
  }
}

function authenticated(
  parts: FrontParts,
  service: Service,
  partial: Omit<AwsCall, 'caller'>,
  { request, signature }: Received
): Asker {
  try {
    if (signature === 'malformed') throw refused(service.protocol, 'malformed')
    if (signature === undefined) {
      if (!unsigned.has(`${service.name} ${partial.action}`)) throw refused(service.protocol, 'missing')
      return { caller: nobody(parts), region: partial.region, tags: {} }
    }
    checkScope(request, signature, service)
    const session = verify(parts.credentials, request, signature, service.protocol, parts.now())
    return {
      caller: session.caller,
      region: partial.region,
      tags: session.tags,
      ...(session.policy === undefined ? {} : { sessionPolicy: session.policy })
    }
  } catch (error) {
    throw error instanceof AwsError ? new Unauthenticated(error) : error
  }
}

/** At AWS's own host names the scope must name that host's service and region; elsewhere it is all there is to go by. */
function checkScope(request: SignedRequest, signature: Signature, service: Service): void {
  const host = hostParts(request.url.hostname)
  // iam.us-gov.amazonaws.com is global within its partition.
  if (host?.region === undefined || host.region === 'us-gov' || host.region === signature.region) return
  const message = 'Credential should be scoped to a valid region.'
  throw new AwsError(
    service.protocol === 'query' ? 'SignatureDoesNotMatch' : 'InvalidSignatureException',
    message,
    403
  )
}

function nobody(parts: FrontParts): Caller {
  return { arn: '', accountId: parts.home.accountId, userId: '', roleArn: '', expiresAt: Infinity }
}

function httpOf(request: SignedRequest): AwsCall['http'] {
  return {
    method: request.method,
    path: `${request.url.pathname}${request.url.search}`,
    headers: request.headers,
    body: request.body
  }
}
