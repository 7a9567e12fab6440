import type { Operations } from '../operations.js'
import type { Clock } from './stack.js'
import { homeOf } from '../partition.js'
import { AwsError, type AwsCall, type Caller, type Service } from '../service.js'
import type { Invoke } from './invoke.js'
import { Region } from './region.js'
import { changeSetOperations } from './change-set-operations.js'
import { stackOperations } from './stack-operations.js'
import { resourceTypes } from './resource-types/index.js'

export type { Invoke } from './invoke.js'
export type { Clock } from './stack.js'

export interface CloudFormationOptions {
  /** Makes the calls of the resource handlers, with the stack's caller's permissions. */
  readonly invoke: Invoke
  readonly clock: Clock
  /** Who CloudFormation is as a stack's service role; undefined: it cannot assume that one. */
  readonly assume: (roleArn: string, service: string) => Caller | undefined
  /** How long a resource takes beyond its calls, milliseconds; 100 when absent. */
  readonly pace?: number
}

/** CloudFormation: stacks and change sets, in every region of one account. */
export function cloudFormation(options: CloudFormationOptions): Service {
  const regions = new Map<string, { readonly region: Region; readonly operations: Operations }>()
  const inRegion = ({ caller, region: name }: AwsCall): Operations => {
    const key = `${caller.accountId}/${name}`
    const known = regions.get(key)
    if (known !== undefined) return known.operations
    const region = new Region({
      ...options,
      home: homeOf(caller.accountId, name),
      pace: options.pace ?? 100,
      types: resourceTypes
    })
    const operations = { ...stackOperations(region), ...changeSetOperations(region) }
    regions.set(key, { region, operations })
    return operations
  }
  const operation = (call: AwsCall): Operations[string] => {
    const found = inRegion(call)[call.action]
    if (found === undefined)
      throw new AwsError('InvalidAction', `Could not find operation ${call.action} for version 2010-05-15`)
    return found
  }
  return {
    name: 'cloudformation',
    protocol: 'query',
    questions: async (call) => operation(call).questions(call),
    answer: async (call) => operation(call).answer(call)
  }
}
