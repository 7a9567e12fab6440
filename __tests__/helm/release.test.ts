import { findControllers, readRelease } from '../../src/helm/release.js'
import { ApiServer } from '../kubernetes/api-server.js'
import { releasePath as path, releaseSecret } from './release-secret.js'

let server: ApiServer
beforeEach(async () => {
  server = await ApiServer.start()
})
afterEach(async () => server.stop())

test('the newest revision counts, by number and not by name', async () => {
  server.put(path(9), releaseSecret(9, 'superseded', '1.1.0'))
  server.put(path(10), releaseSecret(10, 'deployed', '1.2.1', { replicas: 1 }, '---\nkind: Deployment\n'))
  expect(await readRelease(server.kubernetes, 'karpenter', 'karpenter')).toMatchObject({
    revision: 10,
    status: 'deployed',
    chartVersion: '1.2.1',
    values: { replicas: 1 },
    manifest: '---\nkind: Deployment\n',
    deployedBefore: [9]
  })
})

test('a release that was never installed is undefined', async () => {
  expect(await readRelease(server.kubernetes, 'karpenter', 'karpenter')).toBeUndefined()
})

test('a first install that failed has no revision to go back to', async () => {
  server.put(path(1), releaseSecret(1, 'failed', '1.2.1'))
  expect(await readRelease(server.kubernetes, 'karpenter', 'karpenter')).toMatchObject({
    status: 'failed',
    deployedBefore: []
  })
})

test('controllers are found in any namespace, with the release they came by', async () => {
  const labels = { 'app.kubernetes.io/name': 'karpenter', 'app.kubernetes.io/version': '1.2.1' }
  server.intercept = (call, response) => {
    if (call.path !== '/apis/apps/v1/deployments') return false
    const annotations = { 'meta.helm.sh/release-name': 'k', 'meta.helm.sh/release-namespace': 'kube-system' }
    const items = [
      { metadata: { name: 'k-karpenter', namespace: 'kube-system', labels, annotations } },
      { metadata: { name: 'karpenter', namespace: 'argo', labels } }
    ]
    response.end(JSON.stringify({ metadata: {}, items }))
    return true
  }
  expect(await findControllers(server.kubernetes)).toEqual([
    {
      namespace: 'kube-system',
      deployment: 'k-karpenter',
      version: '1.2.1',
      release: { name: 'k', namespace: 'kube-system' }
    },
    { namespace: 'argo', deployment: 'karpenter', version: '1.2.1', release: undefined }
  ])
})
