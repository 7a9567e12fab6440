import { failureFix, progressOf } from '../../src/aws/stack-events.js'

const event = (more: object) => ({
  StackId: 'arn:stack',
  EventId: 'e',
  StackName: 'Karpenter-blue',
  Timestamp: new Date(0),
  LogicalResourceId: 'Nodes',
  PhysicalResourceId: 'nodes',
  ResourceType: 'AWS::IAM::Role',
  ...more
})

test('a resource that a hook stopped fails with what the hook says', () => {
  const { firstFailure, inProgress } = progressOf([
    event({ ResourceStatus: 'CREATE_IN_PROGRESS' }),
    event({
      ResourceStatus: 'CREATE_IN_PROGRESS',
      HookType: 'AWS::ControlTower::Hook',
      HookStatus: 'HOOK_COMPLETE_FAILED',
      HookStatusReason: '[CT.IAM.PR.1]: require a boundary'
    }),
    event({
      ResourceStatus: 'CREATE_FAILED',
      ResourceStatusReason: 'The following hook(s) failed: [AWS::ControlTower::Hook]'
    })
  ])
  expect(inProgress).toEqual([])
  expect(firstFailure?.reason).toBe(
    'The following hook(s) failed: [AWS::ControlTower::Hook] (AWS::ControlTower::Hook: [CT.IAM.PR.1]: require a boundary)'
  )
  expect(firstFailure === undefined ? '' : failureFix(firstFailure, 'install.json')).toMatch(
    /ask whoever keeps the hook/
  )
})
