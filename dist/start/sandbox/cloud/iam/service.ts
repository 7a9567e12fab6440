import { text } from '../input.js'
import { type Operations } from '../operations.js'
import { AwsError, type Service } from '../service.js'
import { instanceProfileOperations } from './instance-profiles.js'
import { oidcProviderOperations } from './oidc-providers.js'
import { policyOperations } from './policies.js'
import { rolePolicyOperations } from './role-policies.js'
import { roleOperations } from './roles.js'
import { serviceLinkedRoleOperations } from './service-linked-roles.js'
import { simulatePrincipalPolicy } from './simulation.js'
import type { IamState } from './state.js'

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
