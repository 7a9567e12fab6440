import type { Pod } from 'kubernetes-types/core/v1.js'
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
import { retiredAssociation } from '../../resources/access/retired-association.js'
import {
  ownCredentials,
  strategyOf,
  type WantedIdentity
} from '../../resources/controller/controller-identity.js'
import type { Trust } from '../../aws/trust-policy.js'
import type { ModelParts } from './parts.js'
import { idOf } from '../../resources/ids.js'

/** The pods that run; one read for all who ask what those were started with. */
export type ReadPods = () => Promise<readonly Pod[]>

/** What the pods are to have; undefined where the values give them credentials of their own. */
export function wantedIdentity({ decisions }: ModelParts): WantedIdentity | undefined {
  return ownCredentials(decisions.values)
    ? undefined
    : { strategy: decisions.identity, roleArn: decisions.controllerRoleArn }
}

/** Whom the role is to trust, and whom by the other strategy. */
export function trusts({ inputs, found, decisions }: ModelParts): {
  readonly wanted: Trust
  readonly other: Trust
} {
  const irsa: Trust = {
    kind: 'irsa',
    providerArn: oidcProviderArn(found.aws.account, found.cluster.oidcIssuer),
    namespace: inputs.namespace,
    serviceAccount: releaseName
  }
  const podIdentity: Trust = { kind: 'pod-identity' }
  return decisions.identity === 'irsa'
    ? { wanted: irsa, other: podIdentity }
    : { wanted: podIdentity, other: irsa }
}

/** The controller's role, and what hands it to the pod: two strategies. */
export function identity(
  parts: ModelParts,
  read: () => Promise<IamRole>,
  readPods: ReadPods
): readonly AnyResource[] {
  const { inputs, found, decisions, ownership, removal } = parts
  const { aws, cluster } = found
  const tags = wantedTags(cluster.name, inputs.tags)
  const role = {
    clusterName: cluster.name,
    roleName: inputs.controllerRoleName,
    arn: decisions.controllerRoleArn,
    permissionsBoundary: decisions.permissionsBoundary,
    tags
  }
  const serviceAccount = { namespace: inputs.namespace, serviceAccount: releaseName }
  const { wanted: trust, other } = trusts(parts)
  const stillUsed = async (): Promise<readonly Trust[]> =>
    (await readPods()).some((pod) => {
      const strategy = strategyOf(pod)
      return strategy !== undefined && strategy !== decisions.identity
    })
      ? [other]
      : []
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
        { aws, ownership, removable: removal?.removeOidcProvider === true }
      ),
      controllerRole(
        { ...role, trust },
        { aws, ownership, role: read, stillUsed, dependsOn: [idOf.oidcProvider] }
      ),
      retiredAssociation(
        { clusterName: cluster.name, ...serviceAccount },
        // The pods that run have their credentials by it until the next ones can have others.
        {
          aws,
          dependsOn: [idOf.controllerRole, ...(decisions.installed === undefined ? [] : [idOf.helmRelease])]
        }
      )
    ]
  }
  return [
    controllerRole({ ...role, trust }, { aws, ownership, role: read, stillUsed }),
    podIdentityAgent(
      { clusterName: cluster.name, addonName: podIdentityAgentAddon, tags },
      { aws, ownership, selfManaged: async () => found.podIdentityAgent }
    ),
    podIdentityAssociation(
      { clusterName: cluster.name, ...serviceAccount, roleArn: decisions.controllerRoleArn, tags },
      { aws, ownership }
    )
  ]
}
