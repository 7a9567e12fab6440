import { createServer, type Server, type ServerResponse } from 'node:http'
import { listen } from '../../sandbox/listen.js'
import { openClients, type Clients } from '../../src/aws/clients.js'
import { openConnection } from '../../src/aws/connection.js'
import { awsProblem, isNotFound, isTransient } from '../../src/aws/errors.js'
import { DescribeClusterCommand } from '../../src/aws/sdk/eks.js'
import { DescribeSubnetsCommand } from '../../src/aws/sdk/ec2.js'
import { ListAttachedRolePoliciesCommand } from '../../src/aws/sdk/iam.js'
import { GetQueueAttributesCommand, SetQueueAttributesCommand } from '../../src/aws/sdk/sqs.js'
import { fixedCredentials } from './stand-in.js'

let clients: Clients
let server: Server
let close: () => Promise<void>
let asked: number
/** What is answered, one after the other; the last one again and again. */
let answers: ((response: ServerResponse) => void)[]

beforeEach(async () => {
  asked = 0
  server = createServer((request, response) => {
    request.resume()
    request.on('end', () => answers[Math.min(asked++, answers.length - 1)]?.(response))
  })
  const listening = await listen(server)
  close = async () => listening.close()
  process.env['AWS_ENDPOINT_URL'] = `http://127.0.0.1:${listening.port}`
  clients = openClients(openConnection({ region: 'us-west-2', env: {}, now: Date.now }), fixedCredentials)
})
afterEach(async () => {
  clients.destroy()
  delete process.env['AWS_ENDPOINT_URL']
  await close()
})

const answer =
  (status: number, type: string, body: string) =>
  (response: ServerResponse): void =>
    void response.writeHead(status, { 'content-type': type }).end(body)

const page = '<html><body>Sign in to go on</body></html>'
const cluster = '{"cluster":{"name":"blue"}}'
const subnets =
  '<DescribeSubnetsResponse><subnetSet><item><subnetId>subnet-1</subnetId></item></subnetSet></DescribeSubnetsResponse>'
const policies =
  '<ListAttachedRolePoliciesResponse><ListAttachedRolePoliciesResult><AttachedPolicies><member><PolicyName>p</PolicyName></member></AttachedPolicies></ListAttachedRolePoliciesResult></ListAttachedRolePoliciesResponse>\n'
const attributes = '{"Attributes":{"DelaySeconds":"0"}}'

const calls: readonly [string, string, string, (of: Clients) => Promise<unknown>, unknown][] = [
  [
    'EKS',
    'application/json',
    cluster,
    async (of) => (await (await of.eks()).send(new DescribeClusterCommand({ name: 'blue' }))).cluster?.name,
    'blue'
  ],
  [
    'EC2',
    'text/xml',
    subnets,
    async (of) => (await (await of.ec2()).send(new DescribeSubnetsCommand({}))).Subnets?.length,
    1
  ],
  [
    'IAM',
    'text/xml',
    policies,
    async (of) =>
      (await (await of.iam()).send(new ListAttachedRolePoliciesCommand({ RoleName: 'x' }))).AttachedPolicies
        ?.length,
    1
  ],
  [
    'SQS',
    'application/x-amz-json-1.0',
    attributes,
    async (of) =>
      (await (await of.sqs()).send(new GetQueueAttributesCommand({ QueueUrl: 'http://x/1/q' }))).Attributes,
    { DelaySeconds: '0' }
  ]
]

describe.each(calls)('an answer of %s', (_service, type, body, call, expected) => {
  test.each([
    ['that breaks off', answer(200, type, body.slice(0, -12))],
    ['with nothing in it', answer(200, type, '')],
    ['that is a page of a proxy', answer(200, 'text/html', page)]
  ])('%s is asked for again, and never taken for one that has nothing', async (_what, broken) => {
    answers = [broken, answer(200, type, body)]
    expect(await call(clients)).toEqual(expected)
    expect(asked).toBe(2)
  })

  test('that never comes says so', async () => {
    answers = [answer(200, 'text/html', page)]
    const error: unknown = await call(clients).catch((thrown: unknown) => thrown)
    expect([isTransient(error), isNotFound(error)]).toEqual([true, false])
    expect(asked).toBe(4)
    const said = awsProblem('subnets', 'could not be read', error)
    expect(said.message).toContain('what came with HTTP status 200 is no answer of')
    expect(said).toMatchObject({ fix: expect.stringContaining('check HTTPS_PROXY and NO_PROXY') as string })
  })

  test('that a proxy refuses is refused once, and no "not found"', async () => {
    answers = [answer(404, 'text/html', page)]
    const error: unknown = await call(clients).catch((thrown: unknown) => thrown)
    expect([isTransient(error), isNotFound(error), asked]).toEqual([false, false, 1])
    expect(awsProblem('subnets', 'could not be read', error).message).toContain('Sign in to go on')
  })
})

test('a write that has nothing to answer is whole', async () => {
  answers = [answer(200, 'application/x-amz-json-1.0', '')]
  const sqs = await clients.sqs()
  await sqs.send(new SetQueueAttributesCommand({ QueueUrl: 'http://x/1/q', Attributes: {} }))
  expect(asked).toBe(1)
})
