import type { ServerResponse } from 'node:http'
import { configMaps } from '../../src/kubernetes/kinds.js'
import { ApiServer, type Call } from './api-server.js'

let server: ApiServer
beforeEach(async () => {
  server = await ApiServer.start()
})
afterEach(async () => server.stop())

const names = Array.from({ length: 40 }, (_, index) => `one-${index}`)
const nameOf = ({ path }: Call): string => path.split('/').at(-1) ?? ''

/** Holds the answers to what is asked about these objects until they are let go. */
function holdAnswers(): { readonly held: readonly ServerResponse[]; letGo(): void } {
  const held: ServerResponse[] = []
  const state = { holding: true }
  const notFound = (response: ServerResponse): void => {
    response.writeHead(404, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ kind: 'Status', status: 'Failure', code: 404 }))
  }
  server.intercept = (call, response) => {
    if (!state.holding || !nameOf(call).startsWith('one-')) return undefined
    held.push(response)
    return true
  }
  return {
    held,
    letGo: () => {
      state.holding = false
      for (const response of held) notFound(response)
    }
  }
}

const until = async (met: () => boolean): Promise<void> => {
  while (!met()) await new Promise((resolve) => setImmediate(resolve))
}

test('of many requests 32 are under way at once, each on a connection, and the others come when those are answered', async () => {
  const answers = holdAnswers()
  const reads = names.map(async (name) => server.kubernetes.get(configMaps, name, 'default'))
  await until(() => answers.held.length === 32)
  // A whole request and its answer later there are no more.
  await server.kubernetes.direct().get(configMaps, 'lock', 'kube-system')
  expect(server.calls).toHaveLength(33)
  answers.letGo()
  expect(await Promise.all(reads)).toEqual(names.map(() => undefined))
  expect(server.calls).toHaveLength(41)
})

test('a write that waited for its turn is not made where the lock was lost in the meantime', async () => {
  const lock = { held: true }
  const kubernetes = server.client({
    beforeWrite: async () => {
      if (!lock.held) throw new Error('the lock was lost')
    }
  })
  const answers = holdAnswers()
  const reads = names.map(async (name) => kubernetes.get(configMaps, name, 'default'))
  await until(() => answers.held.length === 32)
  const write = kubernetes.create(configMaps, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'written', namespace: 'default' }
  })
  lock.held = false
  answers.letGo()
  await expect(write).rejects.toThrow('the lock was lost')
  await Promise.all(reads)
  expect(server.calls.filter(({ method }) => method !== 'GET')).toEqual([])
  kubernetes.close()
})
