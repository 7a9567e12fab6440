import { Refusal, type Handlers } from '../../aws/stand-in.js'

/** A role as the account has it. */
interface Role {
  trust: string
  tags: Record<string, string>
  boundary?: string
  path?: string
}

export const entries = (set: Record<string, string>) =>
  Object.entries(set).map(([Key, Value]) => ({ Key, Value }))

/** A list of tags in a query request. */
export function tagsIn(input: Readonly<Record<string, unknown>>): Record<string, string> {
  const found: Record<string, string> = {}
  for (let index = 1; `Tags.member.${index}.Key` in input; index++) {
    found[String(input[`Tags.member.${index}.Key`])] = String(input[`Tags.member.${index}.Value`])
  }
  return found
}

/** IAM with one role and its attached policies. `invisible`: reads that do not see a new role yet. */
export function iam(state: { role?: Role; attached: string[]; invisible?: number }): Handlers {
  const roleOf = () => {
    if (state.role === undefined || (state.invisible ?? 0) > 0) {
      if (state.role !== undefined && state.invisible !== undefined) state.invisible--
      throw new Refusal('NoSuchEntity', 'The role with name blue-karpenter cannot be found.', 404)
    }
    return state.role
  }
  return {
    GetRole: () => {
      const role = roleOf()
      return {
        Role: {
          RoleName: 'blue-karpenter',
          Arn: `arn:aws:iam::111122223333:role${role.path ?? '/'}blue-karpenter`,
          AssumeRolePolicyDocument: encodeURIComponent(role.trust),
          ...(role.boundary !== undefined && {
            PermissionsBoundary: { PermissionsBoundaryArn: role.boundary }
          }),
          Tags: entries(role.tags)
        }
      }
    },
    CreateRole: (input) => {
      if (state.role !== undefined) throw new Refusal('EntityAlreadyExists', 'Role exists', 409)
      const boundary = input['PermissionsBoundary']
      state.role = {
        trust: String(input['AssumeRolePolicyDocument']),
        tags: tagsIn(input),
        ...(typeof boundary === 'string' && { boundary })
      }
      return {}
    },
    UpdateAssumeRolePolicy: (input) => {
      roleOf().trust = String(input['PolicyDocument'])
    },
    PutRolePermissionsBoundary: (input) => {
      roleOf().boundary = String(input['PermissionsBoundary'])
    },
    TagRole: (input) => {
      Object.assign(roleOf().tags, tagsIn(input))
    },
    ListAttachedRolePolicies: () => {
      roleOf()
      return {
        AttachedPolicies: state.attached.map((arn) => ({
          PolicyArn: arn,
          PolicyName: arn.split('/').at(-1)
        })),
        IsTruncated: false
      }
    },
    AttachRolePolicy: (input) => {
      state.attached.push(String(input['PolicyArn']))
    },
    DetachRolePolicy: (input) => {
      state.attached = state.attached.filter((arn) => arn !== input['PolicyArn'])
    },
    ListRolePolicies: () => ({ PolicyNames: [], IsTruncated: false }),
    DeleteRole: () => {
      if (state.attached.length > 0)
        throw new Refusal('DeleteConflict', 'Cannot delete entity, must detach all policies first.', 409)
      delete state.role
    }
  }
}
