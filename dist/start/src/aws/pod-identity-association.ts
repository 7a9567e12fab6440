import type { PodIdentityAssociationSummary } from '@aws-sdk/client-eks'
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

/** Of a cluster, or of one service account of it: all pages, of which the first may be empty. Rejects as EKS does. */
export async function listAssociations(
  aws: Aws,
  of: { readonly clusterName: string; readonly namespace?: string; readonly serviceAccount?: string }
): Promise<readonly PodIdentityAssociationSummary[]> {
  const { paginateListPodIdentityAssociations } = await import('./sdk/eks.js')
  const all: PodIdentityAssociationSummary[] = []
  for await (const page of paginateListPodIdentityAssociations({ client: await aws.eks() }, of)) {
    all.push(...(page.associations ?? []))
  }
  return all
}

/** That of a service account, of which there is one at most; undefined without one. Rejects as EKS does. */
export async function readAssociation(
  aws: Aws,
  of: { readonly clusterName: string; readonly namespace: string; readonly serviceAccount: string }
): Promise<Association | undefined> {
  const { DescribePodIdentityAssociationCommand } = await import('./sdk/eks.js')
  const eks = await aws.eks()
  const { clusterName, namespace, serviceAccount } = of
  const [first] = await listAssociations(aws, { clusterName, namespace, serviceAccount })
  const associationId = first?.associationId
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
