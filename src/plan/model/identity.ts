import type { IamRole } from '../../aws/iam-role.js'
import { wantedTags } from '../../aws/ownership-tags.js'
import { releaseName } from '../../karpenter/names.js'
import type { AnyResource } from '../../engine/resource.js'
import { controllerRole } from '../../resources/controller/controller-role.js'
import {
  oidcProvider,
  oidcProviderArn,
  serviceAccountAudience
} from '../../resources/access/oidc-provider.js'
import { podIdentityAgent, podIdentityAgentAddon } from '../../resources/access/pod-identity-agent.js'
import { podIdentityAssociation } from '../../resources/access/pod-identity-association.js'
import type { ModelParts } from './parts.js'

/** The controller's role, and what hands it to the pod: two strategies. */
export function identity(
  { inputs, found, decisions, ownership, removal }: ModelParts,
  read: () => Promise<IamRole>
): readonly AnyResource[] {
  const { aws, cluster } = found
  const tags = wantedTags(cluster.name, inputs.tags)
  const role = {
    clusterName: cluster.name,
    roleName: inputs.controllerRoleName,
    arn: decisions.controllerRoleArn,
    ...(decisions.permissionsBoundary !== undefined && {
      permissionsBoundary: decisions.permissionsBoundary
    }),
    tags
  }
  const serviceAccount = { namespace: inputs.namespace, serviceAccount: releaseName }
  if (decisions.identity === 'irsa') {
    const providerArn = oidcProviderArn(aws.account, cluster.oidcIssuer)
    return [
      oidcProvider(
        {
          clusterName: cluster.name,
          arn: providerArn,
          issuer: cluster.oidcIssuer,
          audience: serviceAccountAudience,
          tags
        },
        { aws, ownership, removable: removal?.removeOidcProvider ?? false }
      ),
      controllerRole(
        { ...role, trust: { kind: 'irsa', providerArn, ...serviceAccount } },
        { aws, ownership, role: read, dependsOn: ['oidc-provider'] }
      )
    ]
  }
  return [
    controllerRole({ ...role, trust: { kind: 'pod-identity' } }, { aws, ownership, role: read }),
    podIdentityAgent(
      { clusterName: cluster.name, addonName: podIdentityAgentAddon, tags },
      { aws, ownership, selfManaged: async () => found.podIdentityAgent }
    ),
    podIdentityAssociation(
      { clusterName: cluster.name, ...serviceAccount, roleArn: decisions.controllerRoleArn, tags },
      { aws, ownership, dependsOn: ['controller-role', 'pod-identity-agent'] }
    )
  ]
}
