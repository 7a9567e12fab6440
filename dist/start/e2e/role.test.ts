import { CloudFormationClient, DeleteStackCommand, type Stack } from '@aws-sdk/client-cloudformation'
import {
  CreatePolicyVersionCommand,
  DetachRolePolicyCommand,
  GetPolicyCommand,
  IAMClient,
  UpdateAssumeRolePolicyCommand
} from '@aws-sdk/client-iam'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { newest, startSandbox, type Sandbox } from '../sandbox/index.js'
import { errorOf } from './failed-run.js'
import { deployRole, deployTemplate, reviewed, roleStack } from './made-role.js'
import { byReadme, workflowOfReadme } from './readme-command.js'
import { auditor, denied, succeeded, until, writes } from './scenario.js'

describe('the role that docs/permissions/role.yaml makes, by the words of the README files alone', () => {
  let sandbox: Sandbox
  let admin: CloudFormationClient
  let iam: IAMClient
  let github: string

  const stackOf = async (name: string): Promise<Stack | undefined> => roleStack(admin, name)
  const deploy = async (
    name: string,
    parameters: Readonly<Record<string, string>>
  ): Promise<Readonly<Record<string, string>>> => deployRole(sandbox, admin, name, parameters)
  const callsBy = (role: string) =>
    sandbox.cloud.calls().filter(({ callerArn }) => callerArn.includes(`:assumed-role/${role}/`))

  beforeAll(async () => {
    sandbox = await startSandbox({
      name: 'made',
      region: 'eu-west-1',
      kubernetesVersion: '1.35',
      runner: 'kept',
      authenticationMode: 'API',
      stackPace: 10
    })
    const keys = auditor(sandbox)
    admin = new CloudFormationClient(keys)
    iam = new IAMClient(keys)
    github = `arn:aws:iam::${sandbox.accountId}:oidc-provider/token.actions.githubusercontent.com`
  })
  afterAll(async () => sandbox.stop())

  let inputs: Readonly<Record<string, string>>

  test('installs, in an account that knew GitHub not yet, by a job of the environment', async () => {
    sandbox.cloud.iam.oidcProviders.delete(sandbox.cloud.iam.oidcProvider(github).arn)
    const { stackName, parameters } = await byReadme(sandbox)
    expect(stackName).toBe('role-of-made')
    const made = await deployTemplate(admin, stackName, parameters)
    expect(made).toEqual({
      RoleArn: `arn:aws:iam::${sandbox.accountId}:role/setup-karpenter-made`,
      PermissionsBoundary: `arn:aws:iam::${sandbox.accountId}:policy/setup-karpenter-boundary-made`
    })
    const job = workflowOfReadme()
    expect(job.environment).toBe(reviewed.run.environment)
    expect(job.inputs).toEqual(['cluster-name', 'region', 'role-to-assume', 'permissions-boundary'])
    inputs = {
      'karpenter-version': newest,
      'smoke-test-replicas': '1',
      'role-to-assume': made['RoleArn'] ?? '',
      'permissions-boundary': made['PermissionsBoundary'] ?? ''
    }
    const unbounded = Object.fromEntries(
      Object.entries(inputs).filter(([name]) => name !== 'permissions-boundary')
    )
    sandbox.cloud.clearCalls()
    expect(errorOf(await sandbox.run(unbounded, reviewed))).toContain('pass it as `permissions-boundary`')
    expect(writes(callsBy('setup-karpenter-made'))).toEqual([])
    sandbox.cloud.clearCalls()
    succeeded(await sandbox.run(inputs, reviewed))
    expect(callsBy('setup-karpenter-made').length).toBeGreaterThan(20)
    expect(denied(callsBy('setup-karpenter-made'))).toEqual([])
    expect(sandbox.cloud.iam.role('made-karpenter').boundary).toBe(made['PermissionsBoundary'])
  })

  test('puts right what somebody changed while IAM follows late, for writes too, and shows old answers after new ones', async () => {
    const RoleName = 'made-karpenter'
    const { trust, attached } = sandbox.cloud.iam.role(RoleName)
    const [taken = '', edited = ''] = attached
    const theirs = (more: object): string =>
      JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', ...more }] })
    const root = { AWS: `arn:aws:iam::${sandbox.accountId}:root` }
    await iam.send(new DetachRolePolicyCommand({ RoleName, PolicyArn: taken }))
    const trusting = theirs({ Principal: root, Action: 'sts:AssumeRole' })
    await iam.send(new UpdateAssumeRolePolicyCommand({ RoleName, PolicyDocument: trusting }))
    const PolicyDocument = theirs({ Action: 's3:GetObject', Resource: '*' })
    const { PolicyVersion } = await iam.send(
      new CreatePolicyVersionCommand({ PolicyArn: edited, PolicyDocument, SetAsDefault: true })
    )
    const late = { kind: 'lag', milliseconds: 1_500, writes: true } as const
    sandbox.cloud.setFaults([{ service: 'iam', effect: late }])
    // No run can know of what IAM shows to nobody yet.
    await until('the last change of theirs to be shown', async () => {
      const { Policy } = await iam.send(new GetPolicyCommand({ PolicyArn: edited }))
      return Policy?.DefaultVersionId === PolicyVersion?.VersionId ? true : undefined
    })
    sandbox.cloud.setFaults([{ service: 'iam', effect: { ...late, flickers: true } }])
    const result = await sandbox.run({ ...inputs, 'smoke-test': 'false' }, reviewed)
    sandbox.cloud.setFaults([])
    succeeded(result)
    expect([...sandbox.cloud.iam.role(RoleName).attached].sort()).toEqual([...attached].sort())
    expect(JSON.parse(sandbox.cloud.iam.role(RoleName).trust)).toEqual(JSON.parse(trust))
    expect(result.log).toContain(`put IAM policy ${edited.slice(edited.lastIndexOf('/') + 1)} back`)
  })

  test('is not for a job of the branch alone, nor for one of another environment', async () => {
    for (const run of [{ subject: 'immutable' }, { subject: 'immutable', environment: 'other' }] as const) {
      expect(errorOf(await sandbox.run(inputs, { run }))).toContain('role-to-assume')
    }
  })

  test('the one for checks goes by the branch, and reads all that a check reads', async () => {
    const made = await deploy('check-of-made', { Mode: 'check', GitHubProvider: 'existing' })
    expect(made).toEqual({ RoleArn: `arn:aws:iam::${sandbox.accountId}:role/check-karpenter-made` })
    sandbox.cloud.clearCalls()
    const check = { ...inputs, mode: 'check', 'role-to-assume': made['RoleArn'] ?? '' }
    const result = succeeded(await sandbox.run(check, { run: { subject: 'immutable' } }))
    expect(result.outputs).toMatchObject({ drift: '0', unknown: '0' })
    expect(denied(callsBy('check-karpenter-made'))).toEqual([])
    expect(writes(callsBy('check-karpenter-made'))).toEqual([])
    expect(
      errorOf(await sandbox.run({ ...check, mode: 'install' }, { run: { subject: 'immutable' } }))
    ).toContain('may not patch')
  })

  test('uninstalls, and the stacks take the roles away, but not the provider that others may use', async () => {
    const { stackName, parameters } = await byReadme(sandbox, 'uninstall')
    const made = await deployTemplate(admin, stackName, parameters)
    sandbox.cloud.clearCalls()
    const result = succeeded(
      await sandbox.run(
        {
          mode: 'uninstall',
          'role-to-assume': made['RoleArn'] ?? '',
          'remove-crds': 'true',
          'remove-oidc-provider': 'true',
          timeout: '5m'
        },
        reviewed
      )
    )
    expect(result.outputs['leftovers']).toBe('[]')
    expect(denied(callsBy('remove-karpenter-made'))).toEqual([])
    for (const name of [stackName, 'role-of-made', 'check-of-made']) {
      const StackId = (await stackOf(name))?.StackId ?? ''
      await admin.send(new DeleteStackCommand({ StackName: name }))
      await until(`stack ${name} to go`, async () =>
        (await stackOf(StackId))?.StackStatus === 'DELETE_COMPLETE' ? true : undefined
      )
    }
    expect(sandbox.cloud.iam.roles.get('setup-karpenter-made')).toBeUndefined()
    expect(
      sandbox.cloud.iam.policies
        .values()
        .map(({ name }) => name)
        .filter((name) => name.startsWith('setup-karpenter'))
    ).toEqual([])
    expect(sandbox.cloud.iam.oidcProvider(github).clientIds).toEqual(['sts.amazonaws.com'])
  })
})
