import type { Pluggable } from '@smithy/types'
import { isMap } from '../engine/json.js'
import { isWrite } from './request-log.js'

/**
 * What came is no answer of AWS: it broke off without a sign, or a proxy answered with a page of its own. The SDK takes such
 * a success for one that has nothing to say, so that what is there would be read as not there.
 */
export class NoAwsAnswerError extends Error {
  readonly code = 'EBADMSG'
  readonly $retryable: { readonly throttling: false } | undefined
  readonly $metadata: { readonly httpStatusCode: number }
  constructor(service: string, status: number, body: string) {
    const start = body.length > shownCharacters ? `${body.slice(0, shownCharacters)}...` : body
    super(`what came with HTTP status ${status} is no answer of ${service}: ${start.trim() || 'nothing'}`)
    this.name = 'NoAwsAnswer'
    // A success may come whole the next time; what a proxy refuses it refuses again.
    this.$retryable = status < 300 ? { throttling: false } : undefined
    this.$metadata = { httpStatusCode: status < 300 ? 0 : status }
  }
}

const shownCharacters = 120

/** Reads each answer to its end before the SDK does, and throws NoAwsAnswerError for what is none. */
export function wholeAnswers<I extends object, O extends object>(): Pluggable<I, O> {
  return {
    applyToStack: (stack) => {
      stack.add(
        (next, context) => async (args) => {
          const result = await next(args)
          const { response } = result
          const status = isMap(response) ? response['statusCode'] : undefined
          // What a service in trouble says is read by its status alone.
          if (!isMap(response) || typeof status !== 'number' || status === 429 || status >= 500) return result
          const body = await bytesOf(response['body'])
          Object.assign(response, { body })
          const text = body.toString('utf8')
          const action = (context.commandName ?? '').replace(/Command$/, '')
          if (!isWhole(text, isForm(args.request), status < 300 && isWrite(action)))
            throw new NoAwsAnswerError((context.clientName ?? 'AWS').replace(/Client$/, ''), status, text)
          return result
        },
        { step: 'deserialize', priority: 'low', name: 'wholeAnswers' }
      )
    }
  }
}

async function bytesOf(body: unknown): Promise<Buffer> {
  if (body instanceof Uint8Array) return Buffer.from(body)
  const chunks: Uint8Array[] = []
  if (isIterable(body)) for await (const chunk of body) if (chunk instanceof Uint8Array) chunks.push(chunk)
  return Buffer.concat(chunks)
}

function isIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value
}

/** Whether a request is of the protocols that answer with XML: query and ec2 (IAM, STS, CloudFormation, EC2). */
function isForm(request: unknown): boolean {
  const headers = isMap(request) ? request['headers'] : undefined
  const type = isMap(headers) ? headers['content-type'] : undefined
  return typeof type === 'string' && type.includes('form-urlencoded')
}

/** XML to the end of its root, or JSON; nothing where a write has nothing to answer. */
function isWhole(text: string, xml: boolean, mayBeEmpty: boolean): boolean {
  if (xml) return /<\/\w*Response>\s*$/.test(text)
  if (text.trim() === '') return mayBeEmpty
  try {
    return isMap(JSON.parse(text))
  } catch {
    return false
  }
}
