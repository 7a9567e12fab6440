import { DetachRolePolicyCommand, IAMClient } from '@aws-sdk/client-iam'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { putPublishedBoundary } from '../sandbox/cluster/boundary.js'
import { holdPublished } from '../sandbox/cluster/deployer-policy.js'
import { newest, previous, startSandbox, type Sandbox } from '../sandbox/index.js'
import { withoutSpotRole } from './removal.js'
import { auditor, callsOf, denied, succeeded, writes } from './scenario.js'
import { everything } from './standing.js'

const trust = (Service: string) => ({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service } }]
})

describe('by install-iam-stack-role.json, and stack-role.json for CloudFormation', () => {
  let sandbox: Sandbox
  let before: readonly string[]
  let inputs: Readonly<Record<string, string>>

  const run = async (more: Readonly<Record<string, string>>): Promise<ReturnType<typeof succeeded>> => {
    sandbox.cloud.clearCalls()
    const result = succeeded(await sandbox.run({ ...inputs, ...more }))
    expect(denied(callsOf(sandbox))).toEqual([])
    return result
  }

  beforeAll(async () => {
    sandbox = await startSandbox({
      name: 'served',
      region: 'eu-west-1',
      kubernetesVersion: '1.34',
      karpenter: [previous, newest],
      runner: 'kept',
      authenticationMode: 'API',
      stackPace: 10
    })
    const boundary = await putPublishedBoundary(sandbox)
    await holdPublished(sandbox, 'stack-role-install')
    const role = sandbox.cloud.iam.putRole({
      name: 'setup-karpenter-stack-served',
      trust: trust('cloudformation.amazonaws.com'),
      attached: []
    })
    await holdPublished(sandbox, 'stack-role', role.name)
    before = await everything(sandbox)
    inputs = {
      'controller-identity': 'irsa',
      'permissions-boundary': boundary,
      'stack-role-arn': role.arn,
      'smoke-test': 'false'
    }
  })
  afterAll(async () => sandbox.stop())

  test('a role that CloudFormation may not take is refused before the first write', async () => {
    const other = sandbox.cloud.iam.putRole({
      name: 'other',
      trust: trust('ec2.amazonaws.com'),
      attached: []
    })
    sandbox.cloud.clearCalls()
    const result = await sandbox.run({ ...inputs, 'stack-role-arn': other.arn })
    expect(result.exitCode).toBe(1)
    expect(writes(callsOf(sandbox))).toEqual([])
  })

  test.each([previous, newest])(
    '%s is installed, and the run writes no policy and no node role',
    async (version) => {
      await run({ 'karpenter-version': version })
      const own = writes(callsOf(sandbox)).map((call) => JSON.stringify(call))
      expect(own.filter((call) => /CreatePolicy|KarpenterNodeRole-served/.test(call))).toEqual([])
    }
  )

  test('what somebody takes off the node role is named and left', async () => {
    const RoleName = 'KarpenterNodeRole-served'
    const [PolicyArn] = sandbox.cloud.iam.role(RoleName).attached
    await new IAMClient(auditor(sandbox)).send(new DetachRolePolicyCommand({ RoleName, PolicyArn }))
    const result = await run({ 'karpenter-version': newest })
    expect(result.log).toContain('It was left as it is: with `stack-role-arn`')
    expect(sandbox.cloud.iam.role(RoleName).attached).not.toContain(PolicyArn)
  })

  test('uninstall.json takes it all away, by the role that the stack has', async () => {
    await holdPublished(sandbox, 'uninstall')
    succeeded(await sandbox.run({ mode: 'uninstall', 'remove-crds': 'true', 'remove-oidc-provider': 'true' }))
    const left = withoutSpotRole(await everything(sandbox))
    expect(left.filter((one) => !before.includes(one))).toEqual([])
  })
})
