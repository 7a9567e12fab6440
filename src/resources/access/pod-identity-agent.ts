import type { Addon } from '@aws-sdk/client-eks'
import type { Aws } from '../../aws/clients.js'
import { listAssociations } from '../../aws/pod-identity-association.js'
import { createAtEks } from '../../aws/eks-creation.js'
import { awsProblem, codeOf, isNotFound, liveOf } from '../../aws/errors.js'
import { creationTags } from '../../aws/ownership-tags.js'
import { noticingPause, poll } from '../../aws/poll.js'
import { missing, type Difference } from '../../engine/difference.js'
import { UserError } from '../../engine/errors.js'
import { isMap } from '../../engine/json.js'
import type { Owner } from '../../engine/owner.js'
import { resource, type AnyResource, type Removal, type Step } from '../../engine/resource.js'
import type { Ailment } from '../../engine/health.js'
import type { Ownership } from '../../aws/environment.js'
import { ownerByTags } from '../../adoption/owners/tag-owner.js'
import { idOf } from '../ids.js'

export interface PodIdentityAgentWanted {
  readonly clusterName: string
  readonly addonName: string
  readonly tags: Readonly<Record<string, string>>
}

type Live =
  | {
      readonly source: 'add-on'
      readonly status: string
      readonly issues: readonly string[]
      readonly tags: Readonly<Record<string, string>>
    }
  /** A DaemonSet that somebody installed without EKS: left to them. */
  | { readonly source: 'self-managed' }

interface Ports {
  readonly aws: Aws
  readonly ownership: Ownership
  /** Whether kube-system has a DaemonSet of the agent; asked only when there is no add-on. */
  readonly selfManaged: () => Promise<boolean>
}

export const podIdentityAgentAddon = 'eks-pod-identity-agent'

/** The agent that hands pods their role's credentials, as EKS add-on. Its pods are Kubernetes' affair. */
export function podIdentityAgent(wanted: PodIdentityAgentWanted, ports: Ports): AnyResource {
  const title = 'Pod Identity agent'
  const at = { clusterName: wanted.clusterName, addonName: wanted.addonName }
  /** By this run, so that what EKS makes of it has to be waited for. */
  let isWritten = false

  async function get(): Promise<Live | undefined> {
    const { DescribeAddonCommand } = await import('../../aws/sdk/eks.js')
    const eks = await ports.aws.eks()
    try {
      const { addon } = await eks.send(new DescribeAddonCommand(at))
      return {
        source: 'add-on',
        status: addon?.status ?? '',
        issues: issuesOf(addon),
        tags: addon?.tags ?? {}
      }
    } catch (error) {
      if (!isNotFound(error)) throw error
      return (await ports.selfManaged()) ? { source: 'self-managed' } : undefined
    }
  }

  async function create(step: Step): Promise<void> {
    const { CreateAddonCommand } = await import('../../aws/sdk/eks.js')
    const eks = await ports.aws.eks()
    const tags = { ...creationTags(wanted.tags, ports.ownership) }
    const outcome = await createAtEks(
      {
        title,
        what: `add-on ${wanted.addonName}`,
        create: async () => eks.send(new CreateAddonCommand({ ...at, tags })),
        isThere: async () => (await get())?.source === 'add-on'
      },
      step
    )
    if (outcome === 'created') step.changed(`created add-on ${wanted.addonName}`)
  }

  /** An add-on that an earlier try of ours is deleting refuses the next one, in more than one way. */
  async function isGoing(error: unknown): Promise<boolean> {
    if (!/^(ResourceInUse|InvalidRequest)$/.test(codeOf(error) ?? '')) return false
    const live = await get()
    return live?.source !== 'add-on' || live.status === 'DELETING'
  }

  async function awaitState(
    step: Step,
    done: (live: Live | undefined) => boolean
  ): Promise<Live | undefined> {
    const seen: { live: Live | undefined } = { live: undefined }
    await poll(
      step,
      {
        what: () => `add-on ${wanted.addonName}: ${stateOf(seen.live)}`,
        timeoutMilliseconds: 600_000,
        pauseAfter: noticingPause,
        giveUp: () =>
          new UserError(
            title,
            `the add-on is still ${stateOf(seen.live)} after ten minutes`,
            `Look at it: aws eks describe-addon --cluster-name ${wanted.clusterName} --addon-name ${wanted.addonName}; then run again.`
          )
      },
      async () => {
        const before = seen.live
        seen.live = await get()
        if (done(seen.live)) return true
        if (notDeleted(before) && notDeleted(seen.live)) throw couldNotGo(seen.live)
        return undefined
      }
    )
    return seen.live
  }

  /** What EKS has given up nobody ends by waiting. */
  function couldNotGo(live: Live | undefined): UserError {
    return new UserError(
      title,
      `the add-on could not be deleted: it is ${stateOf(live)}`,
      `Put right what EKS names, then run again: aws eks describe-addon --cluster-name ${wanted.clusterName} --addon-name ${wanted.addonName} --query addon.health`
    )
  }

  return resource<PodIdentityAgentWanted, Live>(
    {
      id: idOf.podIdentityAgent,
      layer: 'eks',
      title,
      dependsOn: [],
      wanted,
      read: async () => liveOf(title, get),
      compare: (_want, live) => differencesOf(live),
      absent: (want) => [missing(`add-on ${want.addonName}`, want.addonName)],
      apply: async (live, _differences, step) => {
        let before = live.state === 'present' ? live.value : undefined
        if (before?.source === 'add-on' && before.status === 'DELETING') {
          before = await awaitState(step, (now) => now === undefined || now.source !== 'add-on')
        }
        if (before === undefined) await create(step)
        isWritten = true
      },
      settle: async (step) => {
        if (!isWritten) return
        const after = await awaitState(step, (now) => now !== undefined && settled(now))
        if (after?.source !== 'add-on' || after.status === 'ACTIVE') return
        if (after.status === 'DEGRADED') {
          step.warning(
            `add-on ${wanted.addonName} is DEGRADED: ${after.issues.join('; ') || 'no reason given'}`
          )
          return
        }
        throw new UserError(
          title,
          `the add-on is ${after.status}: ${after.issues.join('; ') || 'EKS gives no reason'}`,
          `Delete it and run again: aws eks delete-addon --cluster-name ${wanted.clusterName} --addon-name ${wanted.addonName}. Or pass \`controller-identity: irsa\`.`
        )
      },
      // It runs on, and may not on every node: whether its pods are ready is seen in Kubernetes.
      health: async (live) => ({ ailments: ailmentsOf(live, wanted), unread: [] }),
      sign: { by: 'mark', mark: ownerOf, shared: true },
      remove
    },
    (value): value is PodIdentityAgentWanted => isMap(value) && typeof value['addonName'] === 'string'
  )

  function ownerOf(live: Live): Owner {
    return live.source === 'add-on'
      ? ownerByTags({ tags: live.tags }, wanted.clusterName)
      : { kind: 'other', who: 'whoever runs its DaemonSet', evidence: ['a DaemonSet that is no EKS add-on'] }
  }

  /** No association but those that are removed before: others may have come to rely on it. */
  async function remove(live: Live, step: Step): Promise<Removal> {
    const { DeleteAddonCommand } = await import('../../aws/sdk/eks.js')
    const eks = await ports.aws.eks()
    const { clusterName } = wanted
    const associations = await listAssociations(ports.aws, { clusterName }).catch((error: unknown) => {
      throw awsProblem(title, 'who uses it could not be read', error)
    })
    if (associations.length > 0) {
      const users = associations.map((one) => `${one.namespace ?? ''}/${one.serviceAccount ?? ''}`)
      return { outcome: 'kept', reason: `other service accounts use it: ${users.join(', ')}` }
    }
    if (live.source !== 'add-on' || live.status !== 'DELETING') {
      await eks.send(new DeleteAddonCommand(at)).catch(async (error: unknown) => {
        if (isNotFound(error) || (await isGoing(error))) return
        throw awsProblem(title, 'the add-on could not be deleted', error)
      })
      step.changed(`deleted add-on ${wanted.addonName}`)
    }
    await awaitState(step, (now) => now?.source !== 'add-on')
    return { outcome: 'removed' }
  }
}

function issuesOf(addon: Addon | undefined): string[] {
  return (addon?.health?.issues ?? []).map((issue) => [issue.code, issue.message].filter(Boolean).join(': '))
}

/** `CREATING (InsufficientNumberOfReplicas: no nodes)`. */
function stateOf(live: Live | undefined): string {
  if (live?.source !== 'add-on') return 'not there'
  return `${live.status}${live.issues.length === 0 ? '' : ` (${live.issues.join('; ')})`}`
}

function notDeleted(live: Live | undefined): boolean {
  return live?.source === 'add-on' && live.status === 'DELETE_FAILED'
}

function settled(live: Live): boolean {
  return live.source === 'self-managed' || !/^(CREATING|UPDATING)$/.test(live.status)
}

/** UPDATE_FAILED and DEGRADED leave a running agent; whether its pods are ready is seen in Kubernetes. */
function differencesOf(live: Live): readonly Difference[] {
  if (live.source === 'self-managed') return []
  if (/^(ACTIVE|UPDATING|DEGRADED|UPDATE_FAILED)$/.test(live.status)) return []
  return [
    {
      path: 'status',
      wanted: 'ACTIVE',
      live: live.status,
      reason: `the add-on is ${live.status}`,
      severity: 'breaks scaling'
    }
  ]
}

function ailmentsOf(live: Live, { clusterName, addonName }: PodIdentityAgentWanted): readonly Ailment[] {
  if (live.source === 'self-managed' || !/^(DEGRADED|UPDATE_FAILED)$/.test(live.status)) return []
  return [
    {
      path: 'status',
      wanted: 'ACTIVE',
      live: live.status,
      reason: `add-on ${addonName} is ${live.status}: ${live.issues.join('; ') || 'EKS gives no reason'}`,
      severity: 'breaks scaling',
      fix: `Do what EKS names: aws eks describe-addon --cluster-name ${clusterName} --addon-name ${addonName} --query addon.health`
    }
  ]
}
