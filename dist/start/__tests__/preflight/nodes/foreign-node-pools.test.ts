import { foreignNodePools, standingNodePools } from '../../../src/preflight/nodes/foreign-node-pools.js'
import { ApiServer } from '../../kubernetes/api-server.js'

let server: ApiServer
beforeEach(async () => {
  server = await ApiServer.start()
  const at = '/apis/karpenter.sh/v1'
  const pool = (name: string, labels: Record<string, string>): void => {
    server.put(`${at}/nodepools/${name}`, {
      apiVersion: 'karpenter.sh/v1',
      kind: 'NodePool',
      metadata: { labels }
    })
  }
  const claim = (name: string, labels: Record<string, string>): void => {
    server.put(`${at}/nodeclaims/${name}`, {
      apiVersion: 'karpenter.sh/v1',
      kind: 'NodeClaim',
      metadata: { labels }
    })
  }
  pool('default', { ours: 'true' })
  pool('batch', {})
  for (const name of ['batch-1', 'batch-2']) claim(name, { 'karpenter.sh/nodepool': 'batch' })
  claim('default-1', { 'karpenter.sh/nodepool': 'default' })
  claim('old-1', { 'karpenter.sh/nodepool': 'old' })
  claim('lonely', {})
})
afterEach(async () => server.stop())

const standing = async (removed: readonly string[] = []) =>
  standingNodePools(server.kubernetes, ({ metadata }) => metadata.labels?.['ours'] === 'true', removed)

test('NodePools of others keep our controller, named with their nodes and what to do', async () => {
  const refusal = foreignNodePools(true, await standing())
  expect(refusal?.message).toContain('NodePool batch (2 nodes)')
  expect(refusal?.message).toContain('NodeClaims of NodePool old, which is gone (1 node)')
  expect(refusal?.message).toContain('NodeClaims of no NodePool: lonely (1 node)')
  expect(refusal?.message).not.toContain('default')
  expect(refusal?.fix).toContain('kubectl delete nodepool batch')
  expect(refusal?.fix).toContain('kubectl wait --for=delete nodeclaim -l karpenter.sh/nodepool=batch')
  expect(refusal?.state).toBe('Nothing was changed.')
  expect(server.calls.every(({ method }) => method === 'GET')).toBe(true)
})

test("NodeClaims of a NodePool that an earlier run has deleted are the removal's own", async () => {
  expect(foreignNodePools(true, await standing(['old']))?.message).not.toContain('old')
})

test('a controller that is not ours stays anyway', async () => {
  expect(foreignNodePools(false, await standing())).toBeUndefined()
})
