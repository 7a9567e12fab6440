import { PlayedWorld } from './played-run.js'

let world: PlayedWorld
let roleArn: string

function serviceRole(name: string, service: string): string {
  const trust = {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: service } }]
  }
  const { roles } = world.cloud.iam
  const { arn } = world.cloud.iam.putRole({ name, trust, attached: [] })
  const all = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] }
  roles.set(name, { ...world.cloud.iam.role(name), inline: { all: JSON.stringify(all) } })
  return arn
}

beforeEach(async () => {
  world = await PlayedWorld.start()
  roleArn = serviceRole('stack-of-blue', 'cloudformation.amazonaws.com')
})
afterEach(async () => world.stop())

/** Writes by the stack's service role, and by the run itself. */
function writers(): { readonly stack: readonly string[]; readonly run: readonly string[] } {
  const writes = world.cloud.calls().filter(({ write, outcome }) => write && outcome === 'ok')
  const ofStack = (arn: string): boolean => arn.includes('/stack-of-blue/')
  return {
    stack: writes.filter(({ callerArn }) => ofStack(callerArn)).map(({ action }) => action),
    run: writes.filter(({ callerArn }) => !ofStack(callerArn)).map(({ action }) => action)
  }
}

const quick = { 'smoke-test': 'false' }

it('CloudFormation makes, and deletes, the policies and the node role by its service role', async () => {
  const installed = await world.main({ ...quick, 'stack-role-arn': roleArn })
  expect([installed.failed, installed.warnings]).toEqual([undefined, []])
  expect(writers().stack).toEqual(expect.arrayContaining(['CreatePolicy', 'CreateRole', 'AttachRolePolicy']))
  expect(writers().run).not.toContain('CreatePolicy')
  const check = await world.main({ mode: 'check', 'stack-role-arn': roleArn })
  expect([check.failed, check.outputs['drift'], check.outputs['pending']]).toEqual([undefined, '0', '0'])
  const again = await world.main({ ...quick, 'stack-role-arn': roleArn })
  expect(again.outputs['changed']).toBe('false')
  // CloudFormation keeps the role with the stack.
  const removed = await world.main({ mode: 'uninstall' })
  expect([removed.failed, removed.outputs['leftovers']]).toEqual([undefined, '[]'])
  expect(writers().stack).toEqual(expect.arrayContaining(['DeletePolicy', 'DeleteRole']))
  expect(writers().run).not.toContain('DeletePolicy')
})

it('what somebody changed of a policy is named and left, and nothing is called done', async () => {
  await world.main({ ...quick, 'stack-role-arn': roleArn })
  const node = world.cloud.iam.role('KarpenterNodeRole-blue')
  const [taken = '', ...rest] = node.attached
  world.cloud.iam.roles.set(node.name, { ...node, attached: rest })
  const ended = await world.main({ ...quick, 'stack-role-arn': roleArn })
  expect(ended.failed).toBeUndefined()
  expect(ended.warnings).toEqual([
    expect.stringMatching(/^IAM role KarpenterNodeRole-blue: .* It was left as it is: with `stack-role-arn`/)
  ])
  expect(ended.writes.aws).toEqual([])
  expect(world.cloud.iam.role('KarpenterNodeRole-blue').attached).not.toContain(taken)
})

it.each([
  ['is not there', (): string => 'arn:aws:iam::111122223333:role/nobody', 'there is no role'],
  [
    'CloudFormation may not take',
    (): string => serviceRole('of-ec2', 'ec2.amazonaws.com'),
    'CloudFormation may not take role'
  ]
])('a service role that %s is refused before the first write', async (_what, arn, reason) => {
  const ended = await world.main({ ...quick, 'stack-role-arn': arn() })
  expect(ended.failed).toContain('stack-role-arn: ')
  expect(ended.failed).toContain(reason)
  expect(ended.writes).toEqual({ aws: [], cluster: [] })
})
