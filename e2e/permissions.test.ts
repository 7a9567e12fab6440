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
import { policyAllows } from '../sandbox/cloud/authorisation.js'
import type { AskedQuestion, Fault } from '../sandbox/cloud/service.js'
import { startSandbox, type ActionResult, type RunOptions, type Sandbox } from '../sandbox/index.js'
import { list, record } from '../sandbox/values.js'
import { builtInTemplateText } from '../src/karpenter/template-built-in.js'
import {
  attachToNodeRole,
  boundary,
  damageInterruption,
  damageRolesAndPolicies,
  deleteNodeRole,
  fillVersions,
  putBoundary,
  untagNetwork
} from './damage.js'
import { errorOf } from './failed-run.js'
import { auditor, callsOf, denied, documentOf, reportOf, succeeded, until, writes } from './scenario.js'

const account = '111122223333'
const nodeRole = `arn:aws:iam::${account}:role/KarpenterNodeRole-blue`

type Inputs = Readonly<Record<string, string>>
type Statement = Readonly<Record<string, unknown>>

const older: Inputs = {
  'karpenter-version': '1.2.1',
  'controller-identity': 'irsa',
  'smoke-test': 'false'
}
const newer: Inputs = { ...older, 'karpenter-version': '1.14.0' }
const byPodIdentity: Inputs = { ...newer, 'controller-identity': 'pod-identity' }
const upgraded: Inputs = { ...byPodIdentity, 'permissions-boundary': boundary, tags: 'team=platform' }

/** A queue's name is taken for a minute after the queue has gone: no queue is made where its stack is to be rolled back. */
const noQueue: readonly Fault[] = [
  {
    service: 'sqs',
    action: 'CreateQueue',
    effect: { kind: 'error', code: 'ServiceUnavailable', message: 'Try later', status: 503 }
  }
]

/** Where the last resource of an operation fails, all that was made before is undone. */
const failingTarget: readonly Fault[] = [
  {
    service: 'events',
    action: 'PutTargets',
    effect: { kind: 'error', code: 'LimitExceededException', message: 'No more targets', status: 400 }
  }
]

interface Removal {
  /** Sid of the statement that the role lacks. */
  readonly lacking: string
  /** What the run is refused, and its error names. */
  readonly missing: string
  readonly inputs: Inputs
  readonly faults?: readonly Fault[]
  /** Takes away what an earlier run had made already. */
  readonly before?: (sandbox: Sandbox) => unknown
}

/** In the order in which an installation comes to need them; every run goes on from what the one before has left. */
const beforeTheStack: readonly Removal[] = [
  { lacking: 'Queue', missing: 'sqs:GetQueueAttributes', inputs: older },
  { lacking: 'FindCluster', missing: 'eks:DescribeCluster', inputs: older },
  { lacking: 'FindNetworkNodesAndQueue', missing: 'ec2:DescribeSubnets', inputs: older },
  {
    lacking: 'ListOidcProviders',
    missing: 'iam:ListOpenIDConnectProviders',
    inputs: { ...older, 'controller-identity': 'auto' }
  },
  { lacking: 'Stack', missing: 'cloudformation:GetTemplate', inputs: older },
  { lacking: 'NodeRole', missing: 'iam:GetRole', inputs: older },
  { lacking: 'ControllerPolicies', missing: 'iam:GetPolicy', inputs: older },
  { lacking: 'NodeRolePolicies', missing: 'iam:AttachRolePolicy', inputs: older, faults: noQueue },
  {
    lacking: 'StackNodeRole',
    missing: 'iam:DeleteRole',
    inputs: older,
    before: async (sandbox) => leaveRemains(sandbox, 'StackNodeRole', noQueue)
  },
  { lacking: 'TagForDiscovery', missing: 'ec2:CreateTags', inputs: older, before: untagNetwork },
  {
    lacking: 'CreateSpotRole',
    missing: 'iam:CreateServiceLinkedRole',
    inputs: older,
    before: ({ cloud }) => cloud.iam.roles.delete('AWSServiceRoleForEC2Spot')
  },
  { lacking: 'SpotRole', missing: 'iam:GetRole', inputs: older },
  { lacking: 'OidcProvider', missing: 'iam:GetOpenIDConnectProvider', inputs: older },
  { lacking: 'ControllerRole', missing: 'iam:GetRole', inputs: older },
  {
    lacking: 'ControllerRolePolicies',
    missing: 'iam:AttachRolePolicy',
    inputs: older,
    before: ({ cloud }) =>
      cloud.iam.roles.set('blue-karpenter', { ...cloud.iam.role('blue-karpenter'), attached: [] })
  },
  { lacking: 'NodeAccess', missing: 'eks:DescribeAccessEntry', inputs: older }
]

/** Of the installation that is there. */
const whileItIsPutRight: readonly Removal[] = [
  { lacking: 'TakeOffRoles', missing: 'iam:DetachRolePolicy', inputs: older, before: attachToNodeRole }
]

/** Of the stack that is there, so that it goes back to what it was. */
const whileTheStackChanges: readonly Removal[] = [
  { lacking: 'Rules', missing: 'events:ListTargetsByRule', inputs: newer },
  { lacking: 'StackRules', missing: 'events:DescribeRule', inputs: newer }
]

/** These leave a queue, whose name rests for a minute once it is deleted: in sandboxes of their own. */
const onceTheQueueIsMade: readonly Removal[] = [
  { lacking: 'StackQueue', missing: 'sqs:ListQueueTags', inputs: older },
  {
    lacking: 'StackControllerPolicies',
    missing: 'iam:ListEntitiesForPolicy',
    inputs: older,
    before: async (sandbox) => leaveRemains(sandbox, 'StackControllerPolicies', failingTarget)
  }
]

const forPodIdentity: readonly Removal[] = [
  { lacking: 'PodIdentity', missing: 'eks:DescribeAddon', inputs: byPodIdentity },
  {
    lacking: 'PassControllerRole',
    missing: 'iam:PassRole',
    inputs: byPodIdentity,
    before: ({ cloud: { eks } }) => {
      for (const { associationId } of eks.associations.values()) eks.associations.delete(associationId)
    }
  }
]

/** What the runs asked IAM, by the run, each question once. */
const asked = new Map<string, { readonly run: string; readonly question: AskedQuestion }>()

function remember(sandbox: Sandbox, run: string): void {
  for (const question of callsOf(sandbox).flatMap((call) => call.asked)) {
    const { action, resource, context } = question
    const key = JSON.stringify([action, resource, { ...context, 'aws:CurrentTime': '', 'aws:EpochTime': '' }])
    if (!asked.has(key)) asked.set(key, { run, question })
  }
}

/** The policy that the deployer holds when a sandbox starts: the published one. */
function published(sandbox: Sandbox): readonly Statement[] {
  const document = documentOf(sandbox.cloud.iam.role('karpenter-deployer').inline['install'])
  return list(record(document)['Statement']).map(record)
}

function hold(sandbox: Sandbox, statements: readonly Statement[]): void {
  const { roles } = sandbox.cloud.iam
  const role = sandbox.cloud.iam.role('karpenter-deployer')
  roles.set(role.name, {
    ...role,
    inline: { install: JSON.stringify({ Version: '2012-10-17', Statement: statements }) }
  })
}

async function run(
  sandbox: Sandbox,
  name: string,
  inputs: Inputs,
  options: RunOptions & { readonly faults?: readonly Fault[] } = {}
): Promise<ActionResult> {
  const { faults = [], ...rest } = options
  sandbox.cloud.clearCalls()
  sandbox.cloud.setFaults(faults)
  const result = await sandbox.run(inputs, rest)
  sandbox.cloud.setFaults([])
  remember(sandbox, name)
  return result
}

/** An installation whose stack fails, and that may not undo what it has made. */
async function leaveRemains(sandbox: Sandbox, lacking: string, faults: readonly Fault[]): Promise<void> {
  const statements = published(sandbox)
  hold(sandbox, without(statements, lacking))
  const result = await run(sandbox, `remains without ${lacking}`, older, { faults })
  hold(sandbox, statements)
  expect(errorOf(result)).toContain('ROLLBACK_FAILED')
}

function without(statements: readonly Statement[], lacking: string): readonly Statement[] {
  return statements.filter((statement) => statement['Sid'] !== lacking)
}

/** The run ends in an error of its own that names the action, not in a crash. */
function refused(sandbox: Sandbox, result: ActionResult, missing: string): void {
  const error = errorOf(result)
  expect(error).toContain(missing)
  expect(error).toContain('docs/permissions/install.json')
  expect(result.log).not.toMatch(/^\s+at .+:\d+:\d+\)?$/m)
  const questions = callsOf(sandbox)
    .filter(({ outcome }) => /Denied|Unauthorized/.test(outcome))
    .map((call) => call.asked.at(-1)?.action)
  expect(questions).toContain(missing)
}

/** Ids of the resources that a run changed. */
function repairedIn(result: ActionResult): readonly unknown[] {
  return list(reportOf(result)['resources'])
    .map(record)
    .filter((one) => one['result'] === 'applied')
    .map(({ id }) => id)
}

/** Whether a run asked for this action what nothing but this statement allows. */
function needed(statements: readonly Statement[], statement: Statement, action: string): boolean {
  const rest = statements.map((one) =>
    one === statement ? { ...one, Action: [one['Action']].flat().filter((each) => each !== action) } : one
  )
  const allowedBy = (some: readonly Statement[], question: AskedQuestion): boolean =>
    policyAllows({ Version: '2012-10-17', Statement: some.filter(hasActions) }, question)
  return [...asked.values()].some(
    ({ question }) =>
      question.action === action && allowedBy(statements, question) && !allowedBy(rest, question)
  )
}

/** IAM takes no statement without an action. */
function hasActions(statement: Statement): boolean {
  return [statement['Action']].flat().length > 0
}

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
      authenticationMode: 'API',
      stackPace: 10
    })
    statements = published(sandbox)
  })
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true })
    await sandbox.stop()
  })

  const withoutIt = async ({ lacking, missing, inputs, faults = [], before }: Removal): Promise<void> => {
    await before?.(sandbox)
    hold(sandbox, without(statements, lacking))
    const result = await run(sandbox, `without ${lacking}`, inputs, { faults })
    hold(sandbox, statements)
    refused(sandbox, result, missing)
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
        TemplateBody: builtInTemplateText('1.14.0'),
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
    writeFileSync(template, builtInTemplateText('1.14.0').replace('AllowRegionalReadActions', 'AllowReads'))
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

  test('is enough to take off the permissions boundary that is no longer asked for', async () => {
    succeeded(await run(sandbox, 'without boundary', { ...byPodIdentity, tags: 'team=platform' }))
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
    const idle = statements.flatMap((statement) =>
      [statement['Action']]
        .flat()
        .map(String)
        .filter((action) => !needed(statements, statement, action))
        .map((action) => `${String(statement['Sid'])} ${action}`)
    )
    expect(idle).toEqual([])
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
    expect(left.sort()).toEqual(statements.map((statement) => String(statement['Sid'])).sort())
  })
})
