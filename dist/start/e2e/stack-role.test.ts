import { CloudFormationClient } from '@aws-sdk/client-cloudformation'
import { DetachRolePolicyCommand, IAMClient } from '@aws-sdk/client-iam'
import { SetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { AskedQuestion, Fault, RecordedCall } from '../sandbox/cloud/service.js'
import { publishedPolicy } from '../sandbox/cluster/deployer.js'
import { deployerFacts, publishedStatements } from '../sandbox/cluster/deployer-policy.js'
import { newest, previous, startSandbox, type Sandbox } from '../sandbox/index.js'
import { list, record } from '../sandbox/values.js'
import { idleActions, required } from './deployer-policy.js'
import { errorOf } from './failed-run.js'
import { deployRole, reviewed } from './made-role.js'
import { withoutSpotRole } from './removal.js'
import { auditor, denied, succeeded, writes } from './scenario.js'
import { everything } from './standing.js'

const nodeRole = 'KarpenterNodeRole-served'

/** Of the second rule that is tagged. */
const failingTag: readonly Fault[] = [
  {
    service: 'events',
    action: 'TagResource',
    skip: 1,
    effect: { kind: 'error', code: 'LimitExceededException', message: 'No more tags', status: 400 }
  }
]

/** The handlers' published lists name them; they are for a template of one's own, and for another boundary. */
const notByThisTemplate = [
  'NodeRole iam:DeleteRolePolicy',
  'NodeRole iam:GetRolePolicy',
  'NodeRole iam:UpdateRoleDescription',
  'BoundedRoles iam:PutRolePermissionsBoundary',
  'BoundedRoles iam:UpdateAssumeRolePolicy',
  'ControllerPolicies iam:GetPolicyVersion'
]

/** Of another identity, an organisation's boundary, and what somebody changed: e2e/bounded.test.ts and permissions.test.ts. */
const asInTheBoundedForm = [
  'ListOidcProviders iam:ListOpenIDConnectProviders',
  'OidcProvider iam:AddClientIDToOpenIDConnectProvider',
  'ControllerRole iam:GetRolePolicy',
  'PassControllerRole iam:PassRole',
  'BoundedControllerRole iam:PutRolePermissionsBoundary',
  'BoundedControllerRole iam:UpdateAssumeRolePolicy',
  'NodeRole iam:GetRolePolicy',
  'TakeOffControllerRole iam:DeleteRolePolicy'
]

describe('by the two roles that docs/permissions/role.yaml makes with StackRole=yes', () => {
  let sandbox: Sandbox
  let before: readonly string[]
  let inputs: Readonly<Record<string, string>>
  const asked: { readonly role: string; readonly question: AskedQuestion }[] = []

  const callsBy = (role: string): readonly RecordedCall[] =>
    sandbox.cloud.calls().filter(({ callerArn }) => callerArn.includes(`:assumed-role/${role}/`))
  const questionsOf = (role: string): readonly AskedQuestion[] =>
    asked.filter((one) => one.role === role).map(({ question }) => question)
  const run = async (more: Readonly<Record<string, string>>): Promise<ReturnType<typeof succeeded>> => {
    sandbox.cloud.clearCalls()
    const result = succeeded(await sandbox.run({ ...inputs, ...more }, reviewed))
    noDenial()
    return result
  }
  function noDenial(): void {
    for (const role of ['setup-karpenter-served', 'stack-karpenter-served']) {
      expect(denied(callsBy(role))).toEqual([])
      asked.push(...callsBy(role).flatMap((call) => call.asked.map((question) => ({ role, question }))))
    }
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
    const made = await deployRole(sandbox, new CloudFormationClient(auditor(sandbox)), 'role-of-served', {
      Mode: 'install-and-uninstall',
      StackRole: 'yes',
      GitHubProvider: 'existing'
    })
    before = await everything(sandbox)
    inputs = {
      'controller-identity': 'irsa',
      'role-to-assume': made['RoleArn'] ?? '',
      'permissions-boundary': made['PermissionsBoundary'] ?? '',
      'stack-role-arn': made['StackRoleArn'] ?? '',
      'smoke-test': 'false'
    }
  })
  afterAll(async () => sandbox.stop())

  test('a role that CloudFormation may not take is refused before the first write', async () => {
    sandbox.cloud.clearCalls()
    const result = await sandbox.run({ ...inputs, 'stack-role-arn': sandbox.deployerRoleArn }, reviewed)
    expect(errorOf(result)).toContain('its trust policy does not name cloudformation.amazonaws.com')
    expect(writes(callsBy('setup-karpenter-served'))).toEqual([])
  })

  test.each([previous, newest])(
    '%s is installed, and the run writes no policy and no node role',
    async (version) => {
      const result = await run({ 'karpenter-version': version, tags: version === newest ? 'team=a' : '' })
      expect(result.log).not.toContain('It was left as it is')
      const own = callsBy('setup-karpenter-served').filter(({ write }) => write)
      const questions = own.flatMap((call) =>
        call.asked.map(({ action, resource }) => `${action} ${resource}`)
      )
      expect(
        questions.filter((one) => /iam:CreatePolicy|:role\/KarpenterNodeRole|:policy\//.test(one))
      ).toEqual([])
      expect(writes(callsBy('stack-karpenter-served'))).toContain(
        version === previous ? 'iam:CreateRole' : 'iam:CreatePolicyVersion'
      )
    }
  )

  test('is enough to go back when an upgrade fails halfway, tags included', async () => {
    sandbox.cloud.clearCalls()
    sandbox.cloud.setFaults(failingTag)
    const result = await sandbox.run({ ...inputs, tags: 'team=a,cost=b' }, reviewed)
    sandbox.cloud.setFaults([])
    expect(errorOf(result)).toContain('UPDATE_ROLLBACK_COMPLETE')
    noDenial()
  })

  test('what somebody takes off the node role is named and left; the queue is put right', async () => {
    const [PolicyArn] = sandbox.cloud.iam.role(nodeRole).attached
    await new IAMClient(auditor(sandbox)).send(new DetachRolePolicyCommand({ RoleName: nodeRole, PolicyArn }))
    const QueueUrl = `https://sqs.eu-west-1.amazonaws.com/${sandbox.accountId}/served`
    await new SQSClient({ ...auditor(sandbox), useQueueUrlAsEndpoint: false }).send(
      new SetQueueAttributesCommand({ QueueUrl, Attributes: { Policy: '' } })
    )
    const result = await run({ tags: 'team=a' })
    expect(result.log).toContain('It was left as it is: with `stack-role-arn`')
    expect(result.log).toContain('put back the policy of SQS queue served')
    expect(sandbox.cloud.iam.role(nodeRole).attached).not.toContain(PolicyArn)
  })

  test('a stack whose node role is gone is not changed, and the run says what makes the role again', async () => {
    const role = sandbox.cloud.iam.role(nodeRole)
    sandbox.cloud.iam.roles.delete(nodeRole)
    sandbox.cloud.clearCalls()
    const result = await sandbox.run({ ...inputs, tags: 'team=b' }, reviewed)
    sandbox.cloud.iam.roles.set(nodeRole, role)
    expect(errorOf(result)).toContain(
      'is gone, and CloudFormation could neither update the stack nor go back'
    )
    expect(writes(callsBy('setup-karpenter-served'))).not.toContain('cloudformation:CreateChangeSet')
  })

  test('an uninstall takes it all away, by the role that the stack has', async () => {
    await run({ mode: 'uninstall', 'remove-crds': 'true', 'remove-oidc-provider': 'true' })
    expect(writes(callsBy('stack-karpenter-served'))).toContain('iam:DeletePolicy')
    const left = withoutSpotRole(await everything(sandbox))
    expect(left.filter((one) => !before.includes(one))).toEqual([])
  })

  test('each statement of both was needed', async () => {
    expect(
      idleActions(await publishedStatements(sandbox, 'stack-role'), questionsOf('stack-karpenter-served'))
    ).toEqual(notByThisTemplate)
    const own = required(await publishedStatements(sandbox, 'stack-role-install'))
    // install.json is the other forms' as well: e2e/permissions.test.ts.
    const shared = await publishedPolicy('install', deployerFacts(sandbox))
    const sids = list(record(shared)['Statement']).map((one) => record(one)['Sid'])
    const idle = idleActions(own, questionsOf('setup-karpenter-served'))
    expect(idle.filter((one) => !sids.includes(one.split(' ')[0]))).toEqual(asInTheBoundedForm)
  })
})
