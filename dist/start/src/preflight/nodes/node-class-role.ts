import { matches } from '../../aws/wildcards.js'
import { iamName } from '../../karpenter/names.js'
import type { RenderedStack } from '../../karpenter/rendered-stack.js'
import { type Manifest, textField } from '../../kubernetes/manifest.js'
import type { Facts } from '../facts.js'
import type { Concern } from '../finding.js'
import { passableRoles } from '../template-policies.js'

type RoleFacts = Pick<
  Facts,
  'nodeClasses' | 'othersDocuments' | 'nodeRole' | 'instanceProfile' | 'usesOthersRole'
> & {
  readonly stack: Pick<RenderedStack, 'policies' | 'nodeRole'>
}

/** Roles and instance profiles that EC2NodeClasses name beside the stack's own: without them no node starts. */
export async function nodeClassRole(facts: RoleFacts): Promise<readonly Concern[]> {
  const [roles, profiles] = (['role', 'instanceProfile'] as const).map((name) =>
    usersOf(facts.nodeClasses, name)
  )
  const found = await Promise.all([
    ...(facts.usesOthersRole ? [ofUsedRole(facts)] : []),
    ...[...(roles ?? [])].map(async ([role, users]) => ofRole(role, subject(users), facts)),
    ...[...(profiles ?? [])].map(async ([profile, users]) => ofProfile(profile, subject(users), facts))
  ])
  return found.flat()
}

/** Names of EC2NodeClasses by what they name. What is no name at all is another check's affair. */
function usersOf(
  nodeClasses: readonly Manifest[],
  name: 'role' | 'instanceProfile'
): ReadonlyMap<string, readonly string[]> {
  const users = new Map<string, readonly string[]>()
  for (const nodeClass of nodeClasses) {
    const value = textField(nodeClass, 'spec', name)
    if (value === undefined || !iamName.test(value)) continue
    users.set(value, [...(users.get(value) ?? []), nodeClass.metadata.name])
  }
  return users
}

function subject(users: readonly string[]): string {
  return `EC2NodeClass ${users.join(', ')}`
}

/** The role of `node-role-name`; that the controller may pass it is the check of the template's policies. */
async function ofUsedRole({ stack: { nodeRole: used }, nodeRole }: RoleFacts): Promise<Concern[]> {
  const found = await nodeRole(used.name)
  if (found === 'absent' || found === 'denied' || found.ofEc2) return []
  return [
    {
      ...error(
        `EC2 may not take role ${used.name}, so new nodes would have no credentials`,
        'its trust policy does not name ec2.amazonaws.com',
        'Let ec2.amazonaws.com assume it, or name another role, such as one of a node group.'
      ),
      subject: 'node-role-name'
    }
  ]
}

async function ofRole(name: string, of: string, facts: RoleFacts): Promise<Concern[]> {
  const { stack, nodeRole } = facts
  // What the stack makes EC2 may take, and the controller may pass; the other has been looked at.
  if (name === stack.nodeRole.name) return []
  const found = await nodeRole(name)
  if (found === 'denied') return [notRead(`${of}: role ${name}`, 'iam:GetRole')]
  if (found === 'absent') {
    return [
      error(
        `${of}: there is no role "${name}"`,
        'iam:GetRole',
        `Name a role that is there, or ${stack.nodeRole.name}, the node role of this installation.`
      )
    ]
  }
  return [
    ...(await passable(`${of}: the controller may not pass role ${name} to its nodes`, found.arn, facts)),
    ...(found.ofEc2
      ? []
      : [
          error(
            `${of}: EC2 may not take role ${name}, so its nodes would have no credentials`,
            'its trust policy does not name ec2.amazonaws.com',
            `Let ec2.amazonaws.com assume it, or name ${stack.nodeRole.name}, the node role of this installation.`
          )
        ])
  ]
}

async function ofProfile(name: string, of: string, facts: RoleFacts): Promise<Concern[]> {
  const { stack, instanceProfile } = facts
  const found = await instanceProfile(name)
  if (found === 'denied') return [notRead(`${of}: instance profile ${name}`, 'iam:GetInstanceProfile')]
  const fix = `Name an instance profile that has a role, or \`role: ${stack.nodeRole.name}\` in its place, for which Karpenter makes one.`
  if (found === 'absent')
    return [error(`${of}: there is no instance profile "${name}"`, 'iam:GetInstanceProfile', fix)]
  if (found.roleArn === undefined)
    return [error(`${of}: instance profile ${name} has no role`, 'iam:GetInstanceProfile', fix)]
  const role = found.roleArn.split('/').at(-1) ?? ''
  return passable(
    `${of}: the controller may not pass role ${role} of instance profile ${name} to its nodes`,
    found.roleArn,
    facts
  )
}

/** Since 1.3 such an EC2NodeClass is not Ready (RunInstancesAuthCheckFailed); before, every launch fails. */
async function passable(
  problem: string,
  arn: string,
  { stack, othersDocuments }: RoleFacts
): Promise<Concern[]> {
  const passes = passableRoles([
    ...stack.policies.map(({ document }) => document),
    ...((await othersDocuments()) ?? [])
  ])
  // Where none of these lets any role be passed, another policy must.
  if (passes.length === 0 || passes.some((pattern) => matches(pattern, arn))) return []
  return [
    {
      ...error(
        problem,
        `iam:PassRole is allowed on ${passes.join(', ')}`,
        `Name ${stack.nodeRole.name}, or pass a \`template\` that allows iam:PassRole on ${arn} as well. When another policy of the controller's role allows it, pass \`preflight-allow: pass-role\`.`
      ),
      override: 'pass-role'
    }
  ]
}

function notRead(what: string, action: string): Concern {
  return {
    level: 'note',
    subject: 'node-pools',
    problem: `${what} could not be read`,
    evidence: `the run's role may not call ${action}`,
    fix: 'Allow it to have this looked at.'
  }
}

function error(problem: string, evidence: string, fix: string): Concern {
  return { level: 'error', subject: 'node-pools', problem, evidence, fix }
}
