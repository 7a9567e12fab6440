import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { openAws, type Aws } from '../../src/aws/clients.js'
import { openConnection } from '../../src/aws/connection.js'
import type { Credentials } from '../../src/aws/credentials.js'
import { wireFaults } from '../../sandbox/cloud/model/judge.js'
import { UserError } from '../../src/engine/errors.js'
import type { Step } from '../../src/engine/resource.js'
import type { Account } from '../../src/aws/environment.js'

/** What a handler throws to answer with an AWS error. */
export class Refusal extends Error {
  readonly code: string
  readonly status: number
  constructor(code: string, message: string, status = 400) {
    super(message)
    this.code = code
    this.status = status
  }
}

type Input = Readonly<Record<string, unknown>>
/** Action name to answer, now or later. Lists in answers of the query APIs are written as their members. */
export type Handlers = Readonly<Record<string, (input: Input) => unknown>>

export interface StandIn {
  readonly url: string
  /** Actions in the order of the requests. */
  readonly calls: string[]
  readonly inputs: Input[]
  readonly headers: IncomingMessage['headers'][]
  close(): Promise<void>
}

/** AWS's APIs as far as a test says: query and EC2 by their Action, SQS and EventBridge by target, EKS by path. */
export async function standIn(handlers: Handlers): Promise<StandIn> {
  const calls: string[] = []
  const inputs: Input[] = []
  const headers: IncomingMessage['headers'][] = []
  const server = createServer((message, response) => {
    const chunks: Buffer[] = []
    message.on('data', (chunk: Buffer) => chunks.push(chunk))
    message.on('end', () => {
      const body = Buffer.concat(chunks).toString('utf8')
      const json = !(message.headers['content-type'] ?? '').includes('form-urlencoded')
      const { action, input } = json ? jsonCall(message, body) : queryCall(body)
      calls.push(action)
      inputs.push(input)
      headers.push(message.headers)
      const unlike = wireFaults({
        method: message.method ?? '',
        url: new URL(message.url ?? '/', `http://${message.headers.host ?? ''}`),
        headers: Object.fromEntries(
          Object.entries(message.headers).map(([name, value]) => [name, String(value)])
        ),
        body
      })
      void answer(
        unlike.length > 0 ? refusing(action, unlike) : handlers,
        action,
        input,
        json,
        message.headers.authorization?.includes('/ec2/') ?? false
      ).then((reply) => {
        if (reply === 'reset') message.socket.destroy()
        else response.writeHead(reply.status, reply.headers).end(reply.body)
      })
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${address.port}`,
    calls,
    inputs,
    headers,
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
  }
}

/** What AWS's own model does not have, no handler gets to see. */
function refusing(action: string, faults: readonly string[]): Handlers {
  return {
    [action]: () => {
      throw new Refusal('NotOfTheModel', faults.join('; '))
    }
  }
}

async function answer(
  handlers: Handlers,
  action: string,
  input: Input,
  json: boolean,
  ec2: boolean
): Promise<{ status: number; headers: Record<string, string>; body: string } | 'reset'> {
  try {
    const handler = handlers[action]
    if (handler === undefined) throw new Refusal('InvalidAction', `the test answers no ${action}`, 400)
    const output = await handler(input)
    if (output === 'reset') return 'reset'
    return json
      ? { status: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(output ?? {}) }
      : {
          status: 200,
          headers: { 'content-type': 'text/xml' },
          body: ec2
            ? `<${action}Response>${xml(output, 'item')}</${action}Response>`
            : `<${action}Response><${action}Result>${xml(output, 'member')}</${action}Result></${action}Response>`
        }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    if (json) {
      return {
        status: error.status,
        headers: { 'content-type': 'application/json', 'x-amzn-errortype': error.code },
        body: JSON.stringify({ message: error.message })
      }
    }
    const inner = `<Error><Type>Sender</Type>${xml({ Code: error.code, Message: error.message }, '')}</Error>`
    return {
      status: error.status,
      headers: { 'content-type': 'text/xml' },
      body: ec2
        ? `<Response><Errors>${inner}</Errors><RequestID>r</RequestID></Response>`
        : `<ErrorResponse>${inner}<RequestId>r</RequestId></ErrorResponse>`
    }
  }
}

function xml(value: unknown, member: string): string {
  if (value === undefined || value === null) return ''
  if (Array.isArray(value)) return value.map((item) => `<${member}>${xml(item, member)}</${member}>`).join('')
  if (typeof value === 'object') {
    return Object.entries(value)
      .map(([name, part]) => `<${name}>${xml(part, member)}</${name}>`)
      .join('')
  }
  return (typeof value === 'string' ? value : JSON.stringify(value))
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
}

function queryCall(body: string): { action: string; input: Input } {
  const input = Object.fromEntries(new URLSearchParams(body))
  return { action: input['Action'] ?? '', input }
}

const eksRoutes: readonly [string, RegExp, string][] = [
  ['GET', /^\/clusters$/, 'ListClusters'],
  ['GET', /^\/clusters\/[^/]+$/, 'DescribeCluster'],
  ['GET', /\/addons\/[^/]+$/, 'DescribeAddon'],
  ['DELETE', /\/addons\/[^/]+$/, 'DeleteAddon'],
  ['POST', /\/addons$/, 'CreateAddon'],
  ['GET', /\/fargate-profiles$/, 'ListFargateProfiles'],
  ['GET', /\/fargate-profiles\/[^/]+$/, 'DescribeFargateProfile'],
  ['GET', /\/access-entries\/[^/]+$/, 'DescribeAccessEntry'],
  ['GET', /\/access-entries\/[^/]+\/access-policies$/, 'ListAssociatedAccessPolicies'],
  ['POST', /\/access-entries$/, 'CreateAccessEntry'],
  ['DELETE', /\/access-entries\/[^/]+$/, 'DeleteAccessEntry'],
  ['GET', /\/pod-identity-associations$/, 'ListPodIdentityAssociations'],
  ['POST', /\/pod-identity-associations$/, 'CreatePodIdentityAssociation'],
  ['GET', /\/pod-identity-associations\/[^/]+$/, 'DescribePodIdentityAssociation'],
  ['POST', /\/pod-identity-associations\/[^/]+$/, 'UpdatePodIdentityAssociation'],
  ['DELETE', /\/pod-identity-associations\/[^/]+$/, 'DeletePodIdentityAssociation']
]

function jsonCall(message: IncomingMessage, body: string): { action: string; input: Input } {
  const target = message.headers['x-amz-target']
  if (typeof target === 'string') {
    return { action: target.slice(target.indexOf('.') + 1), input: JSON.parse(body) as Input }
  }
  const url = new URL(message.url ?? '/', 'http://host')
  const route = eksRoutes.find(([method, path]) => method === message.method && path.test(url.pathname))
  const parsed = body === '' ? {} : (JSON.parse(body) as Input)
  return {
    action: route?.[2] ?? `${message.method ?? ''} ${url.pathname}`,
    input: { ...parsed, path: decodeURIComponent(url.pathname), ...Object.fromEntries(url.searchParams) }
  }
}

export const account: Account = {
  id: '111122223333',
  partition: 'aws',
  region: 'eu-west-1',
  urlSuffix: 'amazonaws.com',
  callerArn: 'arn:aws:sts::111122223333:assumed-role/deployer/run'
}

export const fixedCredentials: Credentials = {
  source: 'the test',
  get: async () => ({ accessKeyId: 'AKID', secretAccessKey: 'secret' }),
  renew: async () => undefined,
  expired: () => new UserError('credentials', 'expired', 'run again')
}

/** Real SDK clients that talk to the stand-in. */
export async function awsWith(
  handlers: Handlers,
  credentials: Credentials = fixedCredentials
): Promise<{ aws: Aws; server: StandIn; close: () => Promise<void> }> {
  const server = await standIn(handlers)
  process.env['AWS_ENDPOINT_URL'] = server.url
  const connection = openConnection({ region: account.region, env: {}, now: Date.now })
  const aws = openAws(connection, credentials, account, new URL(server.url))
  return {
    aws,
    server,
    close: async () => {
      aws.destroy()
      await server.close()
    }
  }
}

export interface RecordedStep extends Step {
  readonly lines: string[]
  readonly notes: string[]
  readonly warnings: string[]
  readonly waits: string[]
}

/** A step whose clock moves only by its pauses, which take no time. */
export function recordedStep(): RecordedStep {
  let clock = Date.UTC(2026, 0, 1)
  const [lines, notes, warnings, waits]: [string[], string[], string[], string[]] = [[], [], [], []]
  return {
    lines,
    notes,
    warnings,
    waits,
    changed: (line) => void lines.push(line),
    note: (line) => void notes.push(line),
    warning: (line) => void warnings.push(line),
    waiting: (what) => {
      if (what !== undefined) waits.push(what)
    },
    signal: new AbortController().signal,
    now: () => clock,
    pause: async (milliseconds) => {
      clock += milliseconds
    }
  }
}
