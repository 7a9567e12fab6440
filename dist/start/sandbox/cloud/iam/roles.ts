import { optionalInteger, optionalText, tagList, text, texts } from '../input.js'
import { type Context, type Operations, requestTags, resourceTags } from '../operations.js'
import { iamArn, awsId } from '../partition.js'
import { AwsError, type AwsCall, type Question } from '../service.js'
import { checkTrustDocument } from './documents.js'
import { checkName, checkPath, checkTags, mergedTags, withoutTags } from './names.js'
import { page } from './pages.js'
import type { IamState, Role } from './state.js'

/** The question for an action on a role that may or may not be there. */
export function roleQuestion(state: IamState, action: string, name: string, context: Context = {}): Question {
  const role = state.roles.get(name)
  return {
    action,
    resource: role?.arn ?? iamArn(state.home, `role/${name}`),
    context: { ...(role === undefined ? {} : resourceTags('iam', role.tags)), ...context }
  }
}

/** iam:PermissionsBoundary is that of the role acted on, or the one asked for. */
export function boundaryContext(boundary: string | undefined): Context {
  return boundary === undefined ? {} : { 'iam:PermissionsBoundary': boundary }
}

export function roleOutput(role: Role): Readonly<Record<string, unknown>> {
  return {
    Path: role.path,
    RoleName: role.name,
    RoleId: role.id,
    Arn: role.arn,
    CreateDate: role.createdAt,
    AssumeRolePolicyDocument: encodeURIComponent(role.trust),
    Description: role.description,
    MaxSessionDuration: role.maxSessionDuration,
    PermissionsBoundary:
      role.boundary === undefined
        ? undefined
        : { PermissionsBoundaryType: 'Policy', PermissionsBoundaryArn: role.boundary },
    Tags: role.tags.length === 0 ? undefined : role.tags
  }
}

/** Roles that AWS services own are theirs to change. */
export function notServiceLinked(role: Role): Role {
  if (role.path.startsWith('/aws-service-role/')) {
    throw new AwsError(
      'UnmodifiableEntity',
      `Cannot perform the operation on the protected role '${role.name}' - this role is only modifiable by AWS`
    )
  }
  return role
}

export function roleOperations(state: IamState): Operations {
  const onRole = (action: string, context?: (call: AwsCall) => Context) => (call: AwsCall) => [
    roleQuestion(state, `iam:${action}`, text(call.input, 'RoleName'), context?.(call))
  ]
  const boundaryOf = (name: string): Context => boundaryContext(state.roles.get(name)?.boundary)
  return {
    CreateRole: {
      questions: ({ input }) => {
        const tags = tagList(input)
        const path = optionalText(input, 'Path') ?? '/'
        const resource = iamArn(state.home, `role${path}${text(input, 'RoleName')}`)
        const context = {
          ...requestTags(tags),
          ...boundaryContext(optionalText(input, 'PermissionsBoundary'))
        }
        const create = { action: 'iam:CreateRole', resource, context }
        return tags.length === 0 ? [create] : [create, { action: 'iam:TagRole', resource, context }]
      },
      answer: ({ input }) => ({ Role: roleOutput(createRole(state, input)) })
    },
    GetRole: {
      questions: onRole('GetRole'),
      answer: ({ input }) => ({
        Role: { ...roleOutput(state.role(text(input, 'RoleName'))), RoleLastUsed: {} }
      })
    },
    ListRoles: {
      questions: () => [{ action: 'iam:ListRoles', resource: iamArn(state.home, 'role/') }],
      answer: ({ input }) => {
        const prefix = optionalText(input, 'PathPrefix') ?? '/'
        const roles = state.roles.values().filter((role) => role.path.startsWith(prefix))
        return page(
          input,
          'Roles',
          roles.map((role) => ({ ...roleOutput(role), Tags: undefined, PermissionsBoundary: undefined }))
        )
      }
    },
    DeleteRole: {
      questions: onRole('DeleteRole', ({ input }) => boundaryOf(text(input, 'RoleName'))),
      answer: ({ input }) => {
        deleteRole(state, notServiceLinked(state.role(text(input, 'RoleName'))))
        return {}
      }
    },
    UpdateRole: {
      questions: onRole('UpdateRole', ({ input }) => boundaryOf(text(input, 'RoleName'))),
      answer: ({ input }) => {
        const role = notServiceLinked(state.role(text(input, 'RoleName')))
        const description = optionalText(input, 'Description')
        state.roles.set(role.name, {
          ...role,
          ...(description === undefined ? {} : { description: checkDescription(description) }),
          maxSessionDuration: sessionDuration(input) ?? role.maxSessionDuration
        })
        return {}
      }
    },
    UpdateAssumeRolePolicy: {
      questions: onRole('UpdateAssumeRolePolicy', ({ input }) => boundaryOf(text(input, 'RoleName'))),
      answer: ({ input }) => {
        const role = notServiceLinked(state.role(text(input, 'RoleName')))
        const trust = text(input, 'PolicyDocument')
        checkTrustDocument(state, trust)
        state.roles.set(role.name, { ...role, trust })
        return {}
      }
    },
    PutRolePermissionsBoundary: {
      questions: onRole('PutRolePermissionsBoundary', ({ input }) =>
        boundaryContext(text(input, 'PermissionsBoundary'))
      ),
      answer: ({ input }) => {
        const role = notServiceLinked(state.role(text(input, 'RoleName')))
        state.roles.set(role.name, {
          ...role,
          boundary: checkedBoundary(state, text(input, 'PermissionsBoundary'))
        })
        return {}
      }
    },
    DeleteRolePermissionsBoundary: {
      questions: onRole('DeleteRolePermissionsBoundary', ({ input }) => boundaryOf(text(input, 'RoleName'))),
      answer: ({ input }) => {
        const role = notServiceLinked(state.role(text(input, 'RoleName')))
        state.roles.set(role.name, { ...role, boundary: undefined })
        return {}
      }
    },
    TagRole: {
      questions: onRole('TagRole', ({ input }) => requestTags(tagList(input))),
      answer: ({ input }) => {
        const role = state.role(text(input, 'RoleName'))
        state.roles.set(role.name, { ...role, tags: mergedTags(role.tags, tagList(input)) })
        return {}
      }
    },
    UntagRole: {
      questions: onRole('UntagRole', ({ input }) => ({ 'aws:TagKeys': texts(input, 'TagKeys') })),
      answer: ({ input }) => {
        const role = state.role(text(input, 'RoleName'))
        state.roles.set(role.name, { ...role, tags: withoutTags(role.tags, texts(input, 'TagKeys')) })
        return {}
      }
    },
    ListRoleTags: {
      questions: onRole('ListRoleTags'),
      answer: ({ input }) => page(input, 'Tags', state.role(text(input, 'RoleName')).tags)
    }
  }
}

function createRole(state: IamState, input: AwsCall['input']): Role {
  const name = checkName('roleName', text(input, 'RoleName'), 64)
  const path = checkPath(optionalText(input, 'Path') ?? '/')
  const trust = text(input, 'AssumeRolePolicyDocument')
  checkTrustDocument(state, trust)
  const tags = checkTags(tagList(input))
  const description = optionalText(input, 'Description')
  const boundary = optionalText(input, 'PermissionsBoundary')
  if (state.roles.values().some((role) => role.name.toLowerCase() === name.toLowerCase())) {
    throw new AwsError('EntityAlreadyExists', `Role with name ${name} already exists.`, 409)
  }
  const role: Role = {
    name,
    id: awsId('AROA'),
    arn: iamArn(state.home, `role${path}${name}`),
    path,
    createdAt: new Date(state.now()),
    trust,
    ...(description === undefined || description === ''
      ? {}
      : { description: checkDescription(description) }),
    maxSessionDuration: sessionDuration(input) ?? 3600,
    tags,
    ...(boundary === undefined ? {} : { boundary: checkedBoundary(state, boundary) }),
    inline: {},
    attached: []
  }
  state.roles.set(name, role)
  return role
}

function deleteRole(state: IamState, role: Role): void {
  const conflict = (message: string) =>
    new AwsError('DeleteConflict', `Cannot delete entity, must ${message} first.`, 409)
  if (state.profilesOf(role.name).length > 0) throw conflict('remove roles from instance profile')
  if (role.attached.length > 0) throw conflict('detach all policies')
  if (Object.keys(role.inline).length > 0) throw conflict('delete policies')
  state.roles.delete(role.name)
}

function checkDescription(description: string): string {
  if (description.length > 1000) {
    throw new AwsError(
      'ValidationError',
      `1 validation error detected: Value '${description}' at 'description' failed to satisfy constraint: Member must have length less than or equal to 1000`
    )
  }
  return description
}

function sessionDuration(input: AwsCall['input']): number | undefined {
  const seconds = optionalInteger(input, 'MaxSessionDuration')
  if (seconds !== undefined && (seconds < 3600 || seconds > 43_200)) {
    throw new AwsError(
      'ValidationError',
      `1 validation error detected: Value '${seconds}' at 'maxSessionDuration' failed to satisfy constraint: Member must have value ${seconds < 3600 ? 'greater than or equal to 3600' : 'less than or equal to 43200'}`
    )
  }
  return seconds
}

function checkedBoundary(state: IamState, arn: string): string {
  if (!state.policies.has(arn)) {
    throw new AwsError('NoSuchEntity', `Scope ARN: ${arn} does not exist or is not attachable.`, 404)
  }
  return arn
}
