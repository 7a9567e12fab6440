import { missing } from '../../../src/engine/difference.js'
import { resource } from '../../../src/engine/resource.js'
import { stack } from '../../../src/resources/stack/stack.js'
import type { StackPart } from '../../../src/resources/stack/stack-change.js'
import { awsWith } from '../../aws/stand-in.js'
import { cloudformation } from './cloudformation.js'
import { install, ownership } from '../walk-one.js'

const tags = { 'setup-karpenter:owner': 'blue' }
const wanted = {
  clusterName: 'blue',
  name: 'Karpenter-blue',
  template: 'Resources: { Rule: { Type: AWS::Events::Rule }, Queue: { Type: AWS::SQS::Queue } }',
  resources: {},
  parameters: {},
  tags,
  capabilities: []
}

/** A part of the stack that is gone, and is made by its own resource. */
function gone(logicalId: string): StackPart {
  const own = resource<string, string>(
    {
      id: logicalId,
      layer: 'cloudformation',
      title: logicalId,
      dependsOn: ['stack'],
      wanted: logicalId,
      read: async () => ({ state: 'absent' }),
      compare: () => [],
      absent: () => [missing(logicalId, logicalId)],
      apply: async (_live, _differences, step) => step.changed(`made ${logicalId} again`),
      sign: { by: 'record' },
      remove: async () => ({ outcome: 'absent' })
    },
    (value) => typeof value === 'string'
  )
  return { resource: own, logicalId, isIn: (ids) => ids.has(logicalId) }
}

describe('An update of the CloudFormation stack', () => {
  it('has what somebody deleted of it made again before, and nothing that it has yet to make', async () => {
    const state = {
      status: 'CREATE_COMPLETE',
      template: 'Resources: { Rule: { Type: AWS::Events::Rule } }',
      tags,
      resources: ['Rule']
    }
    const { aws, server, close } = await awsWith(cloudformation(state))
    const parts = [gone('Rule'), gone('Queue')]
    const { step } = await install(stack(wanted, { aws, ownership, parts }))
    expect(step.lines).toEqual([
      'made Rule again',
      expect.stringMatching(/^updated CloudFormation stack Karpenter-blue/)
    ])
    expect(server.calls).toContain('ExecuteChangeSet')
    await close()
  })
})
