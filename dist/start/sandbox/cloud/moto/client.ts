import { Agent, request } from 'node:http'
import { XMLParser } from 'fast-xml-parser'
import { isRecord } from '../input.js'
import { AwsError, RawReply, type AwsCall } from '../service.js'
import { parseJsonObject } from '../wire/json.js'

const parser = new XMLParser({ parseTagValue: false, isArray: (name) => name === 'item' })

/** Calls to moto, which believes anyone who names a region and a service. */
export class MotoClient {
  readonly #url: string
  readonly #agent = new Agent({ keepAlive: true })

  constructor(url: string) {
    this.#url = url
  }

  /** Ends the idle connections. */
  close(): void {
    this.#agent.destroy()
  }

  /** Passes a form of the EC2 protocol on and answers what moto answers. */
  async ec2(region: string, form: URLSearchParams): Promise<RawReply> {
    return this.#post(
      region,
      'ec2',
      { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
      form.toString()
    )
  }

  /** An EC2 call of the sandbox's own. `input` is nested as the protocol's dotted names are. */
  async ec2Object(region: string, action: string, input: object): Promise<Readonly<Record<string, unknown>>> {
    const form = new URLSearchParams({ Action: action, Version: '2016-11-15' })
    flatten('', input, form)
    const reply = await this.ec2(region, form)
    const parsed: unknown = parser.parse(reply.body)
    const root = isRecord(parsed) ? parsed[`${action}Response`] : undefined
    if (reply.status < 400 && isRecord(root)) return root
    throw refusal(reply)
  }

  /** A call in one of the JSON protocols; throws AwsError when moto refuses. */
  async json(
    region: string,
    service: 'sqs' | 'events',
    action: string,
    input: AwsCall['input']
  ): Promise<Readonly<Record<string, unknown>>> {
    const target = service === 'sqs' ? 'AmazonSQS' : 'AWSEvents'
    const reply = await this.#post(
      region,
      service,
      {
        'content-type': `application/x-amz-json-${service === 'sqs' ? '1.0' : '1.1'}`,
        'x-amz-target': `${target}.${action}`
      },
      JSON.stringify(input)
    )
    const body = parseJsonObject(reply.body) ?? {}
    if (reply.status < 400) return body
    const type = body['__type']
    const message = body['message'] ?? body['Message']
    throw new AwsError(
      typeof type === 'string' ? type.replace(/^.*#/, '') : 'InternalFailure',
      typeof message === 'string' ? message : reply.body,
      reply.status
    )
  }

  #post(region: string, service: string, headers: Record<string, string>, body: string): Promise<RawReply> {
    return new Promise((resolve, reject) => {
      const sent = request(
        this.#url,
        {
          method: 'POST',
          agent: this.#agent,
          headers: {
            ...headers,
            'content-length': Buffer.byteLength(body),
            'x-amz-date': '20260101T000000Z',
            authorization: `AWS4-HMAC-SHA256 Credential=sandbox/20260101/${region}/${service}/aws4_request, SignedHeaders=host, Signature=0`
          }
        },
        (response) => {
          const chunks: Buffer[] = []
          response.on('data', (chunk: Buffer) => chunks.push(chunk))
          response.on('error', reject)
          response.on('end', () => {
            const type = response.headers['content-type'] ?? 'text/xml'
            resolve(
              new RawReply(
                response.statusCode ?? 500,
                { 'content-type': type },
                Buffer.concat(chunks).toString()
              )
            )
          })
        }
      )
      // A server that stops, or is gone, is an answer too: clients meet it as a 503.
      sent.on('error', (error) => reject(new AwsError('ServiceUnavailable', `moto: ${error.message}`, 503)))
      sent.end(body)
    })
  }
}

/** moto's refusal of an EC2 call as an error. */
function refusal({ status, body }: RawReply): AwsError {
  const part = (name: string): string | undefined => new RegExp(`<${name}>([^<]*)</${name}>`).exec(body)?.[1]
  return new AwsError(part('Code') ?? 'InternalError', part('Message') ?? body.slice(0, 500), status)
}

/** Writes `{ Filter: [{ Name: 'a', Value: ['b'] }] }` as Filter.1.Name=a, Filter.1.Value.1=b. */
function flatten(prefix: string, value: unknown, form: URLSearchParams): void {
  if (Array.isArray(value)) {
    value.forEach((item, index) => flatten(`${prefix}.${index + 1}`, item, form))
  } else if (isRecord(value)) {
    for (const [key, member] of Object.entries(value))
      flatten(prefix === '' ? key : `${prefix}.${key}`, member, form)
  } else if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
    form.set(prefix, String(value))
  }
}

/** Members of an EC2 answer's list: `{ item: [...] }`, or nothing. */
export function items(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  const list = isRecord(value) ? value['item'] : undefined
  return Array.isArray(list) ? list.filter(isRecord) : []
}
