import { nodePools } from '../../src/kubernetes/kinds.js'
import type { Manifest } from '../../src/kubernetes/manifest.js'
import { decided, type Decision } from '../../src/kubernetes/view.js'
import { waitsTogether } from '../../src/kubernetes/waits-together.js'
import { ApiServer } from './api-server.js'

const collection = '/apis/karpenter.sh/v1/nodepools'
const never = new AbortController().signal
let server: ApiServer

beforeEach(async () => {
  server = await ApiServer.start()
})
afterEach(async () => server.stop())

function put(weight: number, ...names: readonly string[]): void {
  for (const name of names)
    server.put(`${collection}/${name}`, { apiVersion: 'karpenter.sh/v1', kind: 'NodePool', spec: { weight } })
}

function many(count: number, called: string): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${called}-${index}`)
}

const weightOf = (object: Manifest | undefined): unknown => JSON.stringify(object?.['spec'])
const isHeavy = (object: Manifest | undefined): Decision<string> =>
  weightOf(object) === '{"weight":9}' ? decided(object?.metadata.name ?? '') : undefined
const asked = (): readonly string[] =>
  server.calls.map(({ query }) =>
    [query.get('watch') === null ? 'list' : 'watch', query.get('fieldSelector') ?? ''].join(' ').trim()
  )

test('few objects are waited for each by itself', async () => {
  put(9, 'a', 'b')
  const byName = waitsTogether(server.kubernetes, nodePools, ['a', 'b'])
  expect(await Promise.all(['a', 'b'].map(async (name) => byName(name, never, isHeavy)))).toEqual(['a', 'b'])
  expect(asked().filter((one) => one.startsWith('list'))).toEqual([
    'list metadata.name=a',
    'list metadata.name=b'
  ])
})

test('many that are waited for together, or one soon after another, cost one list and one watch', async () => {
  const own = many(40, 'own')
  put(1, ...own.slice(1), ...many(60, 'other'))
  const looked: string[] = []
  const byName = waitsTogether(server.kubernetes, nodePools, own, (object) => {
    looked.push(object.metadata.name)
    return object
  })
  const all = async (): Promise<readonly string[]> =>
    Promise.all(own.map(async (name) => byName(name, never, isHeavy)))
  const waiting = all()
  while (!asked().includes('watch')) await new Promise((resolve) => setImmediate(resolve))
  put(9, ...own)
  expect(await waiting).toEqual(own)
  expect(asked()).toEqual(['list', 'watch'])
  expect(looked.filter((name) => name.startsWith('other'))).toEqual([])
  for (const name of own) expect(await byName(name, never, isHeavy)).toBe(name)
  expect(asked()).toEqual(['list', 'watch'])
})

test('of many, who is decided an error for fails alone', async () => {
  const own = many(21, 'own')
  put(9, ...own.slice(1))
  const byName = waitsTogether(server.kubernetes, nodePools, own)
  const outcomes = await Promise.allSettled(
    own.map(async (name) =>
      byName(name, never, (object) => {
        if (object === undefined) throw new Error(`${name} is not there`)
        return isHeavy(object)
      })
    )
  )
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', ...own.slice(1).map(() => 'fulfilled')])
})
