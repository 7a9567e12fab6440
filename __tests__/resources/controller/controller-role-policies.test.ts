import { AttachRolePolicyCommand, PutRolePolicyCommand } from '@aws-sdk/client-iam'
import {
  controllerRolePolicies,
  type ControllerRolePoliciesWanted
} from '../../../src/resources/controller/controller-role-policies.js'
import { recordedStep } from '../../aws/stand-in.js'
import { startAccount, type TestAccount } from '../account.js'
import { inspect, install, ofStack } from '../walk-one.js'

const trust = { Version: '2012-10-17', Statement: [] }
const document = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: 's3:*', Resource: '*' }]
})
const aws = (name: string): string => `arn:aws:iam::aws:policy/${name}`
const [stack, own, foreign, old] = [
  aws('AmazonEKSWorkerNodePolicy'),
  aws('AmazonEKS_CNI_Policy'),
  aws('AdministratorAccess'),
  aws('AmazonSSMManagedInstanceCore')
]
const wanted: ControllerRolePoliciesWanted = {
  clusterName: 'blue',
  roleName: 'blue-karpenter',
  policyArns: [stack],
  retiredPolicyArns: [old],
  furtherPolicyArns: [own]
}

let home: TestAccount
let kept: Record<string, string>
beforeEach(async () => {
  home = await startAccount()
  kept = {}
})
afterEach(async () => home.close())

const theirs = (want = wanted) =>
  controllerRolePolicies(want, { aws: home.aws, keep: (name, text) => void (kept[name] = text) })
const attached = () => home.cloud.iam.role('blue-karpenter').attached

async function make(owner: string, ...policies: readonly string[]): Promise<void> {
  const RoleName = 'blue-karpenter'
  home.cloud.iam.putRole({ name: RoleName, trust, tags: { 'setup-karpenter:owner': owner } })
  const iam = await home.aws.iam()
  for (const PolicyArn of policies) await iam.send(new AttachRolePolicyCommand({ RoleName, PolicyArn }))
  await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: 'debug', PolicyDocument: document }))
  home.cloud.clearCalls()
}

describe('Policies of a controller role', () => {
  it('that is ours are those of the stack and those that the user names; others go, texts kept, but for other versions’', async () => {
    await make('blue', stack, foreign, old)
    const { before, after } = await install(theirs())
    expect(before.differences.map(({ path, severity }) => [path, severity])).toEqual([
      ['policies.AmazonEKS_CNI_Policy', 'breaks scaling'],
      ['furtherPolicies.AdministratorAccess', 'weakens security'],
      ['inline.debug', 'weakens security']
    ])
    expect(after.state).toBe('as wanted')
    expect(attached()).toEqual([stack, old, own])
    expect(kept).toEqual({ 'inline policy debug of role blue-karpenter': document })
    home.cloud.clearCalls()
    await install(theirs())
    expect(home.cloud.calls().filter(({ write }) => write)).toEqual([])
  })

  it('that were attached are waited for until IAM shows them, after the write; others not at all', async () => {
    await make('blue', stack)
    const inspection = await inspect(theirs())
    const step = recordedStep()
    await inspection.apply(step)
    home.cloud.clearCalls()
    await inspection.settle(step)
    expect(home.cloud.calls().map(({ action }) => action)).toEqual(['ListAttachedRolePolicies'])
    const settled = await inspect(theirs())
    home.cloud.clearCalls()
    await settled.settle(step)
    expect(home.cloud.calls()).toEqual([])
  })

  it('that is not ours by its tag stay', async () => {
    await make('green', stack, foreign, old)
    const { after, step } = await install(theirs())
    expect(after.state).toBe('as wanted')
    expect(attached()).toEqual([stack, foreign, old, own])
    expect(step.notes).toEqual(["left alone: AdministratorAccess, not of Karpenter's stack"])
    expect(kept).toEqual({})
  })

  it('are compared with what an older version recorded, which knew of none besides', async () => {
    await make('blue', stack, own)
    const inspection = await inspect(theirs())
    const { clusterName, roleName, policyArns, retiredPolicyArns } = wanted
    expect(
      inspection.against({ clusterName, roleName, policyArns, retiredPolicyArns }).map(({ path }) => path)
    ).toEqual(['furtherPolicies.AmazonEKS_CNI_Policy', 'inline.debug'])
  })

  it('leave the role in a removal as far as they are the stack’s', async () => {
    await make('green', stack, own, old)
    expect((await inspect(theirs())).present).toEqual([
      'AmazonEKSWorkerNodePolicy',
      'AmazonSSMManagedInstanceCore'
    ])
    expect(await theirs().remove(recordedStep(), ofStack())).toEqual({ outcome: 'removed' })
    expect(attached()).toEqual([own])
    expect((await inspect(theirs())).present).toEqual([])
  })
})
