import { dump, load } from 'js-yaml'
import type { AwsAuthSource } from '../cloud/eks/state.js'
import type { KubernetesRequest } from '../control-plane/index.js'
import { list, record, text } from '../values.js'

const AWS_AUTH = '/api/v1/namespaces/kube-system/configmaps/aws-auth'

/** EKS's access policies, each of which the cloud's authenticator names as a group. */
const POLICY_ROLES: Readonly<Record<string, string>> = {
  'eks:cluster-admin': 'cluster-admin',
  'eks:admin': 'admin',
  'eks:edit': 'edit',
  'eks:view': 'view',
  'eks:admin-view': 'eks:admin-view'
}

/** Binds the groups of EKS's access policies: on EKS it is EKS itself that authorises by them. */
export async function bindAccessPolicies(request: KubernetesRequest): Promise<void> {
  const group = 'rbac.authorization.k8s.io'
  await request('POST', `/apis/${group}/v1/clusterroles`, {
    apiVersion: `${group}/v1`,
    kind: 'ClusterRole',
    metadata: { name: 'eks:admin-view' },
    rules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['get', 'list', 'watch'] }]
  })
  await Promise.all(
    Object.entries(POLICY_ROLES).map(async ([name, role]) =>
      request('POST', `/apis/${group}/v1/clusterrolebindings`, {
        apiVersion: `${group}/v1`,
        kind: 'ClusterRoleBinding',
        metadata: { name: `access-policy:${name}` },
        roleRef: { apiGroup: group, kind: 'ClusterRole', name: role },
        subjects: [{ apiGroup: group, kind: 'Group', name }]
      })
    )
  )
}

/** A line of aws-auth's mapRoles. */
export interface RoleMapping {
  readonly rolearn: string
  readonly username: string
  readonly groups: readonly string[]
}

/** The mapping with which the instances of a role may register as nodes. */
export function nodeMapping(roleArn: string): RoleMapping {
  return {
    rolearn: roleArn,
    username: 'system:node:{{EC2PrivateDNSName}}',
    groups: ['system:bootstrappers', 'system:nodes']
  }
}

/** Adds mappings to aws-auth, which is made when it is not there. */
export async function mapRoles(request: KubernetesRequest, mappings: readonly RoleMapping[]): Promise<void> {
  const found = await request('GET', AWS_AUTH)
  const data = record(record(found.body)['data'])
  const present = load(text(data['mapRoles']) ?? '[]')
  const lines = [...list(present), ...mappings]
  const body = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'aws-auth', namespace: 'kube-system' },
    data: { ...data, mapRoles: dump(lines) }
  }
  const answer =
    found.status === 404
      ? await request('POST', '/api/v1/namespaces/kube-system/configmaps', body)
      : await request('PUT', AWS_AUTH, body)
  if (answer.status >= 300) {
    throw new Error(`kube-system/aws-auth: the API server answered ${answer.status}`)
  }
}

/** aws-auth as it stands, for the authenticator. */
export function awsAuthOf(request: KubernetesRequest): AwsAuthSource {
  return async () => {
    const found = await request('GET', AWS_AUTH)
    if (found.status !== 200) {
      return undefined
    }
    const data = record(record(found.body)['data'])
    const roles = text(data['mapRoles'])
    const users = text(data['mapUsers'])
    return {
      ...(roles === undefined ? {} : { mapRoles: roles }),
      ...(users === undefined ? {} : { mapUsers: users })
    }
  }
}
