import type { Aws } from '../../aws/clients.js'
import { awsProblem, isNotFound, liveOf } from '../../aws/errors.js'
import { isOurs } from '../../aws/ownership-tags.js'
import { type Association, readAssociation } from '../../aws/pod-identity-association.js'
import { poll } from '../../aws/poll.js'
import { UserError } from '../../engine/errors.js'
import { isMap } from '../../engine/json.js'
import { resource, type AnyResource, type Removal, type Step } from '../../engine/resource.js'
import { ownerByTags } from '../../adoption/owners/tag-owner.js'
import { idOf } from '../ids.js'

export interface RetiredAssociationWanted {
  readonly clusterName: string
  readonly namespace: string
  readonly serviceAccount: string
}

/**
 * By IRSA there must be no Pod Identity association of the service account: each pod that starts would be given that one
 * (amazon-eks-pod-identity-webhook puts it before IRSA's annotation). It goes when the release is as wanted.
 */
export function retiredAssociation(
  wanted: RetiredAssociationWanted,
  ports: { readonly aws: Aws; readonly dependsOn: readonly string[] }
): AnyResource {
  const title = 'Retired Pod Identity association'
  const { clusterName, namespace, serviceAccount } = wanted
  const { aws } = ports
  const account = `${namespace}/${serviceAccount}`

  async function take({ associationId }: Association, step: Step): Promise<void> {
    const { DeletePodIdentityAssociationCommand } = await import('../../aws/sdk/eks.js')
    const eks = await aws.eks()
    await eks
      .send(new DeletePodIdentityAssociationCommand({ clusterName, associationId }))
      .catch((error: unknown) => {
        if (!isNotFound(error)) throw awsProblem(title, 'could not be deleted', error)
      })
    step.changed(`deleted Pod Identity association of ${account}`)
  }

  return resource<RetiredAssociationWanted, Association>(
    {
      id: idOf.retiredAssociation,
      layer: 'eks',
      title,
      dependsOn: ports.dependsOn,
      wanted,
      read: async () => liveOf(title, async () => readAssociation(aws, wanted)),
      compare: (_want, { roleArn }) => [
        {
          path: 'associationId',
          wanted: undefined,
          live: roleArn,
          reason: `service account ${account} is associated with ${roleArn}, which takes the place of IRSA in every pod that starts`,
          severity: 'breaks scaling'
        }
      ],
      refusal: ({ associationId, tags }) =>
        isOurs(tags, clusterName)
          ? undefined
          : new UserError(
              'controller-identity',
              `irsa: somebody else's Pod Identity association of ${account} takes the place of IRSA in every pod that starts`,
              `Pass \`controller-identity: pod-identity\`, or delete it if nothing needs it, and run again: aws eks delete-pod-identity-association --cluster-name ${clusterName} --association-id ${associationId}`,
              { state: 'Nothing was changed.' }
            ),
      absent: () => [],
      apply: async (live, _differences, step) => {
        if (live.state === 'absent') return
        await take(live.value, step)
        await poll(
          step,
          {
            what: `the association of ${account} to be gone`,
            timeoutMilliseconds: 60_000,
            firstPauseMilliseconds: 500,
            giveUp: () => new UserError(title, `that of ${account} still shows a minute later`, 'Run again.')
          },
          async () => ((await readAssociation(aws, wanted)) === undefined ? true : undefined)
        )
      },
      sign: { by: 'mark', mark: ({ tags }) => ownerByTags({ tags }, clusterName) },
      remove: async (live, step): Promise<Removal> => {
        await take(live, step)
        return { outcome: 'removed' }
      }
    },
    (value): value is RetiredAssociationWanted =>
      isMap(value) && value['namespace'] === namespace && value['serviceAccount'] === serviceAccount
  )
}
