import {
  CloudFormationClient,
  CreateChangeSetCommand,
  CreateStackCommand,
  DescribeStacksCommand
} from '@aws-sdk/client-cloudformation'
import { SetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { newest, oldest, startSandbox, type Sandbox } from '../sandbox/index.js'
import { record } from '../sandbox/values.js'
import { builtInTemplateText } from '../src/karpenter/template-built-in.js'
import {
  damageInterruption,
  boundary,
  damageRolesAndPolicies,
  deleteNodeRole,
  fillVersions,
  putBoundary
} from './damage.js'
import {
  hold,
  idleActions,
  published,
  refused,
  repairedIn,
  required,
  run,
  type Statement,
  without
} from './deployer-policy.js'
import { errorOf } from './failed-run.js'
import {
  beforeTheStack,
  byPodIdentity,
  failingTarget,
  forPodIdentity,
  older,
  onceTheQueueIsMade,
  type Removal,
  upgraded,
  whileItIsPutRight,
  whileTheStackChanges
} from './lacking.js'
import { auditor, callsOf, denied, reportOf, succeeded, until, writes } from './scenario.js'

const account = '111122223333'
const nodeRole = `arn:aws:iam::${account}:role/KarpenterNodeRole-blue`

describe('the published policy', () => {
  let sandbox: Sandbox
  let statements: readonly Statement[]
  let folder: string

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'template-'))
    sandbox = await startSandbox({
      name: 'blue',
      region: 'eu-west-1',
      kubernetesVersion: '1.32',
      karpenter: [oldest, newest],
      runner: 'kept',
      authenticationMode: 'API',
      stackPace: 10
    })
    statements = published(sandbox)
  })
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true })
    await sandbox.stop()
  })

  const withoutIt = async ({ lacking, missing, or, inputs, faults = [], before }: Removal): Promise<void> => {
    await before?.(sandbox)
    hold(sandbox, without(statements, lacking))
    const result = await run(sandbox, `without ${lacking}`, inputs, { faults })
    hold(sandbox, statements)
    refused(sandbox, result, missing, or)
  }

  test.each(beforeTheStack)('without $lacking an installation is refused $missing, and says so', withoutIt)

  test('is enough to finish, whatever was there: a provider without audience, an entry of another type', async () => {
    const { iam, eks } = sandbox.cloud
    const issuer = eks.cluster('blue').issuer.replace('https://', '')
    const provider = iam.oidcProvider(`arn:aws:iam::${account}:oidc-provider/${issuer}`)
    iam.oidcProviders.set(provider.arn, { ...provider, clientIds: ['another'] })
    eks.putAccessEntry('blue', nodeRole, 'STANDARD')
    succeeded(await run(sandbox, 'install', { ...older, subnets: 'private' }))
    expect(denied(callsOf(sandbox))).toEqual([])
    expect(iam.oidcProvider(provider.arn).clientIds).toContain('sts.amazonaws.com')
    expect(eks.entry('blue', nodeRole).type).toBe('EC2_LINUX')
  })

  test.each(whileItIsPutRight)('without $lacking a repair is refused $missing, and says so', withoutIt)

  test.each(whileTheStackChanges)('without $lacking an upgrade is refused $missing, and says so', withoutIt)

  test('is enough to go back when an upgrade fails halfway, tags and permissions boundary included', async () => {
    putBoundary(sandbox)
    const result = await run(sandbox, 'failed upgrade', upgraded, { faults: failingTarget })
    expect(errorOf(result)).toContain('No more targets')
    expect(errorOf(result)).toContain('UPDATE_ROLLBACK_COMPLETE')
    expect(denied(callsOf(sandbox))).toEqual([])
    expect(sandbox.cloud.iam.role('KarpenterNodeRole-blue').boundary).toBeUndefined()
  })

  test.each(forPodIdentity)('without $lacking an upgrade is refused $missing, and says so', withoutIt)

  test("is enough for an upgrade after a run that was killed, by the subject that carries the repository's ids", async () => {
    const admin = new CloudFormationClient(auditor(sandbox))
    const leftBehind = { StackName: 'Karpenter-blue', ChangeSetName: 'setup-karpenter' }
    await admin.send(
      new CreateChangeSetCommand({
        ...leftBehind,
        ChangeSetType: 'UPDATE',
        TemplateBody: builtInTemplateText(newest),
        Parameters: [{ ParameterKey: 'ClusterName', ParameterValue: 'blue' }],
        Capabilities: ['CAPABILITY_NAMED_IAM']
      })
    )
    const inputs = { ...upgraded, 'smoke-test': 'true', 'smoke-test-replicas': '1' }
    succeeded(await run(sandbox, 'upgrade and smoke test', inputs, { run: { subject: 'immutable' } }))
    expect(denied(callsOf(sandbox))).toEqual([])
    expect(sandbox.cloud.iam.role('KarpenterNodeRole-blue').boundary).toBe(boundary)
    expect(sandbox.cloud.iam.role('blue-karpenter').boundary).toBe(boundary)
  })

  test('is enough to put right what somebody changed: policies with five versions, another role of the pod', async () => {
    const template = join(folder, 'template.yaml')
    writeFileSync(template, builtInTemplateText(newest).replace('AllowRegionalReadActions', 'AllowReads'))
    fillVersions(sandbox)
    const { associations } = sandbox.cloud.eks
    const [association] = associations.values()
    if (association === undefined) throw new Error('no Pod Identity association')
    associations.set(association.associationId, {
      ...association,
      roleArn: `arn:aws:iam::${account}:role/another`
    })
    succeeded(await run(sandbox, 'repair', { ...upgraded, template }))
    expect(denied(callsOf(sandbox))).toEqual([])
    expect(associations.get(association.associationId)?.roleArn).toBe(
      `arn:aws:iam::${account}:role/blue-karpenter`
    )
  })

  test('is enough for another identity of the controller, and back', async () => {
    const own = { ...upgraded, template: join(folder, 'template.yaml') }
    succeeded(await run(sandbox, 'identity', { ...own, 'controller-identity': 'irsa' }))
    expect(sandbox.cloud.eks.associations.values()).toEqual([])
    succeeded(await run(sandbox, 'identity back', own))
    expect(denied(callsOf(sandbox))).toEqual([])
  })

  test('is enough to put back roles and policies, whatever somebody did to them', async () => {
    const inputs = { ...upgraded, template: join(folder, 'template.yaml') }
    await damageRolesAndPolicies(sandbox)
    const result = succeeded(await run(sandbox, 'repair of roles and policies', inputs))
    expect(denied(callsOf(sandbox))).toEqual([])
    expect(repairedIn(result)).toEqual([
      'policy/KarpenterControllerNodeLifecyclePolicy-blue',
      'policy/KarpenterControllerIAMIntegrationPolicy-blue',
      'role/KarpenterNodeRole-blue',
      'controller-role-policies'
    ])
    expect(Object.keys(record(reportOf(result)['kept'])).toSorted()).toEqual([
      'inline policy debug of role KarpenterNodeRole-blue',
      'inline policy debug of role blue-karpenter',
      'trust policy of role KarpenterNodeRole-blue',
      expect.stringMatching(/^version v\d+ of policy KarpenterControllerNodeLifecyclePolicy-blue$/)
    ])
    succeeded(await run(sandbox, 'no role and no policy to repair', inputs))
    expect(writes(callsOf(sandbox))).toEqual([])
  })

  test('is enough to put back queue and rules, whatever somebody did to them', async () => {
    const inputs = { ...upgraded, template: join(folder, 'template.yaml') }
    await damageInterruption(sandbox)
    const result = succeeded(await run(sandbox, 'repair of queue and rules', inputs))
    expect(denied(callsOf(sandbox))).toEqual([])
    expect(repairedIn(result)).toEqual([
      'queue',
      'rule/ScheduledChangeRule',
      'rule/SpotInterruptionRule',
      'rule/RebalanceRule',
      'rule/InstanceStateChangeRule',
      'rule/CapacityReservationInterruptionRule'
    ])
    const sqs = new SQSClient({ ...auditor(sandbox), useQueueUrlAsEndpoint: false })
    const QueueUrl = `https://sqs.eu-west-1.amazonaws.com/${account}/blue`
    await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { Policy: '' } }))
    const again = succeeded(await run(sandbox, 'repair of the queue', inputs))
    expect(again.log).toContain('put back the policy of SQS queue blue')
    succeeded(await run(sandbox, 'nothing to repair', inputs))
    expect(writes(callsOf(sandbox))).toEqual([])
  })

  test('is enough to take off the permissions boundary, which stays until that is asked for', async () => {
    const inputs = { ...byPodIdentity, tags: 'team=platform' }
    succeeded(await run(sandbox, 'without a word of the boundary', inputs))
    expect(sandbox.cloud.iam.role('KarpenterNodeRole-blue').boundary).toBe(boundary)
    expect(sandbox.cloud.iam.role('blue-karpenter').boundary).toBe(boundary)
    succeeded(await run(sandbox, 'without boundary', { ...inputs, 'permissions-boundary': 'none' }))
    expect(denied(callsOf(sandbox))).toEqual([])
    expect(sandbox.cloud.iam.role('KarpenterNodeRole-blue').boundary).toBeUndefined()
    expect(sandbox.cloud.iam.role('blue-karpenter').boundary).toBeUndefined()
  })

  test('is enough to make a deleted node role again, and its access entry with it', async () => {
    const inputs = { ...byPodIdentity, tags: 'team=platform' }
    await deleteNodeRole(sandbox)
    const result = succeeded(await run(sandbox, 'repair of the node role', inputs))
    expect(denied(callsOf(sandbox))).toEqual([])
    expect(repairedIn(result)).toEqual(['role/KarpenterNodeRole-blue', 'node-access'])
    const { iam, eks } = sandbox.cloud
    expect(eks.entry('blue', nodeRole).principalId).toBe(iam.role('KarpenterNodeRole-blue').id)
    succeeded(await run(sandbox, 'no node role to repair', inputs))
    expect(writes(callsOf(sandbox))).toEqual([])
  })

  test.each(onceTheQueueIsMade)(
    'without $lacking an installation is refused $missing, and says so',
    async ({ lacking, missing, inputs, before }) => {
      const other = await startSandbox({
        name: 'blue',
        region: 'eu-west-1',
        kubernetesVersion: '1.32',
        karpenter: [oldest, newest],
        runner: 'kept',
        authenticationMode: 'API',
        stackPace: 10
      })
      try {
        await before?.(other)
        hold(other, without(published(other), lacking))
        refused(other, await run(other, `without ${lacking}`, inputs), missing)
      } finally {
        await other.stop()
      }
    }
  )

  test('is enough to go back from a stack that fails, whoever made the one before', async () => {
    const other = await startSandbox({
      name: 'blue',
      region: 'eu-west-1',
      kubernetesVersion: '1.32',
      karpenter: [oldest, newest],
      runner: 'kept',
      authenticationMode: 'CONFIG_MAP',
      stackPace: 10
    })
    try {
      const admin = new CloudFormationClient(auditor(other))
      const { StackId } = await admin.send(
        new CreateStackCommand({
          StackName: 'Karpenter-blue',
          TemplateBody: JSON.stringify({
            Resources: { Role: { Type: 'AWS::IAM::Role', Properties: { AssumeRolePolicyDocument: {} } } }
          }),
          Capabilities: ['CAPABILITY_IAM']
        })
      )
      await until('the stack that somebody else failed to make', async () => {
        const { Stacks } = await admin.send(new DescribeStacksCommand({ StackName: StackId }))
        return Stacks?.[0]?.StackStatus === 'ROLLBACK_COMPLETE' ? true : undefined
      })
      const result = await run(other, 'failed installation', older, { faults: failingTarget })
      expect(errorOf(result)).toContain('No more targets')
      expect(errorOf(result)).toContain('ROLLBACK_COMPLETE')
      expect(denied(callsOf(other))).toEqual([])
      expect(other.cloud.iam.roles.get('KarpenterNodeRole-blue')).toBeUndefined()
    } finally {
      await other.stop()
    }
  })

  test('has no action in any statement that no run was allowed by it alone', () => {
    // The role handler's published list names it beside UpdateRole, and which of the two it calls is not said.
    expect(idleActions(required(statements))).toEqual(['StackNodeRole iam:UpdateRoleDescription'])
  })

  test('every statement has been left out once', () => {
    const all = [
      ...beforeTheStack,
      ...whileItIsPutRight,
      ...whileTheStackChanges,
      ...onceTheQueueIsMade,
      ...forPodIdentity
    ]
    const left = all.map(({ lacking }) => lacking)
    expect(left.sort()).toEqual(
      required(statements)
        .map((statement) => String(statement['Sid']))
        .sort()
    )
  })
})
