import { setTimeout } from 'node:timers/promises'
import { list, optionalInteger, optionalText, texts, textMap, type Input } from '../input.js'
import { requestTags, type Context } from '../operations.js'
import {
  AwsError,
  RawReply,
  type AwsCall,
  type Question,
  type Service,
  type Surroundings
} from '../service.js'
import type { MotoClient } from './client.js'

/** SQS refuses a name for this long after its queue was deleted, milliseconds. */
const nameRests = 60_000
const pollEvery = 300

/** Codes that SQS had before it spoke JSON; clients of that time still go by them. */
const oldCodes: Readonly<Record<string, string>> = {
  QueueDoesNotExist: 'AWS.SimpleQueueService.NonExistentQueue',
  QueueDeletedRecently: 'AWS.SimpleQueueService.QueueDeletedRecently',
  QueueNameExists: 'QueueAlreadyExists'
}

/** SQS: moto's queues under URLs at which the sandbox listens. */
export function sqs(moto: MotoClient, around: Surroundings): Service {
  const deleted = new Map<string, number>()
  return {
    name: 'sqs',
    protocol: 'json',
    async questions(call) {
      return questionsOf(call, around.partition)
    },
    async answer(call) {
      try {
        return await answer(call)
      } catch (error) {
        if (error instanceof AwsError && call.via === undefined) return errorReply(error)
        throw error
      }
    }
  }

  async function answer(call: AwsCall): Promise<Readonly<Record<string, unknown>>> {
    const { region, action } = call
    const name = queueName(call.input)
    const input =
      name === undefined || call.input['QueueUrl'] === undefined
        ? call.input
        : { ...call.input, QueueUrl: motoUrl(call, name) }
    if (action === 'ReceiveMessage') return receive(region, input)
    if (action === 'CreateQueue' && name !== undefined) {
      const at = deleted.get(`${region}/${name}`)
      if (at !== undefined && around.now() - at < nameRests) {
        throw new AwsError(
          'QueueDeletedRecently',
          'You must wait 60 seconds after deleting a queue before you can create another with the same name.'
        )
      }
    }
    if (action === 'SetQueueAttributes')
      return moto.json(region, 'sqs', action, await attributesToSet(region, input))
    if (action === 'CreateQueue') {
      const attributes = encryption(textMap(input, 'Attributes'), {})
      return readdressed(call, await moto.json(region, 'sqs', action, { ...input, Attributes: attributes }))
    }
    const output = await moto.json(region, 'sqs', action, input)
    if (action === 'GetQueueAttributes') return { Attributes: asAnswered(textMap(output, 'Attributes')) }
    if (action === 'DeleteQueue' && name !== undefined) deleted.set(`${region}/${name}`, around.now())
    return readdressed(call, output)
  }

  /** moto forgets a queue's policy when anything else is set. */
  async function attributesToSet(region: string, input: Input): Promise<Input> {
    const output = await moto.json(region, 'sqs', 'GetQueueAttributes', {
      QueueUrl: input['QueueUrl'],
      AttributeNames: ['All']
    })
    const current = asAnswered(textMap(output, 'Attributes'))
    const { Policy } = current
    const attributes = encryption(textMap(input, 'Attributes'), current)
    return { ...input, Attributes: { ...(Policy !== undefined && { Policy }), ...attributes } }
  }

  /** Waits here: in moto a waiting call holds up those that come after it. */
  async function receive(region: string, input: Input): Promise<Readonly<Record<string, unknown>>> {
    const until = Date.now() + (optionalInteger(input, 'WaitTimeSeconds') ?? 0) * 1000
    for (;;) {
      const output = await moto.json(region, 'sqs', 'ReceiveMessage', { ...input, WaitTimeSeconds: 0 })
      if (list(output, 'Messages').length > 0 || Date.now() >= until) return output
      await setTimeout(Math.min(pollEvery, Math.max(1, until - Date.now())), undefined, { ref: false })
    }
  }

  function motoUrl({ caller }: AwsCall, name: string): string {
    return `http://127.0.0.1/${caller.accountId}/${name}`
  }

  /** Queue URLs as they are reached by whoever asked. */
  function readdressed(
    call: AwsCall,
    output: Readonly<Record<string, unknown>>
  ): Readonly<Record<string, unknown>> {
    const host = call.http.headers['host'] ?? ''
    const origin =
      call.via === undefined && /\.amazonaws\.com(\.cn)?$/.test(host) ? `https://${host}` : around.url
    const address = (url: string): string => `${origin}${new URL(url).pathname}`
    const url = output['QueueUrl']
    return {
      ...output,
      ...(typeof url === 'string' ? { QueueUrl: address(url) } : {}),
      ...(output['QueueUrls'] === undefined ? {} : { QueueUrls: texts(output, 'QueueUrls').map(address) })
    }
  }
}

type Attributes = Readonly<Record<string, string>>

/** A queue is encrypted by a key of KMS or by SQS's own, never by both; a key that is given turns the other off. */
function encryption(attributes: Attributes, current: Attributes): Attributes {
  const key = attributes['KmsMasterKeyId'] ?? current['KmsMasterKeyId'] ?? ''
  if (key === '') return attributes
  if (attributes['SqsManagedSseEnabled'] === 'true') {
    throw new AwsError(
      'InvalidAttributeValue',
      'You can use one type of server-side encryption (SSE) at one time. You can either enable KMS SSE or SQS SSE.'
    )
  }
  return attributes['KmsMasterKeyId'] === undefined
    ? attributes
    : { ...attributes, SqsManagedSseEnabled: 'false' }
}

/** SQS leaves out what is not set, and writes booleans in small letters; moto gives its own defaults as Python does. */
function asAnswered(attributes: Attributes): Attributes {
  return Object.fromEntries(
    Object.entries(attributes)
      .filter(([, value]) => value !== '')
      .map(([name, value]) => [name, /^(True|False)$/.test(value) ? value.toLowerCase() : value])
  )
}

function queueName(input: Input): string | undefined {
  const url = optionalText(input, 'QueueUrl')
  return url === undefined ? optionalText(input, 'QueueName') : url.slice(url.lastIndexOf('/') + 1)
}

function questionsOf(call: AwsCall, partition: string): readonly Question[] {
  const { action, input, region, caller } = call
  const resource = `arn:${partition}:sqs:${region}:${caller.accountId}:${queueName(input) ?? '*'}`
  const tags = textMap(input, action === 'CreateQueue' ? 'tags' : 'Tags')
  const listed = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }))
  const context: Context =
    action === 'UntagQueue' ? { 'aws:TagKeys': texts(input, 'TagKeys') } : requestTags(listed)
  return [
    { action: `sqs:${action.replace(/Batch$/, '')}`, resource, context },
    ...(action === 'CreateQueue' && listed.length > 0
      ? [{ action: 'sqs:TagQueue', resource, context: requestTags(listed) }]
      : [])
  ]
}

function errorReply({ code, message, status }: AwsError): RawReply {
  const type = newName(code) ?? code
  return new RawReply(
    status,
    {
      'content-type': 'application/x-amz-json-1.0',
      'x-amzn-query-error': `${oldCodes[type] ?? type};${status >= 500 ? 'Receiver' : 'Sender'}`
    },
    JSON.stringify({ __type: `com.amazonaws.sqs#${type}`, message })
  )
}

/** moto answers some errors by their old names. */
function newName(code: string): string | undefined {
  return Object.entries(oldCodes).find(([, old]) => old === code)?.[0]
}
