import { mayAssume } from '../authorisation.js'
import { optionalText, tagList, text } from '../input.js'
import { AwsError, type AwsCall, type Service } from '../service.js'
import type { StsParts } from './parts.js'
import { credentialsOutput, duration, openSession, sessionName } from './sessions.js'
import { assumeRoleWithWebIdentity } from './web-identity.js'

/** STS. Its questions are answered by trust policies, so it asks them itself. */
export function stsService(parts: StsParts): Service {
  return {
    name: 'sts',
    protocol: 'query',
    questions: async () => [],
    answer: async (call) => {
      switch (call.action) {
        case 'GetCallerIdentity':
          return { UserId: call.caller.userId, Account: call.caller.accountId, Arn: call.caller.arn }
        case 'AssumeRole':
          return assumeRole(parts, call)
        case 'AssumeRoleWithWebIdentity':
          return assumeRoleWithWebIdentity(parts, call)
        default:
          throw new AwsError(
            'InvalidAction',
            `Could not find operation ${call.action} for version 2011-06-15`
          )
      }
    }
  }
}

function assumeRole({ iam, credentials }: StsParts, call: AwsCall): Readonly<Record<string, unknown>> {
  const { caller, input } = call
  const arn = text(input, 'RoleArn')
  const name = sessionName(input)
  const tags = tagList(input)
  const role = iam.roleByArn(arn)
  const allowed =
    role !== undefined &&
    mayAssume(iam, call, role, 'sts:AssumeRole', externalId(input)) &&
    (tags.length === 0 || mayAssume(iam, call, role, 'sts:TagSession', {}))
  if (role === undefined || !allowed) {
    throw new AwsError(
      'AccessDenied',
      `User: ${caller.arn} is not authorized to perform: sts:AssumeRole on resource: ${arn}`,
      403
    )
  }
  const seconds = duration(input, role.maxSessionDuration, caller.arn.includes(':assumed-role/'))
  const policy = optionalText(input, 'Policy')
  const session = openSession(credentials, iam.home, role, {
    name,
    expiresAt: iam.now() + seconds * 1000,
    tags: Object.fromEntries(tags.map((tag) => [tag.Key, tag.Value])),
    ...(policy === undefined ? {} : { policy })
  })
  return {
    Credentials: credentialsOutput(session),
    AssumedRoleUser: { AssumedRoleId: session.caller.userId, Arn: session.caller.arn }
  }
}

function externalId(input: AwsCall['input']): Readonly<Record<string, string>> {
  const id = optionalText(input, 'ExternalId')
  return id === undefined ? {} : { 'sts:ExternalId': id }
}
