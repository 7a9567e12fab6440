import type { Aws } from '../../aws/clients.js'
import { awsProblem, isAlreadyExists, isNotFound, liveOf, wasRepeated } from '../../aws/errors.js'
import { whenIamFollows } from '../../aws/iam-late.js'
import { readRoleWithPolicies, type IamRole, type RoleWithPolicies } from '../../aws/iam-role.js'
import { policyFix } from '../../aws/managed-policy.js'
import { creationTags, isOurs, tagList } from '../../aws/ownership-tags.js'
import { iamPath } from '../../aws/partition.js'
import { poll, type PollOptions, untilShown } from '../../aws/poll.js'
import { boundaryArn, boundaryDrift, boundaryNote, putBoundary } from '../../aws/role-boundary.js'
import { rolePolicies } from '../../aws/role-policies.js'
import { missing, type Difference } from '../../engine/difference.js'
import { UserError } from '../../engine/errors.js'
import { isMap, type JsonMap } from '../../engine/json.js'
import { resource, type AnyResource, type Removal, type Step } from '../../engine/resource.js'
import type { Ownership } from '../../aws/environment.js'
import type { RenderedRole } from '../../karpenter/rendered-roles.js'
import { documentDifferences } from './policy-drift.js'
import { furtherInlinePolicy, furtherPolicy, missingPolicy, tagDrift } from './role-drift.js'
import { idOf } from '../ids.js'

export interface StackRoleWanted extends Omit<RenderedRole, 'logicalId'> {
  readonly clusterName: string
}

interface Ports {
  readonly aws: Aws
  readonly ownership: Ownership
  /** Reads the role for a comparison; shared with whoever needs it too. */
  readonly role?: () => Promise<IamRole>
  /** Keeps a text in the report before it is replaced or deleted. */
  readonly keep: (name: string, text: string) => void
  /** Tags of the stack; undefined when there is no stack. */
  readonly stackTags: () => Promise<Readonly<Record<string, string>> | undefined>
  readonly stackName: string
  /** Policies that the stack has on it until the new controller runs; undefined where those are what is wanted. */
  readonly interim?: () => Promise<readonly string[] | undefined>
  readonly dependsOn?: readonly string[]
}

/**
 * A role of the stack as IAM has it: trust, policies both ways, permissions boundary, tags. The stack makes it and takes
 * it away; what somebody changes in between is put right here.
 */
export function stackRole(wanted: StackRoleWanted, ports: Ports): AnyResource {
  const title = `IAM role ${wanted.name}`
  const { aws } = ports
  const RoleName = wanted.name
  const policies = rolePolicies(aws, { roleName: wanted.name, title }, ports.keep)

  async function get(): Promise<RoleWithPolicies> {
    return readRoleWithPolicies(aws, RoleName)
  }

  async function create(step: Step): Promise<void> {
    const { CreateRoleCommand } = await import('../../aws/sdk/iam.js')
    const iam = await aws.iam()
    const tags = (await ports.stackTags()) ?? creationTags({}, ports.ownership)
    const own = Object.entries({ ...tags, ...wanted.tags }).filter(([key]) => !key.startsWith('aws:'))
    const { description, maxSessionDuration, trust } = wanted
    const boundary = boundaryArn(wanted.permissionsBoundary)
    if (trust === undefined) {
      throw new UserError(
        title,
        'was deleted, and whom it trusts only CloudFormation knows',
        `Delete stack ${ports.stackName} and run again, which makes it anew.`
      )
    }
    try {
      const command = new CreateRoleCommand({
        RoleName,
        Path: iamPath(wanted.arn),
        AssumeRolePolicyDocument: JSON.stringify(trust),
        ...(description !== undefined && { Description: description }),
        ...(maxSessionDuration !== undefined && { MaxSessionDuration: maxSessionDuration }),
        ...(boundary !== undefined && { PermissionsBoundary: boundary }),
        Tags: tagList(Object.fromEntries(own))
      })
      await whenIamFollows({ title, name: RoleName, creation: true }, step, async () => iam.send(command))
    } catch (error) {
      // The stack has just made it, and IAM does not show it yet.
      if (!isAlreadyExists(error)) throw error
      if (!wasRepeated(error)) return
    }
    step.changed(`created IAM role ${wanted.name} again`)
  }

  /** `now`: as it is to be at first. */
  async function repair(now: StackRoleWanted, live: RoleWithPolicies, step: Step): Promise<void> {
    const refused = refusal(wanted, live)
    if (refused !== undefined) throw refused
    await repairRole(live, step)
    const lacking = (now.policyArns ?? []).filter((arn) => !live.attached.includes(arn))
    await policies.exchange(
      { attached: live.attached, attach: lacking, detach: further(now, live).attached },
      'Make the policy, or take it out of the template.',
      step
    )
    for (const [name, document] of further(wanted, live).inline) {
      await policies.deleteInline(name, document, step)
    }
    for (const [name, document] of Object.entries(wanted.inline)) {
      const found = live.inline[name]
      if (document === null || inlineDifferences(name, document, found).length === 0) continue
      if (found !== undefined) ports.keep(`inline policy ${name} of role ${wanted.name}`, found)
      await policies.putInline(name, JSON.stringify(document), step)
    }
  }

  /** Trust, boundary and tags. */
  async function repairRole({ role }: RoleWithPolicies, step: Step): Promise<void> {
    const sdk = await import('../../aws/sdk/iam.js')
    const iam = await aws.iam()
    // First: a policy that ties the writing of roles to their boundary lets nothing be written before.
    await putBoundary(
      aws,
      { name: RoleName, wanted: wanted.permissionsBoundary, live: role.permissionsBoundary },
      step
    )
    if (wanted.trust !== undefined && trustDifferences(wanted.trust, role.trust).length > 0) {
      ports.keep(`trust policy of role ${wanted.name}`, decodeURIComponent(role.trust))
      const PolicyDocument = JSON.stringify(wanted.trust)
      await whenIamFollows({ title, name: RoleName }, step, async () =>
        iam.send(new sdk.UpdateAssumeRolePolicyCommand({ RoleName, PolicyDocument }))
      )
      step.changed(`put the trust policy of ${wanted.name} back to what the stack has`)
    }
    const tags = Object.entries(tagsToSet(wanted, role.tags))
    if (tags.length > 0) {
      await whenIamFollows({ title, name: RoleName }, step, async () =>
        iam.send(new sdk.TagRoleCommand({ RoleName, Tags: tagList(Object.fromEntries(tags)) }))
      )
      step.changed(`tagged ${wanted.name} ${tags.map(([key, value]) => `${key}=${value}`).join(', ')}`)
    }
  }

  return resource<StackRoleWanted, RoleWithPolicies>(
    {
      id: idOf.role(wanted.name),
      layer: 'iam',
      title,
      dependsOn: ports.dependsOn ?? [idOf.stack],
      wanted,
      read: async () => liveOf(title, async () => readRoleWithPolicies(aws, RoleName, ports.role)),
      compare: differencesOf,
      absent: (want) => [missing(`IAM role ${want.name}`, want.arn)],
      notes: ({ role }) => boundaryNote(wanted.permissionsBoundary, role.permissionsBoundary),
      refusal: (live) => refusal(wanted, live),
      apply: async (_before, _differences, step) => {
        let now = wanted
        try {
          // The stack may have made or changed it since it was read.
          const found = await getIfThere()
          if (found === undefined) await create(step)
          const live = found ?? (await visible(step))
          if (differencesOf(wanted, live).length === 0) return
          const policyArns = await ports.interim?.()
          if (policyArns !== undefined) now = { ...wanted, policyArns }
          if (differencesOf(now, live).length === 0) return
          await repair(now, live, step)
        } catch (error) {
          throw awsProblem(title, 'could not be put right', error, policyFix(error))
        }
        await poll(step, waitOptions('to be as written'), async () => {
          const found = await getIfThere()
          return found !== undefined && differencesOf(now, found).length === 0 ? true : undefined
        })
      },
      sign: { by: 'whole', whole: idOf.stack },
      remove
    },
    isWanted
  )

  /** CloudFormation deletes no role on which something seems to hang still. */
  async function untilOff(step: Step): Promise<void> {
    await poll(step, waitOptions('to be without what others put on it'), async () => {
      const found = await getIfThere()
      if (found === undefined) return true
      const { attached, inline } = beyondTemplate(wanted, found)
      return attached.length + inline.length === 0 ? true : undefined
    })
  }

  async function getIfThere(): Promise<RoleWithPolicies | undefined> {
    try {
      return await get()
    } catch (error) {
      if (isNotFound(error)) return undefined
      throw error
    }
  }

  async function visible(step: Step): Promise<RoleWithPolicies> {
    return poll(step, waitOptions('to be visible'), getIfThere)
  }

  function waitOptions(what: string): PollOptions {
    return untilShown(
      `IAM role ${wanted.name} ${what}`,
      title,
      'does not show as it was written, two minutes later',
      'Run again; look for something that changes roles.'
    )
  }

  /** The stack takes the role away; what others put on it would keep the stack from it, and goes first. */
  async function remove(live: RoleWithPolicies, step: Step): Promise<Removal> {
    const { attached, inline } = beyondTemplate(wanted, live)
    for (const arn of attached) await policies.detach(arn, step)
    for (const [name, document] of inline) await policies.deleteInline(name, document, step)
    if (attached.length + inline.length > 0) await untilOff(step)
    return { outcome: 'removed' }
  }
}

function differencesOf(wanted: StackRoleWanted, live: RoleWithPolicies): readonly Difference[] {
  const { role } = live
  if (role.arn !== wanted.arn) {
    return [
      {
        path: 'arn',
        wanted: wanted.arn,
        live: role.arn,
        reason: `the role ${wanted.name} lies under another path`,
        severity: 'breaks scaling'
      }
    ]
  }
  return [
    ...(wanted.trust === undefined ? [] : trustDifferences(wanted.trust, role.trust)),
    ...(wanted.policyArns ?? [])
      .filter((arn) => !live.attached.includes(arn))
      .map((arn) => missingPolicy(arn, 'nodes lack')),
    ...further(wanted, live).attached.map((arn) => furtherPolicy(arn, 'node-role-policies')),
    ...Object.entries(wanted.inline).flatMap(([name, document]) =>
      document === null ? [] : inlineDifferences(name, document, live.inline[name])
    ),
    ...further(wanted, live).inline.map(([name, document]) => furtherInlinePolicy(name, document)),
    ...boundaryDrift(wanted.permissionsBoundary, role.permissionsBoundary),
    ...tagDrift(tagsToSet(wanted, role.tags), role.tags)
  ]
}

function trustDifferences(wanted: JsonMap, live: string): readonly Difference[] {
  return documentDifferences(wanted, live, { prefix: 'trust.', of: 'the trust policy' })
}

function inlineDifferences(name: string, wanted: JsonMap, live: string | undefined): readonly Difference[] {
  if (live === undefined) {
    const reason = `the role lacks the inline policy ${name}`
    return [{ path: `inline.${name}`, wanted, live, reason, severity: 'breaks scaling' }]
  }
  return documentDifferences(wanted, live, { prefix: `inline.${name}.`, of: `inline policy ${name}` })
}

interface Further {
  readonly attached: readonly string[]
  readonly inline: readonly (readonly [name: string, document: string])[]
}

/** What is on the role besides the template's. */
function beyondTemplate({ policyArns, inline }: StackRoleWanted, live: RoleWithPolicies): Further {
  return {
    attached: policyArns === undefined ? [] : live.attached.filter((arn) => !policyArns.includes(arn)),
    inline: Object.entries(live.inline).filter(([name]) => !(name in inline))
  }
}

/** The same of a role that is ours; on one of a stack that is not, what others put there stays. */
function further(wanted: StackRoleWanted, live: RoleWithPolicies): Further {
  return isOurs(live.role.tags, wanted.clusterName)
    ? beyondTemplate(wanted, live)
    : { attached: [], inline: [] }
}

/** The stack's tags are on its roles; on those of a stack that is not ours they are its maker's affair. */
function tagsToSet(
  { clusterName, tags }: StackRoleWanted,
  live: Readonly<Record<string, string>>
): Readonly<Record<string, string>> {
  if (!isOurs(live, clusterName)) return {}
  return Object.fromEntries(Object.entries(tags).filter(([key, value]) => live[key] !== value))
}

function refusal(wanted: StackRoleWanted, live: RoleWithPolicies): UserError | undefined {
  return live.role.arn === wanted.arn
    ? undefined
    : new UserError(
        'node-role-name',
        `the role ${wanted.name} exists under another path (${live.role.arn})`,
        'Pass another `node-role-name`, or delete that role.',
        { state: 'Nothing was changed.' }
      )
}

function isWanted(value: unknown): value is StackRoleWanted {
  return (
    isMap(value) &&
    typeof value['clusterName'] === 'string' &&
    typeof value['name'] === 'string' &&
    typeof value['arn'] === 'string' &&
    isMap(value['inline']) &&
    isMap(value['tags'])
  )
}
