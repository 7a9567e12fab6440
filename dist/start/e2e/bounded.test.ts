import { EC2Client, DescribeSubnetsCommand, TerminateInstancesCommand } from '@aws-sdk/client-ec2'
import {
  AttachRolePolicyCommand,
  CreatePolicyCommand,
  CreatePolicyVersionCommand,
  CreateRoleCommand,
  DeletePolicyCommand,
  DeleteRolePermissionsBoundaryCommand,
  DetachRolePolicyCommand,
  IAMClient,
  PutRolePermissionsBoundaryCommand,
  PutRolePolicyCommand,
  UpdateAssumeRolePolicyCommand
} from '@aws-sdk/client-iam'
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { AskedQuestion } from '../sandbox/cloud/service.js'
import { putPublishedBoundary } from '../sandbox/cluster/boundary.js'
import {
  deployerFacts,
  hold,
  holdPublished,
  publishedStatements,
  type Statement
} from '../sandbox/cluster/deployer-policy.js'
import { publishedPolicy } from '../sandbox/cluster/deployer.js'
import { newest, oldest, startSandbox, type Sandbox } from '../sandbox/index.js'
import { list, record } from '../sandbox/values.js'
import { idleActions, required } from './deployer-policy.js'
import { errorOf } from './failed-run.js'
import { withoutSpotRole } from './removal.js'
import { auditor, callsOf, denied, launchedByKarpenter, succeeded, writes } from './scenario.js'
import { everything } from './standing.js'

const administrator = 'arn:aws:iam::aws:policy/AdministratorAccess'
const everyAction = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }]
})

/** What AWS refuses for want of a permission; any other end is an error. */
async function refused(call: Promise<unknown>): Promise<boolean> {
  return call.then(
    () => false,
    (error: unknown) => {
      if (error instanceof Error && /^(AccessDenied|UnauthorizedOperation)/.test(error.name)) return true
      throw error
    }
  )
}

describe('by install.json, install-iam-bounded.json and boundary.json', () => {
  let sandbox: Sandbox
  let boundary: string
  let before: readonly string[]
  let statements: readonly Statement[]
  const asked: AskedQuestion[] = []
  let inputs: Readonly<Record<string, string>>

  const controllerRole = 'guarded-karpenter'
  const nodeRole = 'KarpenterNodeRole-guarded'
  const asDeployer = () => {
    const session = sandbox.cloud.credentialsFor(sandbox.deployerRoleArn, 3600)
    return { region: sandbox.region, endpoint: sandbox.cloud.url, credentials: { ...session } }
  }
  const boundaries = (): readonly unknown[] =>
    [controllerRole, nodeRole].map((name) => sandbox.cloud.iam.role(name).boundary)
  const run = async (more: Readonly<Record<string, string>>): Promise<ReturnType<typeof succeeded>> => {
    sandbox.cloud.clearCalls()
    const result = succeeded(await sandbox.run({ ...inputs, ...more }))
    expect(denied(callsOf(sandbox))).toEqual([])
    asked.push(...callsOf(sandbox).flatMap((call) => call.asked))
    return result
  }

  beforeAll(async () => {
    sandbox = await startSandbox({
      name: 'guarded',
      region: 'eu-west-1',
      kubernetesVersion: '1.32',
      karpenter: [oldest, newest],
      runner: 'kept',
      authenticationMode: 'API',
      stackPace: 10
    })
    before = await everything(sandbox)
    boundary = await putPublishedBoundary(sandbox)
    statements = await publishedStatements(sandbox, 'bounded-install')
    hold(sandbox, statements)
    inputs = { 'controller-identity': 'irsa', 'permissions-boundary': boundary, 'smoke-test-replicas': '1' }
  })
  afterAll(async () => sandbox.stop())

  test.each([
    ['BoundedRoles', 'iam:CreateRole'],
    ['ControllerRolePolicies', 'iam:AttachRolePolicy'],
    ['NodeRolePolicies', 'iam:AttachRolePolicy']
  ])('without %s an installation is refused %s before it writes', async (lacking, missing) => {
    hold(
      sandbox,
      statements.filter(({ Sid }) => Sid !== lacking)
    )
    sandbox.cloud.clearCalls()
    const error = errorOf(await sandbox.run({ ...inputs, 'karpenter-version': oldest }))
    hold(sandbox, statements)
    expect(error).toContain(missing)
    expect(writes(callsOf(sandbox))).toEqual([])
  })

  test.each([oldest, newest])('%s is installed, and scales within the boundary', async (version) => {
    await run({ 'karpenter-version': version })
    expect(boundaries()).toEqual([boundary, boundary])
    expect((await launchedByKarpenter(sandbox)).length).toBeGreaterThan(0)
    const byKarpenter = sandbox.cloud
      .calls()
      .filter(({ callerArn }) => callerArn.includes(`:assumed-role/${controllerRole}/`))
    expect(byKarpenter.length).toBeGreaterThan(0)
    expect(denied(byKarpenter)).toEqual([])
  })

  test('the role makes no role without the boundary, and takes none off', async () => {
    const iam = new IAMClient(asDeployer())
    const role = { AssumeRolePolicyDocument: everyAction, PermissionsBoundary: boundary }
    const tried = {
      'a role without boundary': new CreateRoleCommand({
        ...role,
        RoleName: nodeRole,
        PermissionsBoundary: undefined
      }),
      'a role with another one': new CreateRoleCommand({
        ...role,
        RoleName: controllerRole,
        PermissionsBoundary: administrator
      }),
      'a role of another name': new CreateRoleCommand({ ...role, RoleName: 'mine' })
    }
    for (const [what, command] of Object.entries(tried)) {
      expect({ what, refused: await refused(iam.send(command)) }).toEqual({ what, refused: true })
    }
    for (const RoleName of [controllerRole, nodeRole]) {
      const PermissionsBoundary = administrator
      expect(await refused(iam.send(new DeleteRolePermissionsBoundaryCommand({ RoleName })))).toBe(true)
      expect(
        await refused(iam.send(new PutRolePermissionsBoundaryCommand({ RoleName, PermissionsBoundary })))
      ).toBe(true)
    }
    expect(boundaries()).toEqual([boundary, boundary])
  })

  test('the role writes no boundary, gives itself nothing, and attaches no policy but those of Karpenter', async () => {
    const iam = new IAMClient(asDeployer())
    const PolicyDocument = everyAction
    const tried = [
      iam.send(new CreatePolicyVersionCommand({ PolicyArn: boundary, PolicyDocument, SetAsDefault: true })),
      iam.send(new DeletePolicyCommand({ PolicyArn: boundary })),
      iam.send(new AttachRolePolicyCommand({ RoleName: controllerRole, PolicyArn: administrator })),
      iam.send(new AttachRolePolicyCommand({ RoleName: nodeRole, PolicyArn: administrator })),
      iam.send(new AttachRolePolicyCommand({ RoleName: 'karpenter-deployer', PolicyArn: administrator })),
      iam.send(new PutRolePolicyCommand({ RoleName: controllerRole, PolicyName: 'all', PolicyDocument })),
      iam.send(new UpdateAssumeRolePolicyCommand({ RoleName: 'auditor', PolicyDocument }))
    ]
    expect(await Promise.all(tried.map(refused))).toEqual(tried.map(() => true))
  })

  test('with a policy of its own making on the controller role it can do what Karpenter can, and no more', async () => {
    const config = asDeployer()
    const iam = new IAMClient(config)
    const { Policy } = await iam.send(
      new CreatePolicyCommand({
        PolicyName: 'KarpenterControllerAllPolicy-guarded',
        PolicyDocument: everyAction
      })
    )
    const PolicyArn = Policy?.Arn
    await iam.send(new AttachRolePolicyCommand({ RoleName: controllerRole, PolicyArn }))
    const trust = {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { AWS: sandbox.deployerRoleArn } }]
    }
    await iam.send(
      new UpdateAssumeRolePolicyCommand({ RoleName: controllerRole, PolicyDocument: JSON.stringify(trust) })
    )
    const RoleArn = sandbox.cloud.iam.role(controllerRole).arn
    const { Credentials } = await new STSClient(config).send(
      new AssumeRoleCommand({ RoleArn, RoleSessionName: 'escalation' })
    )
    const credentials = {
      accessKeyId: Credentials?.AccessKeyId ?? '',
      secretAccessKey: Credentials?.SecretAccessKey ?? '',
      sessionToken: Credentials?.SessionToken ?? ''
    }
    const asController = { ...config, credentials }
    const ec2 = new EC2Client(asController)
    const own = new IAMClient(asController)
    await ec2.send(new DescribeSubnetsCommand({}))
    const others = (await sandbox.moto.instances()).filter(({ tags }) => !('karpenter.sh/nodepool' in tags))
    expect(others.length).toBeGreaterThan(0)
    const RoleName = 'karpenter-deployer'
    const tried = [
      own.send(new AttachRolePolicyCommand({ RoleName, PolicyArn: administrator })),
      own.send(new PutRolePolicyCommand({ RoleName, PolicyName: 'all', PolicyDocument: everyAction })),
      own.send(new CreateRoleCommand({ RoleName: 'mine', AssumeRolePolicyDocument: everyAction })),
      own.send(new DeleteRolePermissionsBoundaryCommand({ RoleName: controllerRole })),
      own.send(new CreatePolicyVersionCommand({ PolicyArn: boundary, PolicyDocument: everyAction })),
      ec2.send(new TerminateInstancesCommand({ InstanceIds: others.map(({ id }) => id) }))
    ]
    expect(await Promise.all(tried.map(refused))).toEqual(tried.map(() => true))
  })

  test('where somebody took the boundary off, the role writes nothing to that role before it is back', async () => {
    const admin = new IAMClient(auditor(sandbox))
    await admin.send(new DeleteRolePermissionsBoundaryCommand({ RoleName: controllerRole }))
    const iam = new IAMClient(asDeployer())
    const PolicyArn = `arn:aws:iam::${sandbox.accountId}:policy/KarpenterControllerAllPolicy-guarded`
    await admin.send(new DetachRolePolicyCommand({ RoleName: controllerRole, PolicyArn }))
    expect(
      await refused(iam.send(new AttachRolePolicyCommand({ RoleName: controllerRole, PolicyArn })))
    ).toBe(true)
    expect(
      await refused(
        iam.send(new UpdateAssumeRolePolicyCommand({ RoleName: controllerRole, PolicyDocument: everyAction }))
      )
    ).toBe(true)
    await admin.send(new DeletePolicyCommand({ PolicyArn }))
  })

  test('the next run puts the boundary back, and the trust and policies with it', async () => {
    const admin = new IAMClient(auditor(sandbox))
    const PolicyArn = sandbox.cloud.iam.role(controllerRole).attached[0]
    await admin.send(new DetachRolePolicyCommand({ RoleName: controllerRole, PolicyArn }))
    await admin.send(new DeleteRolePermissionsBoundaryCommand({ RoleName: nodeRole }))
    const more = { 'karpenter-version': newest, 'smoke-test': 'false' }
    await run(more)
    expect(boundaries()).toEqual([boundary, boundary])
    expect(sandbox.cloud.iam.role(controllerRole).attached).toContain(PolicyArn)
    expect(sandbox.cloud.iam.role(controllerRole).trust).toContain('AssumeRoleWithWebIdentity')
    await run(more)
    expect(writes(callsOf(sandbox))).toEqual([])
  })

  test('has no action that the runs did not need, but what install-iam.json has in the same statement', async () => {
    const actionsIn = async (name: string): Promise<readonly string[]> =>
      list(record(await publishedPolicy(name, deployerFacts(sandbox)))['Statement'])
        .map(record)
        .flatMap(({ Sid, Action }) => [Action].flat().map((action) => `${String(Sid)} ${String(action)}`))
    const own = await actionsIn('install-iam-bounded')
    // Of these e2e/permissions.test.ts shows that each is needed.
    const shared = await actionsIn('install-iam')
    const idle = idleActions(required(statements), asked).filter((one) => own.includes(one))
    expect(idle.filter((one) => !shared.includes(one))).toEqual([])
  })

  test('uninstall.json takes it all away, and leaves the boundary', async () => {
    await holdPublished(sandbox, 'uninstall')
    sandbox.cloud.clearCalls()
    const result = succeeded(
      await sandbox.run({
        mode: 'uninstall',
        'remove-crds': 'true',
        'remove-oidc-provider': 'true',
        timeout: '5m'
      })
    )
    expect(denied(callsOf(sandbox))).toEqual([])
    expect(result.outputs['leftovers']).toBe('[]')
    const left = withoutSpotRole(await everything(sandbox)).filter((one) => !one.includes('auditor'))
    expect(left.filter((one) => !before.includes(one))).toEqual([expect.stringContaining(boundary)])
  })
})
