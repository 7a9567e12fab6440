import { crds } from '../../../src/resources/controller/crds.js'
import type { KubernetesPorts } from '../../../src/resources/kubernetes-object.js'
import { namespace } from '../../../src/resources/controller/namespace.js'
import { ApiServer } from '../../kubernetes/api-server.js'
import { containing } from '../../kubernetes/containing.js'
import { recordedStep } from '../step.js'
import { unrecorded } from '../walk-one.js'

let server: ApiServer
let ports: KubernetesPorts
beforeEach(async () => {
  server = await ApiServer.start()
  ports = {
    kubernetes: server.kubernetes,
    ownership: { owner: 'setup-karpenter', run: 'https://run/1' },
    dependsOn: []
  }
})
afterEach(async () => server.stop())

describe('a namespace that is ours', () => {
  const path = '/api/v1/namespaces/karpenter'
  const one = () => namespace({ name: 'karpenter' }, ports)
  beforeEach(() => {
    server.put(path, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { labels: { 'app.kubernetes.io/managed-by': 'setup-karpenter' } }
    })
    server.put(`${path}/configmaps/kube-root-ca.crt`, { apiVersion: 'v1', kind: 'ConfigMap' })
    server.put(`${path}/serviceaccounts/default`, { apiVersion: 'v1', kind: 'ServiceAccount' })
    server.put(`${path}/pods/web-1`, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { ownerReferences: [{ kind: 'ReplicaSet', name: 'web' }] }
    })
  })

  test('goes with what the cluster puts into every one', async () => {
    expect(await one().remove(recordedStep(), unrecorded)).toEqual({ outcome: 'removed' })
  })

  test('stays when others have objects in it, of kinds of their own too', async () => {
    server.put('/apis/apiextensions.k8s.io/v1/customresourcedefinitions/things.example.com', {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      spec: {
        group: 'example.com',
        scope: 'Namespaced',
        names: { kind: 'Thing', plural: 'things' },
        versions: [
          {
            name: 'v1',
            schema: { openAPIV3Schema: { properties: { served: { type: 'boolean' } } } },
            served: true
          }
        ]
      }
    })
    server.put('/apis/example.com/v1/namespaces/karpenter/things/theirs', {
      apiVersion: 'example.com/v1',
      kind: 'Thing'
    })
    server.put(`${path}/configmaps/dashboards`, { apiVersion: 'v1', kind: 'ConfigMap' })
    expect(await one().remove(recordedStep(), unrecorded)).toEqual({
      outcome: 'kept',
      reason: 'others have objects in it: ConfigMap dashboards, Thing theirs'
    })
    expect(server.writes()).toEqual([])
  })
})

test('CRDs of EKS Auto Mode stay even when they are asked for', async () => {
  const crd = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name: 'nodepools.karpenter.sh',
      labels: { 'app.kubernetes.io/managed-by': 'setup-karpenter' }
    }
  }
  server.put(`/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${crd.metadata.name}`, crd)
  const one = crds({ version: '1.14.0', crds: [crd] }, { ...ports, removable: true, autoMode: true })
  expect(await one.remove(recordedStep(), unrecorded)).toMatchObject({
    outcome: 'kept',
    reason: containing('EKS Auto Mode')
  })
})
