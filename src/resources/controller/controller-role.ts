import type { Aws } from '../../aws/clients.js'
import { awsProblem, isAlreadyExists, isNotFound, liveOf, wasRepeated } from '../../aws/errors.js'
import { whenIamFollows } from '../../aws/iam-late.js'
import { attachedPolicies, inlinePolicyNames, readRole, type IamRole } from '../../aws/iam-role.js'
import { creationTags, isOurs, tagList } from '../../aws/ownership-tags.js'
import { poll, type PollOptions, untilShown } from '../../aws/poll.js'
import { boundaryArn, boundaryDrift, boundaryNote, putBoundary } from '../../aws/role-boundary.js'
import { trustedAlready, trustedName, writeTrust } from '../../aws/role-trust.js'
import { readTrust, sameTrust, trustDocument, trustStatement, type Trust } from '../../aws/trust-policy.js'
import { missing, type Difference } from '../../engine/difference.js'
import { UserError } from '../../engine/errors.js'
import { isMap, type JsonMap } from '../../engine/json.js'
import { resource, type AnyResource, type Removal, type Step } from '../../engine/resource.js'
import type { Ownership } from '../../aws/environment.js'
import { tagDrift } from '../stack/role-drift.js'
import { ownerByTags } from '../../adoption/owners/tag-owner.js'
import { idOf } from '../ids.js'

export interface ControllerRoleWanted {
  readonly clusterName: string
  readonly roleName: string
  readonly arn: string
  readonly trust: Trust
  /** An ARN, or `none`; without it what is there stays. */
  readonly permissionsBoundary?: string | undefined
  readonly tags: Readonly<Record<string, string>>
}

interface Ports {
  readonly aws: Aws
  /** Reads the role for a comparison; shared with the resource of its policies. */
  readonly role?: () => Promise<IamRole>
  readonly ownership: Ownership
  /** Whom running pods still need the role to trust; whoever makes them anew takes that back. */
  readonly stillUsed?: () => Promise<readonly Trust[]>
  /** `oidc-provider` when the model has it: IAM refuses no principal that is missing, but the role is of no use then. */
  readonly dependsOn?: readonly string[]
}

/**
 * The role that Karpenter's controller runs as. A role of that name which is not ours by its tag is taken as it is when it
 * trusts the service account already, and refused otherwise.
 */
export function controllerRole(wanted: ControllerRoleWanted, ports: Ports): AnyResource {
  const title = `Controller role ${wanted.roleName}`
  const RoleName = wanted.roleName

  async function get(): Promise<IamRole> {
    return readRole(ports.aws, RoleName)
  }

  async function create(step: Step): Promise<void> {
    const { CreateRoleCommand } = await import('../../aws/sdk/iam.js')
    const iam = await ports.aws.iam()
    const boundary = boundaryArn(wanted.permissionsBoundary)
    try {
      const command = new CreateRoleCommand({
        RoleName,
        Description: `Karpenter controller of EKS cluster ${wanted.clusterName}`,
        AssumeRolePolicyDocument: trustDocument([trustStatement(wanted.trust)]),
        ...(boundary !== undefined && { PermissionsBoundary: boundary }),
        Tags: tagList(creationTags(wanted.tags, ports.ownership))
      })
      await whenIamFollows({ title, name: RoleName, creation: true }, step, async () => iam.send(command))
    } catch (error) {
      if (!isAlreadyExists(error)) throw awsProblem(title, 'could not be created', error)
      if (!wasRepeated(error)) return
    }
    step.changed(`created IAM role ${wanted.roleName}`)
  }

  async function repair(live: IamRole, step: Step): Promise<void> {
    const refused = refusal(wanted, live)
    if (refused !== undefined) throw refused
    const trust = readTrust(live.trust, wanted.trust)
    if (!isOurs(live.tags, wanted.clusterName)) return
    const kept = await keptTrusts(live)
    const sdk = await import('../../aws/sdk/iam.js')
    const iam = await ports.aws.iam()
    // First: a policy that ties the writing of roles to their boundary lets nothing be written before.
    await putBoundary(
      ports.aws,
      { name: RoleName, wanted: wanted.permissionsBoundary, live: live.permissionsBoundary },
      step
    )
    if (!trust.trusted || withoutKept(trust.others, kept).length > 0)
      await writeTrust(ports.aws, { title, name: RoleName }, [wanted.trust, ...kept], step)
    const tags = Object.entries(wanted.tags).filter(([key, value]) => live.tags[key] !== value)
    if (tags.length > 0) {
      await late(step, async () =>
        iam.send(new sdk.TagRoleCommand({ RoleName, Tags: tagList(Object.fromEntries(tags)) }))
      )
      step.changed(`tagged ${wanted.roleName} ${tags.map(([key, value]) => `${key}=${value}`).join(', ')}`)
    }
  }

  return resource<ControllerRoleWanted, IamRole>(
    {
      id: idOf.controllerRole,
      layer: 'iam',
      title,
      dependsOn: ports.dependsOn ?? [],
      wanted,
      read: async () => liveOf(title, ports.role ?? get),
      compare: differencesOf,
      absent: (want) => [missing(`IAM role ${want.roleName}`, want.arn)],
      refusal: (live) => refusal(wanted, live),
      notes: (live) =>
        isOurs(live.tags, wanted.clusterName)
          ? boundaryNote(wanted.permissionsBoundary, live.permissionsBoundary)
          : [],
      sign: {
        by: 'mark',
        mark: ({ tags }) => ownerByTags({ tags, name: wanted.roleName }, wanted.clusterName)
      },
      apply: async (live, _differences, step) => {
        if (live.state === 'absent') await create(step)
        try {
          // A role that appeared meanwhile is looked at like any other.
          const found = live.state === 'present' ? live.value : await visible(step)
          if (differencesOf(wanted, found).length === 0) return
          await repair(found, step)
        } catch (error) {
          throw awsProblem(title, 'could not be changed', error)
        }
        await poll(step, waitOptions('to be as written'), async () => {
          const now = await getIfThere()
          if (now === undefined) return undefined
          return differencesOf(wanted, now, await keptTrusts(now)).length === 0 ? true : undefined
        })
      },
      remove
    },
    // A record of another name is of another thing than the one that is read.
    (value): value is ControllerRoleWanted => isWanted(value) && value.roleName === wanted.roleName
  )

  function waitOptions(what: string): PollOptions {
    return untilShown(
      `IAM role ${wanted.roleName} ${what}`,
      title,
      'does not show as it was written, two minutes later',
      'Run again; look for something that changes roles.'
    )
  }

  async function keptTrusts(live: IamRole): Promise<readonly Trust[]> {
    const used = (await ports.stillUsed?.()) ?? []
    return trustedAlready(
      live.trust,
      used.filter(({ kind }) => kind !== wanted.trust.kind)
    )
  }

  async function visible(step: Step): Promise<IamRole> {
    return poll(step, waitOptions('to be visible'), getIfThere)
  }

  /** Reads may miss it, also after they have shown it. */
  async function getIfThere(): Promise<IamRole | undefined> {
    try {
      return await get()
    } catch (error) {
      if (isNotFound(error)) return undefined
      throw error
    }
  }

  async function late<T>(step: Step, write: () => Promise<T>): Promise<T> {
    return whenIamFollows({ title, name: RoleName }, step, write)
  }

  async function lateRemoval<T>(step: Step, write: () => Promise<T>): Promise<T> {
    return whenIamFollows({ title, name: RoleName, removal: true }, step, write)
  }

  async function remove(_live: IamRole, step: Step): Promise<Removal> {
    const sdk = await import('../../aws/sdk/iam.js')
    const iam = await ports.aws.iam()
    try {
      for (const PolicyArn of await attachedPolicies(ports.aws, RoleName))
        await unlessGone(
          lateRemoval(step, async () => iam.send(new sdk.DetachRolePolicyCommand({ RoleName, PolicyArn })))
        )
      for (const PolicyName of await inlinePolicyNames(ports.aws, RoleName))
        await unlessGone(
          lateRemoval(step, async () => iam.send(new sdk.DeleteRolePolicyCommand({ RoleName, PolicyName })))
        )
      await lateRemoval(step, async () => iam.send(new sdk.DeleteRoleCommand({ RoleName })))
    } catch (error) {
      if (!isNotFound(error)) throw awsProblem(title, 'could not be deleted', error)
      if (!wasRepeated(error)) return { outcome: 'absent' }
    }
    step.changed(`deleted IAM role ${wanted.roleName}`)
    return { outcome: 'removed' }
  }
}

/** Takes back whom a role of ours trusts besides: nothing that runs needs it any more. */
export async function narrowTrust(
  aws: Aws,
  {
    name,
    clusterName,
    trust
  }: { readonly name: string; readonly clusterName: string; readonly trust: Trust },
  step: Step
): Promise<void> {
  const title = `Controller role ${name}`
  try {
    const live = await readRole(aws, name)
    if (!isOurs(live.tags, clusterName) || readTrust(live.trust, trust).others.length === 0) return
    await writeTrust(aws, { title, name }, [trust], step)
  } catch (error) {
    throw awsProblem(title, 'could not be changed', error)
  }
}

/** What another hand, or an earlier try of ours, took off meanwhile says nothing of the role. */
async function unlessGone(taken: Promise<unknown>): Promise<void> {
  await taken.catch((error: unknown) => {
    if (!isNotFound(error)) throw error
  })
}

/** Statements that are there for running pods alone are no difference while those run. */
function withoutKept(others: readonly JsonMap[], kept: readonly Trust[]): readonly JsonMap[] {
  return others.filter((statement) => !kept.some((trust) => sameTrust(statement, trust)))
}

function differencesOf(
  wanted: ControllerRoleWanted,
  live: IamRole,
  kept: readonly Trust[] = []
): readonly Difference[] {
  const differences: Difference[] = []
  if (live.arn !== wanted.arn) {
    differences.push({
      path: 'arn',
      wanted: wanted.arn,
      live: live.arn,
      reason: `the role ${wanted.roleName} lies under another path`,
      severity: 'breaks scaling'
    })
  }
  const trust = readTrust(live.trust, wanted.trust)
  const others = withoutKept(trust.others, kept)
  const ours = isOurs(live.tags, wanted.clusterName)
  if (!trust.trusted) {
    differences.push({
      path: 'trust',
      wanted: trustStatement(wanted.trust),
      live: trust.others,
      reason: `the role does not trust ${trustedName(wanted.trust)}`,
      severity: 'breaks scaling'
    })
  } else if (ours && others.length > 0) {
    const denies = others.every((statement) => statement['Effect'] === 'Deny')
    differences.push({
      path: 'trust',
      wanted: [],
      live: others,
      reason: denies
        ? 'the trust policy denies what nothing asks to be denied'
        : 'the role trusts more than the one service account',
      severity: denies ? 'breaks scaling' : 'weakens security'
    })
  }
  if (!ours) return differences
  return [
    ...differences,
    ...boundaryDrift(wanted.permissionsBoundary, live.permissionsBoundary),
    ...tagDrift(wanted.tags, live.tags)
  ]
}

function refusal(wanted: ControllerRoleWanted, live: IamRole): UserError | undefined {
  const ours = isOurs(live.tags, wanted.clusterName)
  const trusted = readTrust(live.trust, wanted.trust).trusted
  return live.arn !== wanted.arn || (!ours && !trusted) ? foreignRole(wanted, live) : undefined
}

function foreignRole(wanted: ControllerRoleWanted, live: IamRole): UserError {
  return new UserError(
    'controller-role-name',
    live.arn === wanted.arn
      ? `the role ${wanted.roleName} exists, was not made by this action for cluster "${wanted.clusterName}", and does not trust ${trustedName(wanted.trust)}`
      : `the role ${wanted.roleName} exists under another path (${live.arn})`,
    `Pass another \`controller-role-name\`, or add this statement to its trust policy yourself:\n    ${JSON.stringify(trustStatement(wanted.trust))}`,
    { state: 'Nothing was changed.' }
  )
}

function isWanted(value: unknown): value is ControllerRoleWanted {
  return (
    isMap(value) && typeof value['roleName'] === 'string' && isMap(value['trust']) && isMap(value['tags'])
  )
}
