import type { Asker } from './authorisation.js'
import { ConnectionReset, outcomeOf, type Pipeline } from './pipeline.js'
import { type AwsCall, AwsError, type Invocation, type Invoke, RawReply, type Service } from './service.js'
import { parseJsonObject, toJson } from './wire/json.js'

/** How a service behind the front knows the action of a JSON call. */
const targets: Readonly<Record<string, string>> = { sqs: 'AmazonSQS', events: 'AWSEvents', ssm: 'AmazonSSM' }

/** Calls between services go the whole way: faults, the caller's permissions, the record. */
export function invoker(services: () => ReadonlyMap<string, Service>, pipeline: Pipeline): Invoke {
  return async (invocation) => {
    const service = services().get(invocation.service)
    if (service === undefined)
      throw new AwsError('UnknownEndpoint', `No service ${invocation.service} listens here`, 404)
    const call: AwsCall = { ...invocation, http: httpOf(invocation) }
    const asker: Asker = {
      caller: call.caller,
      region: call.region,
      tags: {},
      ...(invocation.assumed !== true && { via: invocation.via })
    }
    const host = `${call.service}.${call.region}.internal`
    const output = await pipeline.perform(service, call, asker, host).catch((error: unknown) => {
      if (error instanceof ConnectionReset) throw new AwsError('ServiceUnavailable', error.message, 503)
      throw error
    })
    return output instanceof RawReply ? unpacked(output) : output
  }
}

function unpacked(reply: RawReply): Readonly<Record<string, unknown>> {
  const body = parseJsonObject(reply.body) ?? {}
  if (reply.status < 400) return body
  const message = body['message'] ?? body['Message']
  throw new AwsError(outcomeOf(reply), typeof message === 'string' ? message : reply.body, reply.status)
}

function httpOf({ service, action, region, input }: Invocation): AwsCall['http'] {
  return {
    method: 'POST',
    path: '/',
    headers: {
      host: `${service}.${region}.amazonaws.com`,
      'content-type': `application/x-amz-json-${service === 'sqs' ? '1.0' : '1.1'}`,
      'x-amz-target': `${targets[service] ?? service}.${action}`,
      authorization: `AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20260101/${region}/${service}/aws4_request, SignedHeaders=host, Signature=0`
    },
    body: toJson(input)
  }
}
