import type { IamState } from '../iam/state.js'
import type { Operations } from '../operations.js'
import { AwsError, type AwsCall, type Service } from '../service.js'
import { accessEntryOperations } from './access-entries.js'
import { addonOperations } from './addons.js'
import { clusterVersionOperations } from './cluster-versions.js'
import { clusterOperations } from './clusters.js'
import { fargateProfileOperations, type SubnetFacts } from './fargate-profiles.js'
import { podIdentityOperations } from './pod-identity.js'
import { type EksState, notFound } from './state.js'
import { tagOperations } from './tags.js'

/** EKS for one account. Its clusters are in the home region; other regions are empty. */
export function eksService(state: EksState, iam: IamState, subnets: SubnetFacts): Service {
  const operations: Operations = {
    ...clusterOperations(state),
    ...clusterVersionOperations(state),
    ...accessEntryOperations(state, iam),
    ...addonOperations(state),
    ...fargateProfileOperations(state, iam, subnets),
    ...podIdentityOperations(state, iam),
    ...tagOperations(state)
  }
  const operation = (call: AwsCall) => {
    const found = Object.hasOwn(operations, call.action) ? operations[call.action] : undefined
    if (found === undefined) {
      throw new AwsError('UnknownOperationException', `The sandbox's EKS does not know ${call.action}`, 404)
    }
    return found
  }
  return {
    name: 'eks',
    protocol: 'rest-json',
    questions: async (call) => operation(call).questions(call),
    answer: async (call) => {
      if (call.region !== state.home.region) return elsewhere(call)
      return operation(call).answer(call)
    }
  }
}

function elsewhere(call: AwsCall): Readonly<Record<string, unknown>> {
  if (call.action === 'ListClusters') return { clusters: [] }
  const name = call.input['name'] ?? call.input['clusterName']
  return notFound(`No cluster found for name: ${typeof name === 'string' ? name : ''}.`)
}
