import type { Aws } from '../aws/clients.js'
import { awsProblem, isNotFound } from '../aws/errors.js'

/** sqs:GetQueueUrl; undefined when this account has no queue of that name in this region. */
export function queueUrl(aws: Aws): (name: string) => Promise<string | undefined> {
  return async (name) => {
    const { GetQueueUrlCommand } = await import('@aws-sdk/client-sqs')
    const sqs = await aws.sqs()
    try {
      return (await sqs.send(new GetQueueUrlCommand({ QueueName: name }))).QueueUrl
    } catch (error) {
      if (isNotFound(error) || (error instanceof Error && /NonExistentQueue/.test(error.name)))
        return undefined
      throw awsProblem('interruption-queue', `${name} could not be read`, error)
    }
  }
}
