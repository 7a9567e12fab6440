import { alreadyExists, answered, stringProperty, text, unlessMissing } from '../handler.js'
import type { ResourceType } from '../handler.js'
import { sameJson, type JsonObject } from '../json.js'

const type = 'AWS::SQS::Queue'

const attributeNames = [
  'ContentBasedDeduplication',
  'DeduplicationScope',
  'DelaySeconds',
  'FifoQueue',
  'FifoThroughputLimit',
  'KmsDataKeyReusePeriodSeconds',
  'KmsMasterKeyId',
  'MaximumMessageSize',
  'MessageRetentionPeriod',
  'ReceiveMessageWaitTimeSeconds',
  'RedriveAllowPolicy',
  'RedrivePolicy',
  'SqsManagedSseEnabled',
  'VisibilityTimeout'
] as const

/** AWS::SQS::Queue. `Ref` gives the queue's URL. */
export const queue: ResourceType = {
  name: type,
  properties: new Set([...attributeNames, 'QueueName', 'Tags']),
  required: [],
  createOnly: new Set(['QueueName', 'FifoQueue']),
  taggable: true,
  attributes: new Set(['Arn', 'QueueName', 'QueueUrl']),
  capability: () => undefined,

  async create({ properties, tags, systemTags, deployer, generatedName, claim }) {
    const name = stringProperty(properties, 'QueueName') ?? generatedName(80)
    const taken = await unlessMissing(deployer.call('sqs', 'GetQueueUrl', { QueueName: name }))
    if (taken !== undefined) throw alreadyExists(type, answered(taken, 'QueueUrl'))
    const created = await deployer.call('sqs', 'CreateQueue', {
      QueueName: name,
      Attributes: queueAttributes(properties),
      tags: Object.fromEntries([...tags, ...systemTags].map(({ Key, Value }) => [Key, Value]))
    })
    const url = answered(created, 'QueueUrl')
    claim(url)
    const read = await deployer.call('sqs', 'GetQueueAttributes', { QueueUrl: url, AttributeNames: ['All'] })
    await deployer.call('sqs', 'ListQueueTags', { QueueUrl: url })
    return {
      physicalId: url,
      attributes: { Arn: answered(read, 'Attributes', 'QueueArn'), QueueName: name, QueueUrl: url }
    }
  },

  async update({ properties, tags, deployer }, made, before) {
    const url = made.physicalId
    const [wanted, old] = [queueAttributes(properties), queueAttributes(before.properties)]
    if (!sameJson(wanted, old)) {
      await deployer.call('sqs', 'SetQueueAttributes', { QueueUrl: url, Attributes: wanted })
    }
    const gone = before.tags.map(({ Key }) => Key).filter((key) => !tags.some(({ Key }) => Key === key))
    const changed = tags.filter(
      ({ Key, Value }) => !before.tags.some((tag) => tag.Key === Key && tag.Value === Value)
    )
    if (gone.length > 0) await deployer.call('sqs', 'UntagQueue', { QueueUrl: url, TagKeys: gone })
    if (changed.length > 0) {
      await deployer.call('sqs', 'TagQueue', {
        QueueUrl: url,
        Tags: Object.fromEntries(changed.map(({ Key, Value }) => [Key, Value]))
      })
    }
    return made
  },

  async remove({ physicalId: url }, _properties, deployer) {
    const read = deployer.call('sqs', 'GetQueueAttributes', { QueueUrl: url, AttributeNames: ['QueueArn'] })
    if ((await unlessMissing(read)) === undefined) return
    await unlessMissing(deployer.call('sqs', 'DeleteQueue', { QueueUrl: url }))
  }
}

function queueAttributes(properties: JsonObject): Record<string, string> {
  return Object.fromEntries(
    attributeNames.flatMap((name) => {
      const value = properties[name]
      return value === undefined ? [] : [[name, text(value)]]
    })
  )
}
