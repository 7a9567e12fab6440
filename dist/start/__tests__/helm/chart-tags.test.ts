import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { publishedVersions } from '../../src/helm/chart-tags.js'
import { containing } from '../kubernetes/containing.js'

let server: Server
let answer: (request: IncomingMessage, response: ServerResponse) => void
const asked: string[] = []

beforeEach(async () => {
  asked.length = 0
  server = createServer((request, response) => {
    asked.push(`${request.url ?? ''}${request.headers.authorization === undefined ? '' : ' with a token'}`)
    answer(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
afterEach(async () => {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

function origin(): string {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  return `127.0.0.1:${address.port}`
}

const json = (response: ServerResponse, body: unknown, headers: Record<string, string> = {}): void => {
  response.writeHead(200, { 'content-type': 'application/json', ...headers })
  response.end(JSON.stringify(body))
}
const options = { proxyEnv: {}, signal: new AbortController().signal }
const list = async (path = 'karpenter/karpenter') => publishedVersions(`oci://${origin()}/${path}`, options)

test('tags of a registry that asks nobody for anything take one request', async () => {
  answer = (_request, response) => json(response, { name: 'x', tags: ['1.14.3', '1.15.0'] })
  expect(await list()).toEqual({
    kind: 'listed',
    versions: ['1.14.3', '1.15.0'],
    where: `${origin()}/karpenter/karpenter`
  })
  expect(asked).toEqual(['/v2/karpenter/karpenter/tags/list'])
})

test('a token that everybody can have is taken as the registry says, and every page is followed', async () => {
  answer = (request, response) => {
    const url = request.url ?? ''
    if (url.startsWith('/token')) return json(response, { token: 'abc' })
    if (request.headers.authorization !== 'Bearer abc') {
      response.writeHead(401, {
        'www-authenticate': `Bearer realm="http://${origin()}/token/",service="public.ecr.aws",scope="aws"`
      })
      return response.end()
    }
    if (url.includes('last=')) return json(response, { tags: ['1.15.2'] })
    json(
      response,
      { tags: ['1.14.3'] },
      { link: '</v2/karpenter/karpenter/tags/list?last=1.14.3>; rel="next"' }
    )
  }
  expect(await list()).toMatchObject({ kind: 'listed', versions: ['1.14.3', '1.15.2'] })
  expect(asked).toEqual([
    '/v2/karpenter/karpenter/tags/list',
    '/token/?service=public.ecr.aws&scope=aws',
    '/v2/karpenter/karpenter/tags/list with a token',
    '/v2/karpenter/karpenter/tags/list?last=1.14.3 with a token'
  ])
})

test('a repository without tags has none', async () => {
  answer = (_request, response) => json(response, { name: 'x', tags: null })
  expect(await list()).toMatchObject({ kind: 'listed', versions: [] })
})

test.each<readonly [string, typeof answer, string]>([
  [
    'asks for a login',
    (_request, response) => response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end(),
    'it asks for a login'
  ],
  ['has no such list', (_request, response) => response.writeHead(404).end(), 'HTTP 404'],
  ['answers with a page', (_request, response) => response.end('<html>'), 'could not be listed'],
  ['answers with something else', (_request, response) => json(response, { tags: 'all' }), 'no list of tags'],
  ['gives nothing at all', (request) => request.socket.destroy(), 'could not be listed'],
  [
    'leads elsewhere',
    (_request, response) => json(response, { tags: [] }, { link: '<http://127.0.0.2/x>; rel="next"' }),
    'its next page is on http://127.0.0.2'
  ],
  [
    'has pages without end',
    (request, response) => json(response, { tags: [] }, { link: `<${request.url ?? ''}>; rel="next"` }),
    'more than 50 pages'
  ]
])('a registry that %s has no list, and it is said why', async (_what, answering, reason) => {
  answer = answering
  expect(await list()).toEqual({ kind: 'unlisted', reason: containing(reason) })
})

test('a token that is refused is not asked for again', async () => {
  answer = (request, response) => {
    if (request.url?.startsWith('/token') === true) return json(response, { token: 'abc' })
    response.writeHead(401, { 'www-authenticate': `Bearer realm="http://${origin()}/token"` }).end()
  }
  expect(await list()).toEqual({ kind: 'unlisted', reason: containing('HTTP 401') })
  expect(asked).toHaveLength(3)
})

test('a run that is told to end does not go on without the list', async () => {
  answer = () => undefined
  const aborting = new AbortController()
  const listing = publishedVersions(`oci://${origin()}/x`, { proxyEnv: {}, signal: aborting.signal })
  aborting.abort(new Error('cancelled'))
  await expect(listing).rejects.toThrow('cancelled')
})

test('a chart from a path is of its own version, and nobody is asked', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'chart-'))
  writeFileSync(join(folder, 'Chart.yaml'), 'name: karpenter\nversion: v1.13.0\n')
  writeFileSync(join(folder, 'values.yaml'), 'replicas: 2\n')
  expect(await publishedVersions(folder, options)).toEqual({ kind: 'local', version: '1.13.0' })
  rmSync(folder, { recursive: true })
  expect(asked).toEqual([])
})
