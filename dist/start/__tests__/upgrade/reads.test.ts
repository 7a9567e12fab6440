import { readForNotes, type WantedReads } from '../../src/upgrade/reads.js'
import { releasePath, releaseSecret } from '../helm/release-secret.js'
import { ApiServer, status } from '../kubernetes/api-server.js'

const crds = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
const karpenter = '/apis/karpenter.sh/v1'
const all: WantedReads = {
  crds: ['nodepools.karpenter.sh', 'nodeoverlays.karpenter.sh'],
  objects: true,
  release: { name: 'karpenter', namespace: 'karpenter' }
}

let server: ApiServer
beforeEach(async () => {
  server = await ApiServer.start()
  const reference = (group: string): object => ({ group, kind: 'x', name: 'default' })
  server.put(`${crds}/nodepools.karpenter.sh`, {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition'
  })
  for (const [name, group] of [
    ['default', 'karpenter.k8s.aws'],
    ['general-purpose', 'eks.amazonaws.com']
  ] as const) {
    server.put(`${karpenter}/nodepools/${name}`, {
      apiVersion: 'karpenter.sh/v1',
      kind: 'NodePool',
      spec: { template: { spec: { nodeClassRef: reference(group) } } }
    })
    server.put(`${karpenter}/nodeclaims/${name}-1`, {
      apiVersion: 'karpenter.sh/v1',
      kind: 'NodeClaim',
      metadata: { labels: { 'karpenter.sh/nodepool': name } },
      spec: { nodeClassRef: reference(group) },
      status: { conditions: [{ type: 'Drifted', status: 'True' }] }
    })
  }
  server.put('/apis/karpenter.k8s.aws/v1/ec2nodeclasses/default', {
    apiVersion: 'karpenter.k8s.aws/v1',
    kind: 'EC2NodeClass'
  })
  server.put(
    releasePath(1),
    releaseSecret(1, 'deployed', '1.2.1', { replicas: 1 }, { values: { replicas: 2 } })
  )
  server.put(
    releasePath(2),
    releaseSecret(2, 'failed', '1.14.0', { replicas: 9 }, { values: { replicas: 8 } })
  )
})
afterEach(async () => server.stop())

test('the CRDs that are there, objects and NodeClaims of EC2 alone, and the release that is in force', async () => {
  const read = await readForNotes(server.kubernetes, all)
  expect(read.crds?.map(({ metadata }) => metadata.name)).toEqual(['nodepools.karpenter.sh'])
  expect(read.objects?.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual([
    'EC2NodeClass default',
    'NodePool default'
  ])
  expect(read.claims).toEqual([
    {
      name: 'default-1',
      nodePool: 'default',
      nodeClass: 'default',
      labels: { 'karpenter.sh/nodepool': 'default' },
      drifted: true
    }
  ])
  expect(read.release).toEqual({ given: { replicas: 1 }, chart: { replicas: 2 } })
  expect(read.unread).toEqual([])
  expect(server.writes()).toEqual([])
})

test('where only nodes are asked for, one listing is all', async () => {
  const read = await readForNotes(server.kubernetes, { crds: [], objects: false, release: undefined })
  expect(read.claims).toHaveLength(1)
  expect(server.calls.map(({ path }) => path)).toEqual([`${karpenter}/nodeclaims`])
})

test('what may not be read is unknown and named, and the rest is read', async () => {
  server.intercept = (call, response) => {
    if (!/nodeclaims|secrets/.test(call.path)) return false
    status(response, 403, 'Forbidden', 'no')
    return true
  }
  const read = await readForNotes(server.kubernetes, all)
  expect([read.claims, read.release]).toEqual([undefined, undefined])
  expect(read.objects).toHaveLength(2)
  expect(read.unread).toEqual([expect.stringContaining('nodeclaims'), expect.stringContaining('secrets')])
})
