import { type Asker, decide } from '../authorisation.js'
import { list, isRecord, optionalText, text, texts } from '../input.js'
import { type Operations } from '../operations.js'
import { AwsError, type AwsCall, type Service } from '../service.js'
import { instanceProfileOperations } from './instance-profiles.js'
import { oidcProviderOperations } from './oidc-providers.js'
import { page } from './pages.js'
import { policyOperations } from './policies.js'
import { rolePolicyOperations } from './role-policies.js'
import { roleOperations } from './roles.js'
import { serviceLinkedRoleOperations } from './service-linked-roles.js'
import { type IamState, missing } from './state.js'

/** IAM for one account. Actions that it does not know are refused, not passed over. */
export function iamService(state: IamState): Service {
  const operations: Operations = {
    ...roleOperations(state),
    ...rolePolicyOperations(state),
    ...policyOperations(state),
    ...instanceProfileOperations(state),
    ...oidcProviderOperations(state),
    ...serviceLinkedRoleOperations(state),
    SimulatePrincipalPolicy: {
      questions: ({ input }) => [
        { action: 'iam:SimulatePrincipalPolicy', resource: text(input, 'PolicySourceArn') }
      ],
      answer: (call) => simulatePrincipalPolicy(state, call)
    }
  }
  const operation = (action: string) => {
    const found = Object.hasOwn(operations, action) ? operations[action] : undefined
    if (found === undefined) {
      throw new AwsError('InvalidAction', `Could not find operation ${action} for version 2010-05-08`)
    }
    return found
  }
  return {
    name: 'iam',
    protocol: 'query',
    questions: async (call) => operation(call.action).questions(call),
    answer: async (call) => operation(call.action).answer(call)
  }
}

function simulatePrincipalPolicy(state: IamState, call: AwsCall): Readonly<Record<string, unknown>> {
  const source = text(call.input, 'PolicySourceArn')
  const role = state.roleByArn(source) ?? missing(`The role with ARN ${source} cannot be found.`)
  const context = Object.fromEntries(
    list(call.input, 'ContextEntries').flatMap((entry) => {
      if (!isRecord(entry)) return []
      const values = texts(entry, 'ContextKeyValues')
      const single = !(optionalText(entry, 'ContextKeyType') ?? 'string').endsWith('List')
      return [[text(entry, 'ContextKeyName'), single ? (values[0] ?? '') : values]]
    })
  )
  const resources = texts(call.input, 'ResourceArns')
  const asker: Asker = {
    caller: { ...call.caller, arn: role.arn, roleArn: role.arn, userId: `${role.id}:simulation` },
    region: call.region,
    tags: {}
  }
  const results = texts(call.input, 'ActionNames').flatMap((action) =>
    (resources.length === 0 ? ['*'] : resources).map((resource) => {
      const decision = decide(state, asker, { action, resource, context })
      return {
        EvalActionName: action,
        EvalResourceName: resource,
        EvalDecision: decision.allowed
          ? 'allowed'
          : decision.reason.startsWith('with an explicit deny')
            ? 'explicitDeny'
            : 'implicitDeny',
        MatchedStatements: [],
        MissingContextValues: []
      }
    })
  )
  return page(call.input, 'EvaluationResults', results)
}
