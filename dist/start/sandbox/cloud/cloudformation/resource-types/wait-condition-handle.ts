import type { ResourceType } from '../handler.js'

/** AWS::CloudFormation::WaitConditionHandle: a presigned URL of CloudFormation's own, and nothing in any service. */
export const waitConditionHandle: ResourceType = {
  name: 'AWS::CloudFormation::WaitConditionHandle',
  properties: new Set(),
  required: [],
  createOnly: new Set(),
  taggable: false,
  attributes: new Set(),
  capability: () => undefined,
  create: async ({ generatedName, claim }) => {
    const physicalId = `https://cloudformation-waitcondition.s3.amazonaws.com/${generatedName(128)}`
    claim(physicalId)
    return Promise.resolve({ physicalId, attributes: {} })
  },
  update: async (_request, made) => Promise.resolve(made),
  remove: async () => Promise.resolve()
}
