import { KubernetesError } from '../../src/kubernetes/errors.js'
import { nodePools } from '../../src/kubernetes/kinds.js'
import { readsTogether } from '../../src/kubernetes/reads-together.js'
import { ApiServer } from './api-server.js'

const collection = '/apis/karpenter.sh/v1/nodepools'
const never = new AbortController().signal
let server: ApiServer

beforeEach(async () => {
  server = await ApiServer.start()
})
afterEach(async () => server.stop())

function put(...names: readonly string[]): void {
  for (const name of names)
    server.put(`${collection}/${name}`, { apiVersion: 'karpenter.sh/v1', kind: 'NodePool', spec: { name } })
}

function many(count: number, called: string): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${called}-${index}`)
}

test('few objects are read each by itself', async () => {
  put('a', 'b', 'other')
  const read = readsTogether(server.kubernetes, nodePools, ['a', 'b', 'gone'])
  const found = await Promise.all(['a', 'b', 'gone'].map(async (name) => read(name, never)))
  expect(found.map((object) => object?.metadata.name)).toEqual(['a', 'b', undefined])
  expect(server.calls.map(({ path }) => path)).toEqual(
    ['a', 'b', 'gone'].map((name) => `${collection}/${name}`)
  )
})

test('many that are asked for together cost one list, and later each is read as it is then', async () => {
  const own = many(40, 'own')
  put(...own.slice(1), ...many(60, 'other'))
  const read = readsTogether(server.kubernetes, nodePools, own)
  const all = async (): Promise<readonly (string | undefined)[]> =>
    Promise.all(own.map(async (name) => (await read(name, never))?.metadata.name))
  expect(await all()).toEqual([undefined, ...own.slice(1)])
  expect(server.calls.map(({ path }) => path)).toEqual([collection])
  put('own-0')
  expect(await all()).toEqual(own)
  expect(server.calls).toHaveLength(2)
})

test('what may not be listed is refused for each of them', async () => {
  const own = many(21, 'own')
  server.intercept = (_call, response) => {
    response.writeHead(403, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ kind: 'Status', code: 403, reason: 'Forbidden', message: 'no list' }))
    return true
  }
  const read = readsTogether(server.kubernetes, nodePools, own)
  const outcomes = await Promise.allSettled(own.map(async (name) => read(name, never)))
  expect(outcomes.every((one) => one.status === 'rejected' && one.reason instanceof KubernetesError)).toBe(
    true
  )
})

test.each([2, 40])('of %i objects as much is kept as is looked at', async (count) => {
  const own = many(count, 'own')
  put(...own)
  const looked: Parameters<typeof readsTogether>[3] = ({ apiVersion, kind, metadata }) => ({
    apiVersion,
    kind,
    metadata,
    status: 'seen'
  })
  const read = readsTogether(server.kubernetes, nodePools, [...own, 'gone'], looked)
  const found = await Promise.all([...own, 'gone'].map(async (name) => read(name, never)))
  expect(found.map((object) => object?.['status'])).toEqual([...own.map(() => 'seen'), undefined])
  expect(found[0]).not.toHaveProperty('spec')
})
