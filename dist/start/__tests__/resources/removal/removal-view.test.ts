import { decided } from '../../../src/kubernetes/view.js'
import { RemovalView } from '../../../src/resources/removal/removal-view.js'
import { ApiServer } from '../../kubernetes/api-server.js'
import { recordedStep } from '../step.js'

let server: ApiServer
beforeEach(async () => {
  server = await ApiServer.start()
})
afterEach(async () => server.stop())

const claim = (pool: string, nodeClass: string): void => {
  server.put(`/apis/karpenter.sh/v1/nodeclaims/${pool}-x`, {
    apiVersion: 'karpenter.sh/v1',
    kind: 'NodeClaim',
    metadata: { labels: { 'karpenter.sh/nodepool': pool }, managedFields: [{ manager: 'karpenter' }] },
    spec: { nodeClassRef: { name: nodeClass } },
    status: { nodeName: `node-${pool}`, providerID: 'aws:///eu-west-1a/i-0ab1', imageID: 'ami-1' }
  })
}

test('whoever waits at the same time looks at one list and one watch; whoever comes later, at what is there then', async () => {
  claim('a', 'default')
  claim('b', 'default')
  const view = new RemovalView(server.kubernetes)
  const gone = async (pool: string): Promise<void> =>
    view.use(recordedStep(), async (watched) => {
      const claims = await watched.claims()
      await watched.until(() => (claims.ofPool(pool).length === 0 ? decided(undefined) : undefined))
    })
  const waits = [gone('a'), gone('b'), gone('c')]
  await waits[2]
  while (server.watching === 0) await new Promise((resolve) => setImmediate(resolve))
  for (const pool of ['a', 'b']) server.remove(`/apis/karpenter.sh/v1/nodeclaims/${pool}-x`)
  await Promise.all(waits)
  expect(server.calls.map(({ query }) => query.get('watch'))).toEqual([null, 'true'])
  claim('a', 'default')
  const later = await view.use(recordedStep(), async (watched) => (await watched.claims()).ofClass('default'))
  expect(later).toMatchObject([
    { status: { nodeName: 'node-a', providerID: 'aws:///eu-west-1a/i-0ab1' }, spec: { nodeClassRef: {} } }
  ])
  expect(later[0]?.metadata).not.toHaveProperty('managedFields')
  expect(later[0]?.['status']).not.toHaveProperty('imageID')
})
