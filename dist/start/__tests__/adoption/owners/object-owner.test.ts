import { ownerOfObject } from '../../../src/adoption/owners/object-owner.js'

const ownership = { owner: 'setup-karpenter', run: 'local' }
const at = '2026-11-24T19:00:00Z'

function object(metadata: Readonly<Record<string, unknown>>, ...managers: readonly string[]): unknown {
  const managedFields = managers.map((manager) => ({ manager, operation: 'Update', time: at, fieldsV1: {} }))
  return {
    apiVersion: 'karpenter.sh/v1',
    kind: 'NodePool',
    metadata: { name: 'default', managedFields, ...metadata }
  }
}

const release = {
  labels: { 'app.kubernetes.io/managed-by': 'Helm', 'app.kubernetes.io/instance': 'karpenter' },
  annotations: {
    'meta.helm.sh/release-name': 'karpenter',
    'meta.helm.sh/release-namespace': 'kube-system'
  }
}

test('what carries our label is ours, whoever wrote into it since', () => {
  const live = object(
    { labels: { 'app.kubernetes.io/managed-by': 'setup-karpenter' } },
    'setup-karpenter',
    'kubectl-edit'
  )
  expect(ownerOfObject(live, ownership)).toEqual({ kind: 'ours' })
})

test.each([
  ['Helm release kube-system/karpenter', object(release, 'helm')],
  [
    'Argo CD Application platform',
    object(
      { annotations: { 'argocd.argoproj.io/tracking-id': 'platform:karpenter.sh/NodePool:/default' } },
      'argocd-controller'
    )
  ],
  [
    'Argo CD Application karpenter',
    object({ labels: { 'app.kubernetes.io/instance': 'karpenter' } }, 'argocd-controller')
  ],
  [
    'Flux Kustomization flux-system/infra',
    object({
      labels: {
        'kustomize.toolkit.fluxcd.io/name': 'infra',
        'kustomize.toolkit.fluxcd.io/namespace': 'flux-system'
      }
    })
  ],
  ['Flux', object({}, 'kustomize-controller')],
  [
    'Flux HelmRelease flux-system/karpenter, Helm release kube-system/karpenter',
    object(
      {
        ...release,
        labels: {
          ...release.labels,
          'helm.toolkit.fluxcd.io/name': 'karpenter',
          'helm.toolkit.fluxcd.io/namespace': 'flux-system'
        }
      },
      'helm-controller'
    )
  ],
  ['Terraform, Helm release kube-system/karpenter', object(release, 'terraform-provider-helm_v3.0.2_x5')],
  ['Terraform', object({}, 'Terraform')],
  ['Terraform', object({}, 'HashiCorp')],
  ['Terraform', object({}, 'OpenTofu')],
  ['Terraform', object({ labels: { 'app.kubernetes.io/managed-by': 'terraform' } })],
  ['Terraform', object({ labels: { 'app.kubernetes.io/managed-by': 'OpenTofu' } })],
  [
    'kubectl datadog, Helm release kube-system/karpenter',
    object(
      {
        ...release,
        labels: { ...release.labels, 'autoscaling.datadoghq.com/installed-by': 'kubectl-datadog' }
      },
      'kubectl-datadog'
    )
  ],
  [
    'kubectl datadog',
    object({
      labels: {
        'app.kubernetes.io/managed-by': 'kubectl-datadog',
        'autoscaling.datadoghq.com/created': 'true'
      }
    })
  ],
  ['Datadog', object({ labels: { 'autoscaling.datadoghq.com/created': 'true' } })],
  ['Helm release kube-system/karpenter', object(release, 'eksctl')],
  ['eksctl', object({ labels: { 'app.kubernetes.io/managed-by': 'eksctl' } })],
  ['eksctl', object({ labels: { 'alpha.eksctl.io/cluster-name': 'blue' } })],
  ['Pulumi', object({}, 'pulumi-kubernetes-1a2b3c4d')],
  ['Pulumi', object({ labels: { 'app.kubernetes.io/managed-by': 'pulumi' } })],
  ['Rancher Fleet', object({ annotations: { 'objectset.rio.cattle.io/id': 'default-karpenter' } })],
  ['kapp', object({ labels: { 'kapp.k14s.io/app': '1700000000' } })],
  ['AWS CDK', object({ labels: { 'aws.cdk.eks/prune-c8c49db9cb': '' } })],
  ['Crossplane', object({ labels: { 'crossplane.io/composite': 'blue' } })],
  ['platform-operator', object({ labels: { 'app.kubernetes.io/managed-by': 'platform-operator' } })],
  ['Cluster blue', object({ ownerReferences: [{ kind: 'Cluster', name: 'blue', controller: true }] })]
])('%s', (who, live) => {
  expect(ownerOfObject(live, ownership)).toMatchObject({ kind: 'other', who })
})

test('the release, its label and its namespace stand in the evidence', () => {
  expect(ownerOfObject(object(release, 'helm'), ownership)).toEqual({
    kind: 'other',
    who: 'Helm release kube-system/karpenter',
    evidence: ['annotation meta.helm.sh/release-name=karpenter']
  })
})

test('kubectl keeps nothing: its traces are told of an object that is unmarked', () => {
  const live = object(
    { annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}' } },
    'kubectl-client-side-apply',
    'karpenter',
    'setup-karpenter'
  )
  expect(ownerOfObject(live, ownership)).toEqual({
    kind: 'unmarked',
    evidence: [
      'annotation kubectl.kubernetes.io/last-applied-configuration',
      `field manager kubectl-client-side-apply (Update, ${at})`
    ]
  })
})

test.each([
  [
    'a CRD that helm laid down and never looks at again',
    object({}, 'helm'),
    [`field manager helm (Update, ${at})`]
  ],
  [
    'what was rendered from a chart and applied by hand',
    object({ labels: { 'app.kubernetes.io/managed-by': 'Helm' } }, 'kubectl-create'),
    [
      'label app.kubernetes.io/managed-by=Helm without a release',
      `field manager kubectl-create (Update, ${at})`
    ]
  ],
  ['an object without any metadata', {}, []]
])('%s is unmarked', (_what, live, evidence) => {
  expect(ownerOfObject(live, ownership)).toEqual({ kind: 'unmarked', evidence })
})

test('who wrote the status alone does not keep the object', () => {
  const entry = {
    manager: 'argocd-controller',
    operation: 'Update',
    time: at,
    subresource: 'status',
    fieldsV1: {}
  }
  expect(ownerOfObject({ metadata: { managedFields: [entry] } }, ownership)).toEqual({
    kind: 'unmarked',
    evidence: []
  })
})
