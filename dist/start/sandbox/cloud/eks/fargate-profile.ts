export interface FargateSelector {
  readonly namespace: string
  readonly labels: Readonly<Record<string, string>>
}

/** A profile cannot be changed: no operation of EKS's does. */
export interface FargateProfile {
  readonly clusterName: string
  readonly name: string
  readonly arn: string
  readonly podExecutionRoleArn: string
  readonly subnets: readonly string[]
  readonly selectors: readonly FargateSelector[]
  readonly status: 'CREATING' | 'ACTIVE' | 'DELETING' | 'CREATE_FAILED' | 'DELETE_FAILED'
  readonly tags: Readonly<Record<string, string>>
  readonly createdAt: Date
}

/** What EKS does inside a cluster for its Fargate profiles. */
export interface FargateInCluster {
  /** Brings the pod execution role into aws-auth, in a cluster that has no access entries. */
  mapRole(clusterName: string, roleArn: string): Promise<void>
  /** Ends the pods that run by this profile; resolves when they are gone. */
  removePods(clusterName: string, profileName: string): Promise<void>
}

/**
 * The ACTIVE profile that takes a pod in: the one that its label eks.amazonaws.com/fargate-profile names, else the first by
 * name. Namespaces, label keys and label values may have `*` and `?` (Amazon EKS user guide, Fargate profile components).
 */
export function profileOfPod(
  profiles: readonly FargateProfile[],
  pod: { readonly namespace: string; readonly labels: Readonly<Record<string, string>> }
): FargateProfile | undefined {
  const named = pod.labels['eks.amazonaws.com/fargate-profile']
  return profiles
    .filter(({ status, name }) => status === 'ACTIVE' && (named === undefined || named === name))
    .toSorted((one, other) => (one.name < other.name ? -1 : 1))
    .find(({ selectors }) =>
      selectors.some(
        ({ namespace, labels }) =>
          wildcard(namespace).test(pod.namespace) &&
          Object.entries(labels).every(([key, value]) =>
            Object.entries(pod.labels).some(
              ([name, given]) => wildcard(key).test(name) && wildcard(value).test(given)
            )
          )
      )
    )
}

function wildcard(pattern: string): RegExp {
  const literal = pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&')
  return new RegExp(`^${literal.replaceAll('*', '.*').replaceAll('?', '.')}$`)
}
