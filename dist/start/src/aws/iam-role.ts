import type { Aws } from './clients.js'
import { tagsOf } from './discover.js'

export interface IamRole {
  readonly arn: string
  /** As IAM answers it, URL-encoded. */
  readonly trust: string
  readonly permissionsBoundary: string | undefined
  readonly tags: Readonly<Record<string, string>>
  readonly createdAt: Date | undefined
}

/** Rejects as IAM does when there is none. */
export async function readRole(aws: Aws, RoleName: string): Promise<IamRole> {
  const { GetRoleCommand } = await import('./sdk/iam.js')
  const iam = await aws.iam()
  const { Role } = await iam.send(new GetRoleCommand({ RoleName }))
  return {
    arn: Role?.Arn ?? '',
    trust: Role?.AssumeRolePolicyDocument ?? '',
    permissionsBoundary: Role?.PermissionsBoundary?.PermissionsBoundaryArn,
    tags: tagsOf(Role?.Tags),
    createdAt: Role?.CreateDate
  }
}

/** ARNs of the managed policies on a role. */
export async function attachedPolicies(aws: Aws, RoleName: string): Promise<readonly string[]> {
  const { paginateListAttachedRolePolicies } = await import('./sdk/iam.js')
  const arns: string[] = []
  for await (const page of paginateListAttachedRolePolicies({ client: await aws.iam() }, { RoleName })) {
    for (const { PolicyArn } of page.AttachedPolicies ?? []) if (PolicyArn !== undefined) arns.push(PolicyArn)
  }
  return arns
}

export async function inlinePolicyNames(aws: Aws, RoleName: string): Promise<readonly string[]> {
  const { paginateListRolePolicies } = await import('./sdk/iam.js')
  const names: string[] = []
  for await (const page of paginateListRolePolicies({ client: await aws.iam() }, { RoleName })) {
    names.push(...(page.PolicyNames ?? []))
  }
  return names
}

/** Inline policies of a role by name, as JSON text. */
export async function inlinePolicies(aws: Aws, RoleName: string): Promise<Readonly<Record<string, string>>> {
  const { GetRolePolicyCommand } = await import('./sdk/iam.js')
  const iam = await aws.iam()
  const names = await inlinePolicyNames(aws, RoleName)
  const documents = await Promise.all(
    names.map(async (PolicyName): Promise<readonly [string, string]> => {
      const { PolicyDocument } = await iam.send(new GetRolePolicyCommand({ RoleName, PolicyName }))
      return [PolicyName, decodeURIComponent(PolicyDocument ?? '')]
    })
  )
  return Object.fromEntries(documents)
}

/** Everything about a role that another hand can change. */
export interface RoleWithPolicies {
  readonly role: IamRole
  readonly attached: readonly string[]
  readonly inline: Readonly<Record<string, string>>
}

export async function readRoleWithPolicies(
  aws: Aws,
  roleName: string,
  role: () => Promise<IamRole> = async () => readRole(aws, roleName)
): Promise<RoleWithPolicies> {
  const [found, attached, inline] = await Promise.all([
    role(),
    attachedPolicies(aws, roleName),
    inlinePolicies(aws, roleName)
  ])
  return { role: found, attached, inline }
}
