import type { Aws } from '../../aws/clients.js'
import { createAtEks } from '../../aws/eks-creation.js'
import { awsProblem, codeOf, isNotFound, liveOf } from '../../aws/errors.js'
import { creationTags, isOurs } from '../../aws/ownership-tags.js'
import { type Association, readAssociation } from '../../aws/pod-identity-association.js'
import { poll } from '../../aws/poll.js'
import { missing, type Difference } from '../../engine/difference.js'
import { messageOf, UserError } from '../../engine/errors.js'
import { isMap } from '../../engine/json.js'
import { resource, type AnyResource, type Removal, type Step } from '../../engine/resource.js'
import type { Ownership } from '../../aws/environment.js'
import { ownerByTags } from '../../adoption/owners/tag-owner.js'
import { idOf } from '../ids.js'

export interface PodIdentityAssociationWanted {
  readonly clusterName: string
  readonly namespace: string
  readonly serviceAccount: string
  readonly roleArn: string
  readonly tags: Readonly<Record<string, string>>
}

/** Gives the controller's service account its role by EKS Pod Identity. */
export function podIdentityAssociation(
  wanted: PodIdentityAssociationWanted,
  ports: { readonly aws: Aws; readonly ownership: Ownership }
): AnyResource {
  const title = 'Pod Identity association'
  const { clusterName, namespace, serviceAccount, roleArn } = wanted
  const account = `${namespace}/${serviceAccount}`

  async function get(): Promise<Association | undefined> {
    return readAssociation(ports.aws, wanted)
  }

  /** EKS sees a new role, and its trust policy, seconds after IAM does. */
  function roleUnseen(error: unknown): boolean {
    return /^Invalid(Parameter|Request)$/.test(codeOf(error) ?? '') && /role|trust/i.test(messageOf(error))
  }

  async function create(step: Step): Promise<void> {
    const { CreatePodIdentityAssociationCommand } = await import('../../aws/sdk/eks.js')
    const eks = await ports.aws.eks()
    const tags = { ...creationTags(wanted.tags, ports.ownership) }
    const outcome = await createAtEks(
      {
        title,
        what: `the association of ${account}`,
        create: async () =>
          eks.send(
            new CreatePodIdentityAssociationCommand({ clusterName, namespace, serviceAccount, roleArn, tags })
          ),
        isThere: async () => (await get()) !== undefined,
        late: {
          what: `EKS to see role ${roleArn}`,
          passes: roleUnseen,
          givenUp: (error) => awsProblem(title, `EKS does not take the role ${roleArn}`, error)
        }
      },
      step
    )
    if (outcome === 'created') step.changed(`associated service account ${account} with ${roleArn}`)
  }

  async function turn({ associationId, roleArn: before, tags }: Association, step: Step): Promise<void> {
    const { UpdatePodIdentityAssociationCommand } = await import('../../aws/sdk/eks.js')
    const eks = await ports.aws.eks()
    const last: { error: unknown } = { error: undefined }
    await poll(
      step,
      {
        what: `EKS to see role ${roleArn}`,
        timeoutMilliseconds: 120_000,
        giveUp: () => awsProblem(title, `EKS does not take the role ${roleArn}`, last.error)
      },
      async () => {
        try {
          return await eks.send(
            new UpdatePodIdentityAssociationCommand({ clusterName, associationId, roleArn })
          )
        } catch (error) {
          last.error = error
          if (roleUnseen(error)) return undefined
          throw awsProblem(title, `could not be written for ${account}`, error)
        }
      }
    )
    step.changed(`associated service account ${account} with ${roleArn} instead of ${before}`)
    if (!isOurs(tags, clusterName)) {
      step.warning(
        `the association of ${account} with ${before} was made by somebody else; the role itself was left`
      )
    }
  }

  return resource<PodIdentityAssociationWanted, Association>(
    {
      id: idOf.podIdentityAssociation,
      layer: 'eks',
      title,
      dependsOn: [idOf.controllerRole, idOf.podIdentityAgent],
      // No agent is asked for it: none of the errors of CreatePodIdentityAssociation is of one.
      onceWritten: [idOf.podIdentityAgent],
      wanted,
      read: async () => liveOf(title, get),
      compare: (want, live) => differencesOf(want, live, account),
      refusal: ({ associationId, targetRoleArn = '', policy = '' }) =>
        targetRoleArn === '' && policy === ''
          ? undefined
          : new UserError(
              title,
              `that of ${account} ${targetRoleArn === '' ? 'has a policy that takes permissions away' : `leads to the role ${targetRoleArn}`}, which nobody can take out of it`,
              `Delete it, and run again: aws eks delete-pod-identity-association --cluster-name ${clusterName} --association-id ${associationId}`,
              { state: 'Nothing was changed.' }
            ),
      absent: () => [missing(`Pod Identity association of ${account}`, roleArn)],
      apply: async (live, _differences, step) => {
        if (live.state === 'absent') await create(step)
        await poll(
          step,
          {
            what: `the association of ${account} to show`,
            timeoutMilliseconds: 60_000,
            firstPauseMilliseconds: 500,
            giveUp: () =>
              new UserError(
                title,
                `${account} is not associated with ${roleArn} a minute later`,
                'Run again.'
              )
          },
          async () => {
            const now = await get()
            // Also somebody else's that was made meanwhile.
            if (now !== undefined && now.roleArn !== roleArn) await turn(now, step)
            return now?.roleArn === roleArn ? true : undefined
          }
        )
      },
      sign: { by: 'mark', mark: ({ tags }) => ownerByTags({ tags }, clusterName) },
      remove: async (live, step): Promise<Removal> => {
        const { DeletePodIdentityAssociationCommand } = await import('../../aws/sdk/eks.js')
        const eks = await ports.aws.eks()
        await eks
          .send(new DeletePodIdentityAssociationCommand({ clusterName, associationId: live.associationId }))
          .catch((error: unknown) => {
            if (!isNotFound(error)) throw awsProblem(title, 'could not be deleted', error)
          })
        step.changed(`deleted Pod Identity association of ${account}`)
        return { outcome: 'removed' }
      }
    },
    // That of another service account is another association.
    (value): value is PodIdentityAssociationWanted =>
      isWanted(value) && value.namespace === namespace && value.serviceAccount === serviceAccount
  )
}

function isWanted(value: unknown): value is PodIdentityAssociationWanted {
  return isMap(value) && typeof value['serviceAccount'] === 'string' && typeof value['roleArn'] === 'string'
}

/** Session tags are no permission, and no policy of Karpenter's asks for them: whether they are sent is nobody's affair. */
function differencesOf(
  want: PodIdentityAssociationWanted,
  { roleArn, targetRoleArn, policy }: Association,
  account: string
): readonly Difference[] {
  const added = (path: string, live: string | undefined, reason: string): readonly Difference[] =>
    live === undefined || live === ''
      ? []
      : [{ path, wanted: undefined, live, reason, severity: 'breaks scaling' }]
  return [
    ...(roleArn === want.roleArn
      ? []
      : [
          {
            path: 'roleArn',
            wanted: want.roleArn,
            live: roleArn,
            reason: `service account ${account} gets another role`,
            severity: 'breaks scaling' as const
          }
        ]),
    ...added(
      'targetRoleArn',
      targetRoleArn,
      `service account ${account} gets the role ${targetRoleArn ?? ''} by way of its own`
    ),
    ...added('policy', policy, `a policy of the association takes permissions away from ${account}`)
  ]
}
