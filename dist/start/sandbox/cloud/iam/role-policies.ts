import { optionalText, text } from '../input.js'
import type { Operations } from '../operations.js'
import { AwsError, type AwsCall } from '../service.js'
import { checkInlineDocuments } from './documents.js'
import { checkName } from './names.js'
import { page } from './pages.js'
import { boundaryContext, notServiceLinked, roleQuestion } from './roles.js'
import { type IamState, missing, type Role } from './state.js'

const mostAttached = 10

/** Policies on roles: managed ones attached and detached, inline ones put and deleted. */
export function rolePolicyOperations(state: IamState): Operations {
  const attaching = (action: string) => (call: AwsCall) => {
    const name = text(call.input, 'RoleName')
    return [
      roleQuestion(state, `iam:${action}`, name, {
        'iam:PolicyARN': text(call.input, 'PolicyArn'),
        ...boundaryContext(state.roles.get(name)?.boundary)
      })
    ]
  }
  const inline = (action: string) => (call: AwsCall) => {
    const name = text(call.input, 'RoleName')
    return [roleQuestion(state, `iam:${action}`, name, boundaryContext(state.roles.get(name)?.boundary))]
  }
  const reading = (action: string) => (call: AwsCall) => [
    roleQuestion(state, `iam:${action}`, text(call.input, 'RoleName'))
  ]
  return {
    AttachRolePolicy: {
      questions: attaching('AttachRolePolicy'),
      answer: ({ input }) => {
        const role = notServiceLinked(state.role(text(input, 'RoleName')))
        const arn = text(input, 'PolicyArn')
        checkPolicyArn(arn)
        if (!state.policies.has(arn)) missing(`Policy ${arn} does not exist or is not attachable.`)
        if (role.attached.includes(arn)) return {}
        if (role.attached.length >= mostAttached) {
          throw new AwsError('LimitExceeded', `Cannot exceed quota for PoliciesPerRole: ${mostAttached}`, 409)
        }
        state.roles.set(role.name, { ...role, attached: [...role.attached, arn] })
        return {}
      }
    },
    DetachRolePolicy: {
      questions: attaching('DetachRolePolicy'),
      answer: ({ input }) => {
        const role = notServiceLinked(state.role(text(input, 'RoleName')))
        const arn = text(input, 'PolicyArn')
        checkPolicyArn(arn)
        if (!role.attached.includes(arn)) missing(`Policy ${arn} was not found.`)
        state.roles.set(role.name, { ...role, attached: role.attached.filter((item) => item !== arn) })
        return {}
      }
    },
    ListAttachedRolePolicies: {
      questions: reading('ListAttachedRolePolicies'),
      answer: ({ input }) => {
        const prefix = optionalText(input, 'PathPrefix') ?? '/'
        const attached = state
          .role(text(input, 'RoleName'))
          .attached.map((arn) => state.policy(arn))
          .filter((policy) => policy.path.startsWith(prefix))
        return page(
          input,
          'AttachedPolicies',
          attached.map((policy) => ({ PolicyName: policy.name, PolicyArn: policy.arn }))
        )
      }
    },
    PutRolePolicy: {
      questions: inline('PutRolePolicy'),
      answer: ({ input }) => {
        const role = notServiceLinked(state.role(text(input, 'RoleName')))
        const name = checkName('policyName', text(input, 'PolicyName'), 128)
        const document = text(input, 'PolicyDocument')
        checkInlineDocuments(role.name, document, Object.values(without(role.inline, name)))
        state.roles.set(role.name, { ...role, inline: { ...role.inline, [name]: document } })
        return {}
      }
    },
    GetRolePolicy: {
      questions: reading('GetRolePolicy'),
      answer: ({ input }) => {
        const role = state.role(text(input, 'RoleName'))
        const name = text(input, 'PolicyName')
        const document = role.inline[name] ?? missing(`The role policy with name ${name} cannot be found.`)
        return { RoleName: role.name, PolicyName: name, PolicyDocument: encodeURIComponent(document) }
      }
    },
    DeleteRolePolicy: {
      questions: inline('DeleteRolePolicy'),
      answer: ({ input }) => {
        const role = notServiceLinked(state.role(text(input, 'RoleName')))
        const name = text(input, 'PolicyName')
        if (role.inline[name] === undefined) missing(`The role policy with name ${name} cannot be found.`)
        state.roles.set(role.name, { ...role, inline: without(role.inline, name) })
        return {}
      }
    },
    ListRolePolicies: {
      questions: reading('ListRolePolicies'),
      answer: ({ input }) =>
        page(input, 'PolicyNames', Object.keys(state.role(text(input, 'RoleName')).inline))
    }
  }
}

export function checkPolicyArn(arn: string): void {
  if (!/^arn:[a-z-]+:iam::(aws|\d{12}):policy\/.+$/.test(arn)) {
    throw new AwsError('InvalidInput', `ARN ${arn} is not valid.`)
  }
}

function without(policies: Role['inline'], name: string): Role['inline'] {
  return Object.fromEntries(Object.entries(policies).filter(([key]) => key !== name))
}
