import type { KubernetesRequest } from './request.js'
import { clusterDnsAddress } from './flags.js'

/** What EKS puts into a cluster when it makes it, as far as anything here looks at it. */
const objects: readonly { readonly path: string; readonly body: Readonly<Record<string, unknown>> }[] = [
  {
    path: '/apis/rbac.authorization.k8s.io/v1/clusterroles',
    body: {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: 'eks:node-bootstrapper', labels: { 'eks.amazonaws.com/component': 'node' } },
      rules: [
        {
          apiGroups: ['certificates.k8s.io'],
          resources: ['certificatesigningrequests/selfnodeserver'],
          verbs: ['create']
        }
      ]
    }
  },
  {
    path: '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings',
    body: {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: 'eks:node-bootstrapper', labels: { 'eks.amazonaws.com/component': 'node' } },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'eks:node-bootstrapper' },
      subjects: ['system:bootstrappers', 'system:nodes'].map((name) => ({
        apiGroup: 'rbac.authorization.k8s.io',
        kind: 'Group',
        name
      }))
    }
  },
  {
    path: '/api/v1/namespaces/kube-system/services',
    body: {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: {
        name: 'kube-dns',
        namespace: 'kube-system',
        labels: {
          'eks.amazonaws.com/component': 'kube-dns',
          'k8s-app': 'kube-dns',
          'kubernetes.io/cluster-service': 'true',
          'kubernetes.io/name': 'CoreDNS'
        }
      },
      spec: {
        clusterIP: clusterDnsAddress,
        selector: { 'k8s-app': 'kube-dns' },
        ports: [
          { name: 'dns', port: 53, protocol: 'UDP', targetPort: 53 },
          { name: 'dns-tcp', port: 53, protocol: 'TCP', targetPort: 53 },
          { name: 'metrics', port: 9153, protocol: 'TCP', targetPort: 9153 }
        ]
      }
    }
  }
]

export async function createWhatEksCreates(request: KubernetesRequest): Promise<void> {
  await Promise.all(
    objects.map(async ({ path, body }) => {
      const answer = await request('POST', path, body)
      if (answer.status !== 201 && answer.status !== 409) {
        throw new Error(`${path}: the API server answers ${answer.status}: ${JSON.stringify(answer.body)}`)
      }
    })
  )
}
