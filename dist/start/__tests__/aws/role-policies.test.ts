import { AttachRolePolicyCommand, CreatePolicyCommand } from '@aws-sdk/client-iam'
import { attachedPolicies } from '../../src/aws/iam-role.js'
import { rolePolicies } from '../../src/aws/role-policies.js'
import { startAccount, type TestAccount } from '../resources/account.js'
import { recordedStep } from './stand-in.js'

const roleName = 'blue-karpenter'
const arn = (name: string): string => `arn:aws:iam::111122223333:policy/${name}`
const document = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: 's3:GetObject', Resource: '*' }]
})

let home: TestAccount
beforeEach(async () => {
  home = await startAccount()
  home.cloud.iam.putRole({ name: roleName, trust: { Version: '2012-10-17', Statement: [] } })
})
afterEach(async () => home.close())

/** Exchanges the first of so many policies for a new one; the calls that were made, in order. */
async function exchanged(count: number): Promise<readonly string[]> {
  const iam = await home.aws.iam()
  const names = Array.from({ length: count }, (_one, index) => `own-${index}`)
  for (const PolicyName of [...names, 'new'])
    await iam.send(new CreatePolicyCommand({ PolicyName, PolicyDocument: document }))
  for (const name of names)
    await iam.send(new AttachRolePolicyCommand({ RoleName: roleName, PolicyArn: arn(name) }))
  home.cloud.clearCalls()
  await rolePolicies(home.aws, { roleName, title: 'Policies' }, () => undefined).exchange(
    { attached: names.map(arn), attach: [arn('new')], detach: [arn('own-0')] },
    'Make it.',
    recordedStep()
  )
  const calls = home.cloud.calls().map(({ action }) => action)
  expect([...(await attachedPolicies(home.aws, roleName))].sort()).toEqual(
    ['new', ...names.slice(1)].map(arn).toSorted()
  )
  return calls
}

describe('Policies of a role that are exchanged', () => {
  it('are attached before others are detached', async () => {
    expect(await exchanged(3)).toEqual(['AttachRolePolicy', 'DetachRolePolicy'])
  })

  it('make room first where the role has as many as IAM allows', async () => {
    expect(await exchanged(10)).toEqual(['DetachRolePolicy', 'AttachRolePolicy'])
  })
})
