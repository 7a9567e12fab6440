import type { AccessEntry, Cluster, EksState } from '../eks/state.js'
import { type Mapping, readMappings } from './aws-auth.js'

/** Whom Kubernetes takes a caller for. */
export interface Identity {
  readonly username: string
  readonly groups: readonly string[]
}

export interface Subject {
  /** The IAM role with its path: what access entries name. */
  readonly roleArn: string
  readonly sessionName: string
  readonly accountId: string
  readonly accessKeyId?: string
  /** Of the EC2 instance whose session it is; undefined for anybody else. */
  readonly privateDnsName?: string
}

export type IdentityVerdict = Identity | { readonly refused: string }

/** By the cluster's authentication mode: access entries, then (unless the mode is API) aws-auth. The entry wins. */
export async function identityOf(
  eks: EksState,
  cluster: Cluster,
  subject: Subject
): Promise<IdentityVerdict> {
  const mode = cluster.authenticationMode
  if (mode !== 'CONFIG_MAP') {
    const entry = eks.accessEntries.get(`${cluster.name} ${subject.roleArn}`)
    if (entry !== undefined) {
      const id = eks.principalId(subject.roleArn)
      return entry.principalId !== undefined && id !== undefined && entry.principalId !== id
        ? { refused: `the access entry of ${subject.roleArn} is of a role that was deleted` }
        : ofEntry(entry, subject)
    }
    if (mode === 'API')
      return { refused: `${subject.roleArn} has no access entry in cluster ${cluster.name}` }
  } else if (subject.roleArn === cluster.creatorArn && cluster.bootstrapCreator !== false) {
    return { username: 'kubernetes-admin', groups: ['system:masters'] }
  }
  return ofConfigMap(eks, cluster, subject)
}

function ofEntry(entry: AccessEntry, subject: Subject): IdentityVerdict {
  return templated(
    entry.username,
    [...entry.kubernetesGroups, ...entry.policies.flatMap(policyGroups)],
    subject
  )
}

/**
 * EKS authorises access policies itself; here each is a group that the sandbox binds: eks:cluster-admin, eks:admin,
 * eks:admin-view, eks:edit, eks:view, with `:<namespace>` behind it where the scope is a namespace.
 */
function policyGroups(policy: AccessEntry['policies'][number]): readonly string[] {
  const name = policy.policyArn.replace(/^.*\/AmazonEKS(.*)Policy$/, '$1')
  const group = `eks:${name.replace(/(?<=[a-z])(?=[A-Z])/g, '-').toLowerCase()}`
  const { type, namespaces } = policy.accessScope
  return type === 'cluster' ? [group] : namespaces.map((namespace) => `${group}:${namespace}`)
}

async function ofConfigMap(eks: EksState, cluster: Cluster, subject: Subject): Promise<IdentityVerdict> {
  const data = await eks.awsAuth(cluster.name)?.()
  const wanted = withoutPath(subject.roleArn).toLowerCase()
  // The authenticator keeps one mapping an ARN: of several lines the last one (kubernetes-sigs/aws-iam-authenticator#271).
  const last = (mappings: readonly Mapping[]): Mapping | undefined =>
    mappings.findLast(({ arn }) => arn === wanted)
  const mapping =
    last(readMappings(data?.mapRoles, 'rolearn')) ?? last(readMappings(data?.mapUsers, 'userarn'))
  if (mapping === undefined) {
    return {
      refused: `${withoutPath(subject.roleArn)} is not mapped in kube-system/aws-auth of cluster ${cluster.name}`
    }
  }
  return templated(mapping.username, mapping.groups, subject)
}

/** STS tells no role's path, so aws-iam-authenticator knows roles without it. */
function withoutPath(roleArn: string): string {
  return roleArn.replace(/:role\/.*\//, ':role/')
}

function templated(username: string, groups: readonly string[], subject: Subject): IdentityVerdict {
  const fill = (template: string) =>
    template
      .replaceAll('{{SessionNameRaw}}', subject.sessionName)
      .replaceAll('{{SessionName}}', subject.sessionName.replaceAll('@', '-'))
      .replaceAll('{{AccountID}}', subject.accountId)
      .replaceAll('{{AccessKeyID}}', subject.accessKeyId ?? '')
      .replaceAll('{{EC2PrivateDNSName}}', subject.privateDnsName ?? '{{EC2PrivateDNSName}}')
  const filled = [username, ...groups].map(fill)
  if (filled.some((text) => text.includes('{{EC2PrivateDNSName}}'))) {
    return { refused: `the session ${subject.sessionName} of ${subject.roleArn} is no EC2 instance's` }
  }
  return { username: filled[0] ?? '', groups: filled.slice(1) }
}
