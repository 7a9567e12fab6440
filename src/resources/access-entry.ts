import type { Aws } from '../aws/clients.js'
import { awsProblem, codeOf, isAlreadyExists, isNotFound, liveOf, refuseUnreadable } from '../aws/errors.js'
import { creationTags, isOurs } from '../aws/ownership-tags.js'
import { poll } from '../aws/poll.js'
import { missing } from '../engine/difference.js'
import { messageOf, UserError } from '../engine/errors.js'
import { isMap } from '../engine/json.js'
import { resource, type AnyResource, type Removal, type Step } from '../engine/resource.js'
import type { Ownership } from '../environment.js'

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
}

/** Lets nodes with the node role join, by an EKS access entry. */
export function accessEntry(
  wanted: AccessEntryWanted,
  ports: { readonly aws: Aws; readonly ownership: Ownership; readonly dependsOn?: readonly string[] }
): AnyResource {
  const title = 'Node access (access entry)'
  const at = { clusterName: wanted.clusterName, principalArn: wanted.nodeRoleArn }

  async function get(): Promise<Live> {
    const { DescribeAccessEntryCommand } = await import('../aws/sdk/eks.js')
    const eks = await ports.aws.eks()
    const { accessEntry: entry } = await eks.send(new DescribeAccessEntryCommand(at))
    return { type: entry?.type ?? '', groups: entry?.kubernetesGroups ?? [], tags: entry?.tags ?? {} }
  }

  async function create(step: Step): Promise<void> {
    const { CreateAccessEntryCommand } = await import('../aws/sdk/eks.js')
    const eks = await ports.aws.eks()
    await poll(
      step,
      {
        what: `EKS to see role ${wanted.nodeRoleArn}`,
        timeoutMilliseconds: 120_000,
        giveUp: () =>
          new UserError(
            title,
            `EKS does not know the role ${wanted.nodeRoleArn} two minutes after it was made`,
            'Check that the stack made the role, then run again.'
          )
      },
      async () => {
        try {
          await eks.send(
            new CreateAccessEntryCommand({
              ...at,
              type: wanted.type,
              tags: { ...creationTags(wanted.tags, ports.ownership) }
            })
          )
          step.changed(`created access entry ${wanted.type} for ${wanted.nodeRoleArn}`)
          return true
        } catch (error) {
          if (isAlreadyExists(error)) return true
          // EKS sees a new role seconds after IAM does.
          if (codeOf(error) === 'InvalidParameter' && /principal/i.test(messageOf(error))) return undefined
          throw awsProblem(title, 'could not be created', error)
        }
      }
    )
  }

  async function deleteWrong(live: Live, step: Step): Promise<void> {
    const { DeleteAccessEntryCommand, ListAssociatedAccessPoliciesCommand } =
      await import('../aws/sdk/eks.js')
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
    step.changed(`deleted access entry of type ${live.type} for ${wanted.nodeRoleArn}`)
  }

  return resource<AccessEntryWanted, Live>(
    {
      id: 'node-access',
      layer: 'eks',
      title,
      dependsOn: ports.dependsOn ?? ['stack'],
      wanted,
      read: async () => liveOf(title, get),
      compare: (want, live) =>
        live.type === want.type
          ? []
          : [
              {
                path: 'type',
                wanted: want.type,
                live: live.type,
                reason: `the access entry of the node role has type ${live.type}, so nodes cannot join`,
                severity: 'breaks scaling'
              }
            ],
      absent: (want) => [missing('access entry of the node role', want.nodeRoleArn)],
      apply: async (live, _differences, step) => {
        refuseUnreadable(title, live)
        try {
          if (live.state === 'present' && live.value.type !== wanted.type) await deleteWrong(live.value, step)
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
              return now.state === 'present' && now.value.type === wanted.type ? true : undefined
            }
          )
        } catch (error) {
          throw awsProblem(title, 'could not be made', error)
        }
      },
      remove: async (step): Promise<Removal> => {
        const live = await liveOf(title, get)
        if (live.state === 'absent') return { outcome: 'absent' }
        refuseUnreadable(title, live)
        if (!isOurs(live.value.tags, wanted.clusterName)) {
          return { outcome: 'kept', reason: 'it is not ours by its tags' }
        }
        const { DeleteAccessEntryCommand } = await import('../aws/sdk/eks.js')
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
