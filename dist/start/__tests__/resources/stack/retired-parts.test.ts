import { AttachRolePolicyCommand, CreatePolicyCommand } from '@aws-sdk/client-iam'
import { readRoleWithPolicies } from '../../../src/aws/iam-role.js'
import { readStack } from '../../../src/aws/stack-operation.js'
import { renderTemplate } from '../../../src/karpenter/rendered-stack.js'
import { widenedTemplate } from '../../../src/karpenter/widened-template.js'
import { retiredParts } from '../../../src/resources/stack/retired-parts.js'
import type { StackWanted } from '../../../src/resources/stack/stack-differences.js'
import { stack, type Widen } from '../../../src/resources/stack/stack.js'
import { account } from '../../aws/stand-in.js'
import { startAccount, type TestAccount } from '../account.js'
import { inspect, install, ownership } from '../walk-one.js'

const settings = { clusterName: 'blue', stackName: 'Karpenter-blue', account }
const widen: Widen = (target, live) => widenedTemplate(target, live, settings)
const arn = (name: string): string => `arn:aws:iam::${account.id}:policy/${name}-blue`
const aws = (name: string): string => `arn:aws:iam::aws:policy/${name}`

const policy = (name: string, ...actions: readonly string[]) => ({
  Type: 'AWS::IAM::ManagedPolicy',
  Properties: {
    ManagedPolicyName: `${name}-blue`,
    PolicyDocument: {
      Version: '2012-10-17',
      Statement: [{ Sid: 'Own', Effect: 'Allow', Action: actions, Resource: '*' }]
    }
  }
})
const nodeRole = (registry: string) => ({
  Type: 'AWS::IAM::Role',
  Properties: {
    RoleName: 'KarpenterNodeRole-blue',
    AssumeRolePolicyDocument: {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' }]
    },
    ManagedPolicyArns: [aws(registry)]
  }
})
/** Of a version whose permissions are one policy, and of one where they are two. */
const [older, newer] = [
  {
    KarpenterNodeRole: nodeRole('AmazonEC2ContainerRegistryReadOnly'),
    Discovery: policy('KarpenterControllerDiscovery', 'ec2:DescribeImages', 'ec2:DescribeAvailabilityZones'),
    KarpenterControllerPolicy: policy('KarpenterControllerPolicy', 'ec2:RunInstances')
  },
  {
    KarpenterNodeRole: nodeRole('AmazonEC2ContainerRegistryPullOnly'),
    Discovery: policy('KarpenterControllerDiscovery', 'ec2:DescribeImages'),
    Launch: policy('KarpenterControllerLaunch', 'ec2:RunInstances')
  }
].map((Resources) => JSON.stringify({ Resources }))

let home: TestAccount
beforeEach(async () => {
  home = await startAccount()
  home.cloud.iam.putRole({ name: 'blue-karpenter', trust: { Version: '2012-10-17', Statement: [] } })
})
afterEach(async () => home.close())

function wantedOf(template = ''): StackWanted {
  const { names, parameters, capabilities } = renderTemplate(template, settings)
  const tags = { 'setup-karpenter:owner': 'blue' }
  return {
    clusterName: 'blue',
    name: 'Karpenter-blue',
    template,
    resources: names,
    parameters,
    tags,
    capabilities
  }
}

function of(template = '') {
  const wanted = wantedOf(template)
  return {
    stack: stack(wanted, { aws: home.aws, ownership, widen }),
    retired: retiredParts(
      { roleName: 'blue-karpenter', policyArns: [arn('KarpenterControllerPolicy')], template },
      {
        aws: home.aws,
        ownership,
        stack: wanted,
        widen,
        attached: async () => (await readRoleWithPolicies(home.aws, 'blue-karpenter')).attached,
        liveStack: async () => readStack(home.aws, 'Karpenter-blue'),
        dependsOn: []
      }
    )
  }
}

async function attach(roleName: string, name: string): Promise<void> {
  const iam = await home.aws.iam()
  await iam.send(new AttachRolePolicyCommand({ RoleName: roleName, PolicyArn: arn(name) }))
}

/** The older version as it is installed. */
async function standing(): Promise<void> {
  await install(of(older).stack)
  await attach('blue-karpenter', 'KarpenterControllerPolicy')
}

const policies = (): readonly string[] =>
  home.cloud.iam.policies
    .values()
    .map(({ name }) => name)
    .filter((name) => name.startsWith('KarpenterController'))
    .toSorted()
const discovery = (): string =>
  home.cloud.iam.policy(arn('KarpenterControllerDiscovery')).versions.find(({ isDefault }) => isDefault)
    ?.document ?? ''

describe('What a stack of another version has left', () => {
  it('stays while the stack is brought to the newer one', async () => {
    await standing()
    const { before, after } = await install(of(newer).stack)
    expect(before.state).toBe('differs')
    expect(after.state).toBe('as wanted')
    expect(policies()).toEqual(
      ['Discovery', 'Launch', 'Policy'].map((name) => `KarpenterController${name}-blue`)
    )
    expect(discovery()).toContain('ec2:DescribeAvailabilityZones')
    expect([...home.cloud.iam.role('KarpenterNodeRole-blue').attached].sort()).toEqual([
      aws('AmazonEC2ContainerRegistryPullOnly'),
      aws('AmazonEC2ContainerRegistryReadOnly')
    ])
  })

  it('is known before the stack is changed, and goes afterwards', async () => {
    await standing()
    const { stack: itself, retired } = of(newer)
    const before = await inspect(retired)
    expect(before.differences.map(({ path }) => path)).toEqual([
      'policies.KarpenterControllerPolicy-blue',
      'template.Discovery',
      'template.KarpenterControllerPolicy',
      'template.KarpenterNodeRole'
    ])
    await install(itself)
    const { after, step } = await install(retired)
    expect(after.state).toBe('as wanted')
    expect(step.warnings).toEqual([])
    expect(policies()).toEqual(['KarpenterControllerDiscovery-blue', 'KarpenterControllerLaunch-blue'])
    expect(discovery()).not.toContain('ec2:DescribeAvailabilityZones')
    expect(home.cloud.iam.role('KarpenterNodeRole-blue').attached).toEqual([
      aws('AmazonEC2ContainerRegistryPullOnly')
    ])
    home.cloud.clearCalls()
    expect((await install(of(newer).stack)).after.state).toBe('as wanted')
    expect((await install(of(newer).retired)).after.state).toBe('as wanted')
    expect(home.cloud.calls().filter(({ write }) => write)).toEqual([])
  })

  it('goes on going where a run was killed after the detachment', async () => {
    await standing()
    await install(of(newer).stack)
    const attached = home.cloud.iam.role('blue-karpenter')
    home.cloud.iam.roles.set('blue-karpenter', { ...attached, attached: [] })
    const { after } = await install(of(newer).retired)
    expect(after.state).toBe('as wanted')
    expect(policies()).not.toContain('KarpenterControllerPolicy-blue')
  })

  it('is said to stay where somebody else uses it', async () => {
    await standing()
    home.cloud.iam.putRole({ name: 'other', trust: { Version: '2012-10-17', Statement: [] } })
    await attach('other', 'KarpenterControllerPolicy')
    await install(of(newer).stack)
    const { after, step } = await install(of(newer).retired)
    expect(after.state).toBe('as wanted')
    expect(step.warnings).toEqual([
      expect.stringMatching(
        /KarpenterControllerPolicy-blue of another version could not be deleted, stays, and is no longer part of stack Karpenter-blue: .*attached/
      )
    ])
    expect(policies()).toContain('KarpenterControllerPolicy-blue')
  })

  it('is only detached where an earlier update has left it outside the stack', async () => {
    const iam = await home.aws.iam()
    await install(of(newer).stack)
    await iam.send(
      new CreatePolicyCommand({
        PolicyName: 'KarpenterControllerPolicy-blue',
        PolicyDocument: JSON.stringify({
          Version: '2012-10-17',
          Statement: [{ Effect: 'Allow', Action: 'ec2:RunInstances', Resource: '*' }]
        })
      })
    )
    await attach('blue-karpenter', 'KarpenterControllerPolicy')
    const { after, step } = await install(of(newer).retired)
    expect(after.state).toBe('as wanted')
    expect(step.notes).toEqual([
      `KarpenterControllerPolicy-blue is no part of stack Karpenter-blue, so it stays: aws iam delete-policy --policy-arn ${arn('KarpenterControllerPolicy')}`
    ])
    expect(home.cloud.iam.role('blue-karpenter').attached).toEqual([])
  })

  it('is nothing where there is no stack and no role', async () => {
    home.cloud.iam.roles.delete('blue-karpenter')
    expect((await inspect(of(newer).retired)).state).toBe('as wanted')
  })
})
