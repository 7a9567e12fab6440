import { findReleases, findScalers, readRelease } from '../../src/helm/release.js'
import { ApiServer } from '../kubernetes/api-server.js'
import { releasePath as path, releaseSecret } from './release-secret.js'

let server: ApiServer
beforeEach(async () => {
  server = await ApiServer.start()
})
afterEach(async () => server.stop())

test('the newest revision counts, by number and not by name', async () => {
  server.put(path(9), releaseSecret(9, 'superseded', '1.1.0'))
  server.put(
    path(10),
    releaseSecret(10, 'deployed', '1.2.1', { replicas: 1 }, { manifest: '---\nkind: Deployment\n' })
  )
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

type Given = Readonly<Record<string, unknown>> & {
  readonly metadata: Readonly<Record<string, unknown>> & { readonly name: string; readonly namespace: string }
}

function deploymentsAre(items: readonly Given[]): void {
  for (const item of items) {
    const { name, namespace } = item.metadata
    server.put(`/apis/apps/v1/namespaces/${namespace}/deployments/${name}`, {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      ...item
    })
  }
}

const running = (image: string, args: readonly string[] = [], replicas = 1) => ({
  spec: { replicas, template: { spec: { containers: [{ image, args }] } } }
})

test('controllers are found in any namespace, with the release they came by', async () => {
  const labels = { 'app.kubernetes.io/name': 'karpenter', 'app.kubernetes.io/version': '1.2.1' }
  const annotations = { 'meta.helm.sh/release-name': 'k', 'meta.helm.sh/release-namespace': 'kube-system' }
  deploymentsAre([
    { metadata: { name: 'k-karpenter', namespace: 'kube-system', labels, annotations } },
    { metadata: { name: 'karpenter', namespace: 'argo', labels } },
    { metadata: { name: 'web', namespace: 'shop' }, ...running('nginx') }
  ])
  expect((await findScalers(server.kubernetes)).controllers).toEqual([
    {
      namespace: 'kube-system',
      deployment: 'k-karpenter',
      version: '1.2.1',
      release: { name: 'k', namespace: 'kube-system' }
    },
    { namespace: 'argo', deployment: 'karpenter', version: '1.2.1', release: undefined }
  ])
})

test.each([
  ['public.ecr.aws/karpenter/controller:1.8.6@sha256:aa', '1.8.6'],
  ['public.ecr.aws/karpenter/controller:v0.32.1', '0.32.1'],
  ['localhost:5000/mirror/karpenter-controller:1.9.0', '1.9.0'],
  ['karpenter/controller@sha256:aa', '']
])('a controller without labels is known by its image %s', async (image, version) => {
  deploymentsAre([{ metadata: { name: 'scaler', namespace: 'ops' }, ...running(image) }])
  expect(await findScalers(server.kubernetes)).toEqual({
    controllers: [{ namespace: 'ops', deployment: 'scaler', version, release: undefined }],
    autoscalers: []
  })
})

test('Cluster Autoscaler is known by its image, with what it manages', async () => {
  const image = 'registry.k8s.io/autoscaling/cluster-autoscaler:v1.32.0'
  const args = ['--v=4', '--node-group-auto-discovery=asg:tag=k8s.io/cluster-autoscaler/blue']
  deploymentsAre([{ metadata: { name: 'ca', namespace: 'kube-system' }, ...running(image, args, 0) }])
  expect(await findScalers(server.kubernetes)).toEqual({
    controllers: [],
    autoscalers: [{ namespace: 'kube-system', deployment: 'ca', replicas: 0, image, scope: args.slice(1) }]
  })
})

test('no Deployment is read whole but that of a Cluster Autoscaler', async () => {
  const image = 'registry.k8s.io/autoscaling/cluster-autoscaler:v1.32.0'
  deploymentsAre([
    { metadata: { name: 'web', namespace: 'shop' }, ...running('nginx') },
    {
      metadata: { name: 'k', namespace: 'karpenter' },
      ...running('public.ecr.aws/karpenter/controller:1.8.6')
    },
    { metadata: { name: 'ca', namespace: 'kube-system' }, ...running(image) }
  ])
  await findScalers(server.kubernetes)
  expect(server.calls.map(({ path, accept }) => [path, accept.includes('as=Table')])).toEqual([
    ['/apis/apps/v1/deployments', true],
    ['/apis/apps/v1/namespaces/kube-system/deployments', false]
  ])
})

test('a server that prints nothing is asked for the Deployments themselves', async () => {
  server.intercept = (call, response) => {
    if (!call.accept.includes('as=Table')) return false
    response.end(JSON.stringify({ kind: 'DeploymentList', metadata: {}, items: [] }))
    return true
  }
  deploymentsAre([
    {
      metadata: { name: 'k', namespace: 'karpenter' },
      ...running('public.ecr.aws/karpenter/controller:1.8.6')
    }
  ])
  expect((await findScalers(server.kubernetes)).controllers).toMatchObject([
    { deployment: 'k', version: '1.8.6' }
  ])
})

test("releases of Karpenter and its CRDs are found by their Secrets' labels", async () => {
  server.intercept = (call, response) => {
    if (call.path !== '/api/v1/secrets') return false
    expect(call.query.get('labelSelector')).toBe(
      'owner=helm,name in (karpenter,karpenter-crd),status!=superseded'
    )
    const labels = { name: 'karpenter-crd', status: 'deployed' }
    const items = [{ metadata: { name: 'sh.helm.release.v1.karpenter-crd.v1', namespace: 'ops', labels } }]
    response.end(JSON.stringify({ metadata: {}, items }))
    return true
  }
  expect(await findReleases(server.kubernetes)).toEqual([
    { name: 'karpenter-crd', namespace: 'ops', status: 'deployed' }
  ])
})
