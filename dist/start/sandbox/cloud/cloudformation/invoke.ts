import { AwsError, RawReply, type Caller } from '../service.js'
import { partitionOf, urlSuffixOf } from '../partition.js'
import { ServiceRefusal } from './service-refusal.js'

/**
 * A call that CloudFormation makes with its caller's permissions. The front authorises and records it as it does any
 * call (via cloudformation.amazonaws.com) and answers the output as an object, or throws AwsError.
 */
export type Invoke = (call: {
  readonly service: string
  readonly action: string
  readonly region: string
  readonly input: Readonly<Record<string, unknown>>
  readonly caller: Caller
  readonly via: 'cloudformation.amazonaws.com'
  readonly assumed?: boolean
}) => Promise<Readonly<Record<string, unknown>> | RawReply>

/** What a resource's handler has at hand. */
export interface Deployer {
  readonly region: string
  readonly accountId: string
  readonly partition: string
  /** Domain of the region's services: amazonaws.com or amazonaws.com.cn. */
  readonly urlSuffix: string
  /** Throws ServiceRefusal when the service refuses. */
  call(
    service: string,
    action: string,
    input: Readonly<Record<string, unknown>>
  ): Promise<Readonly<Record<string, unknown>>>
}

/** `assumed`: the caller is the stack's service role. */
export function deployer(invoke: Invoke, caller: Caller, region: string, assumed = false): Deployer {
  return {
    region,
    accountId: caller.accountId,
    partition: partitionOf(region),
    urlSuffix: urlSuffixOf(region),
    async call(service, action, input) {
      const output = await invoke({
        service,
        action,
        region,
        input,
        caller,
        via: 'cloudformation.amazonaws.com',
        ...(assumed && { assumed })
      }).catch((error: unknown) => {
        throw error instanceof AwsError ? new ServiceRefusal(service, error) : error
      })
      if (output instanceof RawReply) {
        throw new AwsError(
          'InternalFailure',
          `${service} answered ${action} with ${output.status} and no output`,
          500
        )
      }
      return output
    }
  }
}
