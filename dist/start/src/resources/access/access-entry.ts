import type { Aws } from '../../aws/clients.js'
import { createAtEks } from '../../aws/eks-creation.js'
import { awsProblem, codeOf, isNotFound, liveOf } from '../../aws/errors.js'
import type { IamRole } from '../../aws/iam-role.js'
import { creationTags, isOurs } from '../../aws/ownership-tags.js'
import { poll } from '../../aws/poll.js'
import { missing, type Difference } from '../../engine/difference.js'
import { messageOf, UserError } from '../../engine/errors.js'
import { isMap } from '../../engine/json.js'
import { resource, type AnyResource, type Removal, type Step } from '../../engine/resource.js'
import type { Ownership } from '../../aws/environment.js'
import { ownerByTags } from '../../adoption/owners/tag-owner.js'
import { idOf } from '../ids.js'

export interface AccessEntryWanted {
  readonly clusterName: string
  readonly nodeRoleArn: string
  /** EC2_LINUX gives nodes their user name and groups by itself; STANDARD cannot. */
  readonly type: 'EC2_LINUX'
  readonly tags: Readonly<Record<string, string>>
}

interface Live {
  readonly type: string
  readonly groups: readonly string[]
  readonly tags: Readonly<Record<string, string>>
  /**
   * Whether it is of the role that has the name today. EKS keeps the id of the role with the entry and does not show it: an
   * entry from before its role was made is of one that was deleted, and lets nobody in (EKS API reference, AccessEntry).
   */
  readonly role: 'that of today' | 'deleted' | 'deleted, and made again'
}

interface Ports {
  readonly aws: Aws
  readonly ownership: Ownership
  /** Reads the node role; without it entries are taken to be of the role that has the name today. */
  readonly nodeRole?: () => Promise<Pick<IamRole, 'createdAt'>>
  readonly dependsOn?: readonly string[]
}

/** Lets nodes with the node role join, by an EKS access entry. */
export function accessEntry(wanted: AccessEntryWanted, ports: Ports): AnyResource {
  const title = 'Node access (access entry)'
  const at = { clusterName: wanted.clusterName, principalArn: wanted.nodeRoleArn }

  async function get(): Promise<Live> {
    const { DescribeAccessEntryCommand } = await import('../../aws/sdk/eks.js')
    const eks = await ports.aws.eks()
    const [{ accessEntry: entry }, role] = await Promise.all([
      eks.send(new DescribeAccessEntryCommand(at)),
      roleMadeAt()
    ])
    return {
      type: entry?.type ?? '',
      groups: entry?.kubernetesGroups ?? [],
      tags: entry?.tags ?? {},
      role: roleOf(entry?.createdAt, role)
    }
  }

  /** Undefined when that cannot be known: the resource of the role says why. */
  async function roleMadeAt(): Promise<Date | 'deleted' | undefined> {
    try {
      return (await ports.nodeRole?.())?.createdAt
    } catch (error) {
      return isNotFound(error) ? 'deleted' : undefined
    }
  }

  async function create(step: Step): Promise<void> {
    const { CreateAccessEntryCommand } = await import('../../aws/sdk/eks.js')
    const eks = await ports.aws.eks()
    const tags = { ...creationTags(wanted.tags, ports.ownership) }
    const outcome = await createAtEks(
      {
        title,
        what: 'the access entry',
        create: async () => eks.send(new CreateAccessEntryCommand({ ...at, type: wanted.type, tags })),
        isThere: async () => (await liveOf(title, get)).state === 'present',
        // EKS sees a new role seconds after IAM does.
        late: {
          what: `EKS to see role ${wanted.nodeRoleArn}`,
          passes: (error) => codeOf(error) === 'InvalidParameter' && /principal/i.test(messageOf(error)),
          givenUp: (error) =>
            new UserError(
              title,
              `EKS does not know the role ${wanted.nodeRoleArn} two minutes after it was made`,
              'Check that the stack made the role, then run again.',
              { cause: error }
            )
        }
      },
      step
    )
    if (outcome === 'created') {
      step.changed(`created access entry ${wanted.type} for ${wanted.nodeRoleArn}`)
    }
  }

  async function deleteWrong(live: Live, step: Step): Promise<void> {
    const { DeleteAccessEntryCommand, ListAssociatedAccessPoliciesCommand } =
      await import('../../aws/sdk/eks.js')
    const eks = await ports.aws.eks()
    if (!isOurs(live.tags, wanted.clusterName)) {
      const { associatedAccessPolicies = [] } = await eks.send(new ListAssociatedAccessPoliciesCommand(at))
      if (live.groups.length > 0 || associatedAccessPolicies.length > 0) {
        const held = [...live.groups, ...associatedAccessPolicies.map((policy) => policy.policyArn ?? '')]
        throw new UserError(
          title,
          `the entry for ${wanted.nodeRoleArn} has type ${live.type}, with which no node can join, and it grants ${held.join(', ')}`,
          `Give nodes a role of their own (\`node-role-name\`), or delete the entry: aws eks delete-access-entry --cluster-name ${wanted.clusterName} --principal-arn ${wanted.nodeRoleArn}`,
          { state: 'The entry was left as it is.' }
        )
      }
    }
    await eks.send(new DeleteAccessEntryCommand(at)).catch((error: unknown) => {
      if (!isNotFound(error)) throw error
    })
    step.changed(
      live.type === wanted.type
        ? `deleted the access entry of an earlier role ${wanted.nodeRoleArn}`
        : `deleted access entry of type ${live.type} for ${wanted.nodeRoleArn}`
    )
  }

  return resource<AccessEntryWanted, Live>(
    {
      id: idOf.nodeAccess,
      layer: 'eks',
      title,
      dependsOn: ports.dependsOn ?? [idOf.stack],
      wanted,
      read: async () => liveOf(title, get),
      compare: differencesOf,
      absent: (want) => [missing('access entry of the node role', want.nodeRoleArn)],
      apply: async (live, _differences, step) => {
        try {
          // The role may have been made again since.
          const now = live.state === 'present' ? await liveOf(title, get) : live
          if (now.state === 'present' && differencesOf(wanted, now.value).length > 0) {
            await deleteWrong(now.value, step)
          }
          await create(step)
          await poll(
            step,
            {
              what: 'the access entry to show',
              timeoutMilliseconds: 60_000,
              firstPauseMilliseconds: 500,
              giveUp: () =>
                new UserError(
                  title,
                  `the entry for ${wanted.nodeRoleArn} is not ${wanted.type} a minute later`,
                  'Run again.'
                )
            },
            async () => {
              const now = await liveOf(title, get)
              return now.state === 'present' && differencesOf(wanted, now.value).length === 0
                ? true
                : undefined
            }
          )
        } catch (error) {
          throw awsProblem(title, 'could not be made', error)
        }
      },
      sign: { by: 'mark', mark: ({ tags }) => ownerByTags({ tags }, wanted.clusterName) },
      remove: async (_live, step): Promise<Removal> => {
        const { DeleteAccessEntryCommand } = await import('../../aws/sdk/eks.js')
        const eks = await ports.aws.eks()
        await eks.send(new DeleteAccessEntryCommand(at)).catch((error: unknown) => {
          if (!isNotFound(error)) throw awsProblem(title, 'could not be deleted', error)
        })
        step.changed(`deleted access entry for ${wanted.nodeRoleArn}`)
        return { outcome: 'removed' }
      }
    },
    (value): value is AccessEntryWanted =>
      // The entry of another role is another entry.
      isMap(value) && value['nodeRoleArn'] === wanted.nodeRoleArn && value['type'] === 'EC2_LINUX'
  )
}

function differencesOf(wanted: AccessEntryWanted, live: Live): readonly Difference[] {
  const differences: Difference[] = []
  if (live.type !== wanted.type) {
    differences.push({
      path: 'type',
      wanted: wanted.type,
      live: live.type,
      reason: `the access entry of the node role has type ${live.type}, so nodes cannot join`,
      severity: 'breaks scaling'
    })
  }
  if (live.role !== 'that of today') {
    differences.push({
      path: 'role',
      wanted: 'that of today',
      live: live.role,
      reason: `the access entry is of a node role that was ${live.role}, so nodes cannot join by it`,
      severity: 'breaks scaling'
    })
  }
  return differences
}

/** IAM tells seconds. */
function roleOf(entryMadeAt: Date | undefined, roleMadeAt: Date | 'deleted' | undefined): Live['role'] {
  if (roleMadeAt === 'deleted') return 'deleted'
  if (entryMadeAt === undefined || roleMadeAt === undefined) return 'that of today'
  const seconds = (date: Date): number => Math.floor(date.getTime() / 1000)
  return seconds(entryMadeAt) < seconds(roleMadeAt) ? 'deleted, and made again' : 'that of today'
}
