import { optionalText, tagList, text, texts } from '../input.js'
import { type Context, type Operations, requestTags, resourceTags } from '../operations.js'
import { awsId, iamArn } from '../partition.js'
import { AwsError, type AwsCall } from '../service.js'
import { checkName, checkPath, checkTags, mergedTags, withoutTags } from './names.js'
import { page } from './pages.js'
import { roleOutput, roleQuestion } from './roles.js'
import { type IamState, type InstanceProfile, missing } from './state.js'

/** Instance profiles: each holds at most one role, and neither is deleted while they hang together. */
export function instanceProfileOperations(state: IamState): Operations {
  const onProfile = (action: string, context?: (call: AwsCall) => Context) => (call: AwsCall) => {
    const name = text(call.input, 'InstanceProfileName')
    const profile = state.instanceProfiles.get(name)
    const own = profile === undefined ? {} : resourceTags('iam', profile.tags)
    return [
      {
        action: `iam:${action}`,
        resource: profile?.arn ?? iamArn(state.home, `instance-profile/${name}`),
        context: { ...own, ...context?.(call) }
      }
    ]
  }
  const output = (profile: InstanceProfile) => {
    const role = profile.roleName === undefined ? undefined : state.roles.get(profile.roleName)
    return {
      Path: profile.path,
      InstanceProfileName: profile.name,
      InstanceProfileId: profile.id,
      Arn: profile.arn,
      CreateDate: profile.createdAt,
      Roles: role === undefined ? [] : [{ ...roleOutput(role), Tags: undefined }],
      Tags: profile.tags
    }
  }
  return {
    CreateInstanceProfile: {
      questions: ({ input }) => {
        const path = optionalText(input, 'Path') ?? '/'
        const tags = tagList(input)
        const resource = iamArn(state.home, `instance-profile${path}${text(input, 'InstanceProfileName')}`)
        const create = { action: 'iam:CreateInstanceProfile', resource, context: requestTags(tags) }
        if (tags.length === 0) return [create]
        // The new profile counts as bearing the tags it is made with: Karpenter's own policy asks for aws:ResourceTag here.
        const context = { ...requestTags(tags), ...resourceTags('iam', tags) }
        return [create, { action: 'iam:TagInstanceProfile', resource, context }]
      },
      answer: ({ input }) => {
        const name = checkName('instanceProfileName', text(input, 'InstanceProfileName'), 128)
        const path = checkPath(optionalText(input, 'Path') ?? '/')
        const tags = checkTags(tagList(input))
        if (
          state.instanceProfiles.values().some((profile) => profile.name.toLowerCase() === name.toLowerCase())
        ) {
          throw new AwsError('EntityAlreadyExists', `Instance Profile ${name} already exists.`, 409)
        }
        const profile: InstanceProfile = {
          name,
          id: awsId('AIPA'),
          arn: iamArn(state.home, `instance-profile${path}${name}`),
          path,
          createdAt: new Date(state.now()),
          tags
        }
        state.instanceProfiles.set(name, profile)
        return { InstanceProfile: output(profile) }
      }
    },
    GetInstanceProfile: {
      questions: onProfile('GetInstanceProfile'),
      answer: ({ input }) => ({
        InstanceProfile: output(state.instanceProfile(text(input, 'InstanceProfileName')))
      })
    },
    DeleteInstanceProfile: {
      questions: onProfile('DeleteInstanceProfile'),
      answer: ({ input }) => {
        const profile = state.instanceProfile(text(input, 'InstanceProfileName'))
        if (profile.roleName !== undefined) {
          throw new AwsError(
            'DeleteConflict',
            'Cannot delete entity, must remove roles from instance profile first.',
            409
          )
        }
        state.instanceProfiles.delete(profile.name)
        return {}
      }
    },
    AddRoleToInstanceProfile: {
      questions: (call) => {
        const role = roleQuestion(state, 'iam:PassRole', text(call.input, 'RoleName'), {
          'iam:PassedToService': `ec2.${state.home.urlSuffix}`
        })
        return [...onProfile('AddRoleToInstanceProfile')(call), role]
      },
      answer: ({ input }) => {
        const profile = state.instanceProfile(text(input, 'InstanceProfileName'))
        const role = state.role(text(input, 'RoleName'))
        if (profile.roleName !== undefined) {
          throw new AwsError(
            'LimitExceeded',
            'Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1',
            409
          )
        }
        state.instanceProfiles.set(profile.name, { ...profile, roleName: role.name })
        return {}
      }
    },
    RemoveRoleFromInstanceProfile: {
      questions: onProfile('RemoveRoleFromInstanceProfile'),
      answer: ({ input }) => {
        const profile = state.instanceProfile(text(input, 'InstanceProfileName'))
        const role = text(input, 'RoleName')
        if (profile.roleName !== role) missing(`The role with name ${role} cannot be found.`)
        state.instanceProfiles.set(profile.name, { ...profile, roleName: undefined })
        return {}
      }
    },
    ListInstanceProfiles: {
      questions: () => [
        { action: 'iam:ListInstanceProfiles', resource: iamArn(state.home, 'instance-profile/') }
      ],
      answer: ({ input }) => {
        const prefix = optionalText(input, 'PathPrefix') ?? '/'
        const profiles = state.instanceProfiles.values().filter((profile) => profile.path.startsWith(prefix))
        return page(
          input,
          'InstanceProfiles',
          profiles.map((profile) => ({ ...output(profile), Tags: undefined }))
        )
      }
    },
    ListInstanceProfilesForRole: {
      questions: ({ input }) => [
        roleQuestion(state, 'iam:ListInstanceProfilesForRole', text(input, 'RoleName'))
      ],
      answer: ({ input }) => {
        const role = state.role(text(input, 'RoleName'))
        return page(
          input,
          'InstanceProfiles',
          state.profilesOf(role.name).map((profile) => ({ ...output(profile), Tags: undefined }))
        )
      }
    },
    TagInstanceProfile: {
      questions: onProfile('TagInstanceProfile', ({ input }) => requestTags(tagList(input))),
      answer: ({ input }) => {
        const profile = state.instanceProfile(text(input, 'InstanceProfileName'))
        state.instanceProfiles.set(profile.name, {
          ...profile,
          tags: mergedTags(profile.tags, tagList(input))
        })
        return {}
      }
    },
    UntagInstanceProfile: {
      questions: onProfile('UntagInstanceProfile', ({ input }) => ({
        'aws:TagKeys': texts(input, 'TagKeys')
      })),
      answer: ({ input }) => {
        const profile = state.instanceProfile(text(input, 'InstanceProfileName'))
        state.instanceProfiles.set(profile.name, {
          ...profile,
          tags: withoutTags(profile.tags, texts(input, 'TagKeys'))
        })
        return {}
      }
    },
    ListInstanceProfileTags: {
      questions: onProfile('ListInstanceProfileTags'),
      answer: ({ input }) =>
        page(input, 'Tags', state.instanceProfile(text(input, 'InstanceProfileName')).tags)
    }
  }
}
