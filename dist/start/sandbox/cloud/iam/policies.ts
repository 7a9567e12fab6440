import { optionalBoolean, optionalText, tagList, text, texts } from '../input.js'
import { type Context, type Operations, requestTags, resourceTags } from '../operations.js'
import { awsId, iamArn } from '../partition.js'
import { AwsError, type AwsCall } from '../service.js'
import { checkManagedDocument } from './documents.js'
import { checkName, checkPath, checkTags, mergedTags, withoutTags } from './names.js'
import { page } from './pages.js'
import { checkPolicyArn } from './role-policies.js'
import type { ManagedPolicy, PolicyVersion } from './managed-policy.js'
import { type IamState, missing } from './state.js'

const mostVersions = 5

/** Customer managed policies, and AWS's own to read. */
export function policyOperations(state: IamState): Operations {
  const onPolicy = (action: string, context?: (call: AwsCall) => Context) => (call: AwsCall) => {
    const arn = text(call.input, 'PolicyArn')
    const tags = state.policies.get(arn)?.tags ?? []
    return [
      {
        action: `iam:${action}`,
        resource: arn,
        context: { ...resourceTags('iam', tags), ...context?.(call) }
      }
    ]
  }
  const policyOutput = (policy: ManagedPolicy) => ({
    PolicyName: policy.name,
    PolicyId: policy.id,
    Arn: policy.arn,
    Path: policy.path,
    DefaultVersionId: policy.versions.find((version) => version.isDefault)?.id,
    AttachmentCount: state.rolesWith(policy.arn).length,
    PermissionsBoundaryUsageCount: state.roles.values().filter((role) => role.boundary === policy.arn).length,
    IsAttachable: true,
    Description: policy.description,
    CreateDate: policy.createdAt,
    UpdateDate: policy.updatedAt,
    Tags: policy.tags.length === 0 ? undefined : policy.tags
  })
  return {
    CreatePolicy: {
      questions: ({ input }) => {
        const path = optionalText(input, 'Path') ?? '/'
        const tags = tagList(input)
        const resource = iamArn(state.home, `policy${path}${text(input, 'PolicyName')}`)
        const create = { action: 'iam:CreatePolicy', resource, context: requestTags(tags) }
        return tags.length === 0 ? [create] : [create, { ...create, action: 'iam:TagPolicy' }]
      },
      answer: ({ input }) => ({ Policy: policyOutput(createPolicy(state, input)) })
    },
    GetPolicy: {
      questions: onPolicy('GetPolicy'),
      answer: ({ input }) => ({ Policy: policyOutput(known(state, text(input, 'PolicyArn'))) })
    },
    ListPolicies: {
      questions: () => [{ action: 'iam:ListPolicies', resource: iamArn(state.home, 'policy/') }],
      answer: ({ input }) => {
        const scope = optionalText(input, 'Scope') ?? 'All'
        const prefix = optionalText(input, 'PathPrefix') ?? '/'
        const attachedOnly = optionalBoolean(input, 'OnlyAttached') ?? false
        const listed = state.policies
          .values()
          .filter((policy) => scope === 'All' || isAws(policy) === (scope === 'AWS'))
          .filter((policy) => policy.path.startsWith(prefix))
          .filter((policy) => !attachedOnly || state.rolesWith(policy.arn).length > 0)
        return page(
          input,
          'Policies',
          listed.map((policy) => ({ ...policyOutput(policy), Tags: undefined, Description: undefined }))
        )
      }
    },
    DeletePolicy: {
      questions: onPolicy('DeletePolicy'),
      answer: ({ input }) => {
        const policy = own(state, text(input, 'PolicyArn'))
        if (
          state.rolesWith(policy.arn).length > 0 ||
          state.roles.values().some((role) => role.boundary === policy.arn)
        ) {
          throw new AwsError('DeleteConflict', 'Cannot delete a policy attached to entities.', 409)
        }
        if (policy.versions.length > 1) {
          throw new AwsError(
            'DeleteConflict',
            "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.",
            409
          )
        }
        state.policies.delete(policy.arn)
        return {}
      }
    },
    CreatePolicyVersion: {
      questions: onPolicy('CreatePolicyVersion'),
      answer: ({ input }) => {
        const policy = own(state, text(input, 'PolicyArn'))
        const document = text(input, 'PolicyDocument')
        checkManagedDocument(document)
        if (policy.versions.length >= mostVersions) {
          throw new AwsError(
            'LimitExceeded',
            `A managed policy can have up to ${mostVersions} versions. Before you create a new version, you must delete an existing version.`,
            409
          )
        }
        const version: PolicyVersion = {
          id: `v${policy.versionsMade + 1}`,
          document,
          createdAt: new Date(state.now()),
          isDefault: optionalBoolean(input, 'SetAsDefault') ?? false
        }
        const older = version.isDefault ? policy.versions.map(notDefault) : policy.versions
        state.policies.set(policy.arn, {
          ...policy,
          versions: [version, ...older],
          versionsMade: policy.versionsMade + 1,
          updatedAt: version.createdAt
        })
        return { PolicyVersion: versionOutput(version) }
      }
    },
    SetDefaultPolicyVersion: {
      questions: onPolicy('SetDefaultPolicyVersion'),
      answer: ({ input }) => {
        const policy = own(state, text(input, 'PolicyArn'))
        const chosen = versionOf(policy, text(input, 'VersionId'))
        state.policies.set(policy.arn, {
          ...policy,
          versions: policy.versions.map((version) => ({ ...version, isDefault: version.id === chosen.id })),
          updatedAt: new Date(state.now())
        })
        return {}
      }
    },
    DeletePolicyVersion: {
      questions: onPolicy('DeletePolicyVersion'),
      answer: ({ input }) => {
        const policy = own(state, text(input, 'PolicyArn'))
        const doomed = versionOf(policy, text(input, 'VersionId'))
        if (doomed.isDefault) {
          throw new AwsError('DeleteConflict', 'Cannot delete the default version of a policy.', 409)
        }
        state.policies.set(policy.arn, {
          ...policy,
          versions: policy.versions.filter((version) => version.id !== doomed.id)
        })
        return {}
      }
    },
    GetPolicyVersion: {
      questions: onPolicy('GetPolicyVersion'),
      answer: ({ input }) => {
        const version = versionOf(known(state, text(input, 'PolicyArn')), text(input, 'VersionId'))
        return {
          PolicyVersion: { ...versionOutput(version), Document: encodeURIComponent(version.document) }
        }
      }
    },
    ListPolicyVersions: {
      questions: onPolicy('ListPolicyVersions'),
      answer: ({ input }) =>
        page(input, 'Versions', known(state, text(input, 'PolicyArn')).versions.map(versionOutput))
    },
    ListEntitiesForPolicy: {
      questions: onPolicy('ListEntitiesForPolicy'),
      answer: ({ input }) => {
        const { arn } = known(state, text(input, 'PolicyArn'))
        const usage = optionalText(input, 'PolicyUsageFilter')
        const roles = state.roles
          .values()
          .filter(
            (role) =>
              (usage !== 'PermissionsBoundary' && role.attached.includes(arn)) ||
              (usage !== 'PermissionsPolicy' && role.boundary === arn)
          )
        const listing = page(
          input,
          'PolicyRoles',
          roles.map((role) => ({ RoleName: role.name, RoleId: role.id }))
        )
        return { PolicyGroups: [], PolicyUsers: [], ...listing }
      }
    },
    TagPolicy: {
      questions: onPolicy('TagPolicy', ({ input }) => requestTags(tagList(input))),
      answer: ({ input }) => {
        const policy = own(state, text(input, 'PolicyArn'))
        state.policies.set(policy.arn, { ...policy, tags: mergedTags(policy.tags, tagList(input)) })
        return {}
      }
    },
    UntagPolicy: {
      questions: onPolicy('UntagPolicy', ({ input }) => ({ 'aws:TagKeys': texts(input, 'TagKeys') })),
      answer: ({ input }) => {
        const policy = own(state, text(input, 'PolicyArn'))
        state.policies.set(policy.arn, { ...policy, tags: withoutTags(policy.tags, texts(input, 'TagKeys')) })
        return {}
      }
    },
    ListPolicyTags: {
      questions: onPolicy('ListPolicyTags'),
      answer: ({ input }) => page(input, 'Tags', known(state, text(input, 'PolicyArn')).tags)
    }
  }
}

function createPolicy(state: IamState, input: AwsCall['input']): ManagedPolicy {
  const name = checkName('policyName', text(input, 'PolicyName'), 128)
  const path = checkPath(optionalText(input, 'Path') ?? '/')
  const document = text(input, 'PolicyDocument')
  const tags = checkTags(tagList(input))
  const description = optionalText(input, 'Description')
  const taken = state.policies
    .values()
    .some((policy) => !isAws(policy) && policy.name.toLowerCase() === name.toLowerCase())
  if (taken) {
    throw new AwsError(
      'EntityAlreadyExists',
      `A policy called ${name} already exists. Duplicate names are not allowed.`,
      409
    )
  }
  checkManagedDocument(document)
  const createdAt = new Date(state.now())
  const policy: ManagedPolicy = {
    name,
    id: awsId('ANPA'),
    arn: iamArn(state.home, `policy${path}${name}`),
    path,
    ...(description === undefined ? {} : { description }),
    tags,
    versions: [{ id: 'v1', document, createdAt, isDefault: true }],
    versionsMade: 1,
    createdAt,
    updatedAt: createdAt
  }
  state.policies.set(policy.arn, policy)
  return policy
}

function known(state: IamState, arn: string): ManagedPolicy {
  checkPolicyArn(arn)
  return state.policy(arn)
}

function own(state: IamState, arn: string): ManagedPolicy {
  const policy = known(state, arn)
  if (isAws(policy))
    throw new AwsError('AccessDenied', `The policy ${arn} is owned by AWS and cannot be changed.`, 403)
  return policy
}

function isAws(policy: ManagedPolicy): boolean {
  return policy.arn.split(':')[4] === 'aws'
}

function notDefault(version: PolicyVersion): PolicyVersion {
  return { ...version, isDefault: false }
}

function versionOf(policy: ManagedPolicy, id: string): PolicyVersion {
  return (
    policy.versions.find((version) => version.id === id) ??
    missing(`Policy ${policy.arn} version ${id} does not exist or is not attachable.`)
  )
}

function versionOutput(version: PolicyVersion): Readonly<Record<string, unknown>> {
  return { VersionId: version.id, IsDefaultVersion: version.isDefault, CreateDate: version.createdAt }
}
