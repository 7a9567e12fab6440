import type { IncomingMessage } from 'node:http'
import { AwsError, type Service } from '../service.js'
import { parseJsonObject } from './json.js'
import { parseQuery } from './query.js'
import { route } from './routes.js'
import type { Signature, SignedRequest } from './signature.js'

const largestBody = 4 * 1024 * 1024

/** Header names in lower case; those that came more than once are joined. */
export async function readRequest(message: IncomingMessage): Promise<SignedRequest> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of message) {
    const bytes = Buffer.from(chunk as Uint8Array)
    size += bytes.length
    if (size > largestBody) throw new AwsError('RequestEntityTooLarge', 'Request size exceeded', 413)
    chunks.push(bytes)
  }
  const headers = Object.fromEntries(
    Object.entries(message.headers).map(([name, value]) => [name, [value ?? ''].flat().join(',')])
  )
  const host = headers['host'] ?? 'localhost'
  return {
    method: message.method ?? 'GET',
    url: new URL(message.url ?? '/', `http://${host}`),
    headers,
    body: Buffer.concat(chunks).toString('utf8')
  }
}

/** Fields of the query protocols: in the body of a POST, else in the query. */
function formOf(request: SignedRequest): URLSearchParams {
  const isForm = (request.headers['content-type'] ?? '').startsWith('application/x-www-form-urlencoded')
  return request.method === 'POST' && isForm ? new URLSearchParams(request.body) : request.url.searchParams
}

/** By the signature's scope; unsigned, by an STS action that needs none; else by the host. */
export function serviceName(request: SignedRequest, signature: Signature | undefined): string | undefined {
  if (signature !== undefined) return signature.service
  const action = formOf(request).get('Action')
  if (action?.startsWith('AssumeRoleWith') === true || action === 'GetCallerIdentity') return 'sts'
  return hostParts(request.url.hostname)?.service
}

export interface HostParts {
  readonly service: string
  /** Undefined for global endpoints such as iam.amazonaws.com. */
  readonly region: string | undefined
}

/** sts.us-west-2.amazonaws.com, iam.amazonaws.com, api.pricing.us-east-1.amazonaws.com, eks-auth.us-west-2.api.aws */
export function hostParts(hostname: string): HostParts | undefined {
  const match = /^(?:api\.)?([a-z0-9-]+)(?:\.([a-z0-9-]+))?\.(?:amazonaws\.com(?:\.cn)?|api\.aws)$/.exec(
    hostname
  )
  if (match?.[1] === undefined) return undefined
  return { service: match[1], region: match[2] }
}

/** Action and input, by the service's protocol. */
export function parseCall(
  service: Pick<Service, 'name' | 'protocol'>,
  request: SignedRequest
): { readonly action: string; readonly input: Readonly<Record<string, unknown>> } {
  switch (service.protocol) {
    case 'query':
    case 'ec2': {
      const form = formOf(request)
      const action = form.get('Action')
      if (action === null || action === '') throw new AwsError('MissingAction', 'Missing Action', 400)
      return { action, input: parseQuery(form) }
    }
    case 'json': {
      const action = (request.headers['x-amz-target'] ?? '').split('.').at(-1) ?? ''
      if (action === '') throw new AwsError('UnknownOperationException', 'The X-Amz-Target header is missing')
      return { action, input: jsonBody(request) }
    }
    case 'rest-json': {
      const routed = route(service.name, request.method, request.url)
      if (routed === undefined) {
        throw new AwsError(
          'UnknownOperationException',
          `No operation at ${request.method} ${request.url.pathname}`,
          404
        )
      }
      return { action: routed.action, input: { ...jsonBody(request), ...routed.input } }
    }
  }
}

function jsonBody(request: SignedRequest): Readonly<Record<string, unknown>> {
  const body = parseJsonObject(request.body)
  if (body === undefined)
    throw new AwsError('SerializationException', 'The request body is not a JSON object')
  return body
}
