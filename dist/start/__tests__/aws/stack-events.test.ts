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

const denied = (reason: string, type = 'AWS::IAM::Role'): string =>
  failureFix(
    { logicalId: 'X', type, physicalId: 'x', reason, at: undefined },
    'docs/permissions/install.json'
  )

test.each([
  [
    'because no identity-based policy allows the iam:CreateRole action',
    /^Pass `permissions-boundary`.*Add iam:CreateRole to the policy of the run's role/
  ],
  [
    'with an explicit deny in a service control policy: arn:aws:organizations::1:policy/o-a/service_control_policy/p-b',
    /^Allow iam:CreateRole where it is denied: an explicit deny in a service control policy: arn:aws:organizations::1:policy\/o-a\/service_control_policy\/p-b\. Another/
  ],
  [
    'because no session policy allows the iam:CreateRole action',
    /^Allow iam:CreateRole where it is denied: no session/
  ]
])('a resource that was denied %s', (cause, fix) => {
  expect(
    denied(
      `User: arn:aws:sts::1:assumed-role/deployer/run is not authorized to perform: iam:CreateRole on resource: arn:aws:iam::1:role/x ${cause} (Service: Iam, Status Code: 403, Request ID: 1)`
    )
  ).toMatch(fix)
})

test("SQS's denial without an action is one all the same, and says whose policy lacks what", () => {
  expect(
    denied('Access to the resource https://sqs.eu-west-1.amazonaws.com/ is denied.', 'AWS::SQS::Queue')
  ).toBe(
    "Give the run's role what CloudFormation calls for AWS::SQS::Queue, which AWS does not name here; every statement that is needed is in docs/permissions/install.json. Then run again."
  )
})
