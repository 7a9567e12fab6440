import { stringList, text, unlessMissing } from '../handler.js'
import type { ResourceType } from '../handler.js'

/** AWS::SQS::QueuePolicy: one policy on each of the queues. */
export const queuePolicy: ResourceType = {
  name: 'AWS::SQS::QueuePolicy',
  properties: new Set(['PolicyDocument', 'Queues']),
  required: ['PolicyDocument', 'Queues'],
  createOnly: new Set(),
  taggable: false,
  attributes: new Set(['Id']),
  capability: () => undefined,

  async create({ properties, deployer, generatedName, claim }) {
    const id = generatedName(128)
    for (const url of stringList(properties['Queues'])) {
      await deployer.call('sqs', 'SetQueueAttributes', {
        QueueUrl: url,
        Attributes: { Policy: text(properties['PolicyDocument'] ?? {}) }
      })
      claim(id)
    }
    return { physicalId: id, attributes: { Id: id } }
  },

  async update({ properties, deployer }, made, before) {
    const queues = stringList(properties['Queues'])
    for (const url of queues) {
      await deployer.call('sqs', 'SetQueueAttributes', {
        QueueUrl: url,
        Attributes: { Policy: text(properties['PolicyDocument'] ?? {}) }
      })
    }
    for (const url of stringList(before.properties['Queues']).filter((old) => !queues.includes(old))) {
      await unlessMissing(
        deployer.call('sqs', 'SetQueueAttributes', { QueueUrl: url, Attributes: { Policy: '' } })
      )
    }
    return made
  },

  async remove(_made, properties, deployer) {
    for (const url of stringList(properties['Queues'])) {
      await unlessMissing(
        deployer.call('sqs', 'SetQueueAttributes', { QueueUrl: url, Attributes: { Policy: '' } })
      )
    }
  }
}
