import type { Aws } from './clients.js'

/** A Pod Identity association as it is. */
export interface Association {
  readonly associationId: string
  readonly roleArn: string
  /** What the pods get in its place by role chaining. */
  readonly targetRoleArn: string | undefined
  /** What of the role's permissions the pods get. */
  readonly policy: string | undefined
  readonly tags: Readonly<Record<string, string>>
}

/** That of a service account, of which there is one at most; undefined without one. Rejects as EKS does. */
export async function readAssociation(
  aws: Aws,
  of: { readonly clusterName: string; readonly namespace: string; readonly serviceAccount: string }
): Promise<Association | undefined> {
  const { DescribePodIdentityAssociationCommand, ListPodIdentityAssociationsCommand } =
    await import('./sdk/eks.js')
  const eks = await aws.eks()
  const { clusterName, namespace, serviceAccount } = of
  const { associations = [] } = await eks.send(
    new ListPodIdentityAssociationsCommand({ clusterName, namespace, serviceAccount })
  )
  const associationId = associations[0]?.associationId
  if (associationId === undefined) return undefined
  const { association } = await eks.send(
    new DescribePodIdentityAssociationCommand({ clusterName, associationId })
  )
  return {
    associationId,
    roleArn: association?.roleArn ?? '',
    targetRoleArn: association?.targetRoleArn,
    policy: association?.policy,
    tags: association?.tags ?? {}
  }
}
