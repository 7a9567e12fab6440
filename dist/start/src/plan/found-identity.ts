import type { ControllerIdentityStrategy } from '../aws/choices.js'
import type { Aws } from '../aws/clients.js'
import type { Cluster } from '../aws/environment.js'
import { awsProblem } from '../aws/errors.js'
import { readAssociation } from '../aws/pod-identity-association.js'
import type { Kubernetes } from '../kubernetes/client.js'
import { serviceAccounts } from '../kubernetes/kinds.js'
import { textField } from '../kubernetes/manifest.js'

/** How the controller that was found gets its IAM role. */
export interface FoundIdentity {
  readonly strategy: ControllerIdentityStrategy
  readonly roleArn: string
}

/**
 * What the pods of a service account are given at their admission: an association goes before IRSA's annotation
 * (amazon-eks-pod-identity-webhook). Undefined where there is neither. Throws UserError where EKS may not be asked.
 */
export async function foundIdentity(
  {
    aws,
    cluster,
    kubernetes
  }: { readonly aws: Aws; readonly cluster: Cluster; readonly kubernetes: Kubernetes },
  namespace: string,
  serviceAccount: string
): Promise<FoundIdentity | undefined> {
  const of = { clusterName: cluster.name, namespace, serviceAccount }
  const [associated, account] = await Promise.all([
    readAssociation(aws, of).catch((error: unknown) => {
      throw awsProblem(
        'controller-identity',
        `the role of service account ${namespace}/${serviceAccount} could not be read`,
        error
      )
    }),
    kubernetes.get(serviceAccounts, serviceAccount, namespace)
  ])
  if (associated !== undefined) return { strategy: 'pod-identity', roleArn: associated.roleArn }
  const annotated = textField(account, 'metadata', 'annotations', 'eks.amazonaws.com/role-arn') ?? ''
  return annotated === '' ? undefined : { strategy: 'irsa', roleArn: annotated }
}
