import { namespace } from '../../src/resources/controller/namespace.js'
import { ApiServer } from '../kubernetes/api-server.js'
import { recordedStep } from './step.js'
import { inspect } from './walk-one.js'

let server: ApiServer
let ports: Parameters<typeof namespace>[1]
beforeEach(async () => {
  server = await ApiServer.start()
  ports = {
    kubernetes: server.kubernetes,
    ownership: { owner: 'setup-karpenter', run: 'https://run/1' },
    dependsOn: []
  }
})
afterEach(async () => server.stop())

describe('What is being deleted and does not go', () => {
  const deleted = (conditions: readonly unknown[]): void =>
    void server.put('/api/v1/namespaces/karpenter', {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' },
      status: { conditions }
    })

  test('is the error, once the same has held it for three minutes and nobody works on it', async () => {
    const message =
      'Some content in the namespace has finalizers remaining: acme.io/keep in 1 resource instances'
    deleted([
      { type: 'NamespaceFinalizersRemaining', status: 'True', reason: 'SomeFinalizersRemain', message }
    ])
    let now = 0
    const found = await inspect(namespace({ name: 'karpenter' }, ports))
    const step = recordedStep(() => (now += 60_000))
    await expect(found.apply(step)).rejects.toThrow(
      `Namespace karpenter: is being deleted, and has not gone for 3 minutes: ${message}`
    )
    expect(step.waits[0]).toBe(`Namespace karpenter to go: ${message}`)
  })

  test('is waited for while what is left in it ends', async () => {
    const message = 'Some resources are remaining: pods. has 1 resource instances'
    deleted([{ type: 'NamespaceContentRemaining', status: 'True', reason: 'SomeResourcesRemain', message }])
    let looks = 0
    const found = await inspect(namespace({ name: 'karpenter' }, ports))
    const step = recordedStep(() => {
      if (++looks === 6) server.remove('/api/v1/namespaces/karpenter')
      return looks * 60_000
    })
    await found.apply(step)
    expect(step.lines).toEqual(['created Namespace karpenter'])
  })
})
