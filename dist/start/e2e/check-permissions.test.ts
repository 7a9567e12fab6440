import { readFileSync } from 'node:fs'
import { PutRolePolicyCommand } from '@aws-sdk/client-iam'
import {
  DeleteRuleCommand,
  ListTargetsByRuleCommand,
  RemoveTargetsCommand
} from '@aws-sdk/client-eventbridge'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { newest, startSandbox, type Sandbox } from '../sandbox/index.js'
import { list, record, text } from '../sandbox/values.js'
import { AnotherHand } from './another-hand.js'
import { check, checkIsClean, told } from './clean-check.js'
import { withoutAction } from './deployer-policy.js'
import {
  hold,
  holdPublished,
  publishedStatements,
  type Statement
} from '../sandbox/cluster/deployer-policy.js'
import { callsOf, denied, paths, succeeded } from './scenario.js'

const folder = new URL('../docs/permissions/', import.meta.url)

/** Every pair of a statement of the published policy and an action in it. */
const actions = list(record(JSON.parse(readFileSync(new URL('check.json', folder), 'utf8')))['Statement'])
  .map(record)
  .flatMap(({ Sid, Action }) =>
    [Action].flat().map((action) => ({ sid: text(Sid) ?? '', action: text(action) ?? '' }))
  )

/** Of IRSA; and what is asked for only where neither record nor input say who the controller is. */
const ofIrsa = ['OidcProvider', 'ListOidcProviders']
/** For the report on an installation that somebody else made: e2e/adoption-killed finds the need for it. */
const ofAdoption = ['ProfilesOfNodeClasses']

const more = { Sid: 'More', Effect: 'Allow', Action: 's3:*', Resource: '*' }

async function putInline(hand: AnotherHand): Promise<void> {
  for (const RoleName of [`${hand.cluster}-karpenter`, `KarpenterNodeRole-${hand.cluster}`]) {
    await hand.iam.send(
      new PutRolePolicyCommand({
        RoleName,
        PolicyName: 'debug',
        PolicyDocument: JSON.stringify({
          Version: '2012-10-17',
          Statement: [{ Effect: 'Allow', Action: 's3:*', Resource: '*' }]
        })
      })
    )
  }
}

async function deleteRule(hand: AnotherHand): Promise<void> {
  const Rule = await hand.ruleName('RebalanceRule')
  const { Targets = [] } = await hand.events.send(new ListTargetsByRuleCommand({ Rule }))
  await hand.events.send(new RemoveTargetsCommand({ Rule, Ids: Targets.map(({ Id }) => Id ?? '') }))
  await hand.events.send(new DeleteRuleCommand({ Name: Rule }))
}

describe('check by docs/permissions/check.json and AmazonEKSAdminViewPolicy', () => {
  const inputs = { 'karpenter-version': newest, subnets: 'private', 'smoke-test': 'false' }
  let sandbox: Sandbox
  let hand: AnotherHand
  let statements: readonly Statement[]

  beforeAll(async () => {
    sandbox = await startSandbox({
      name: 'view',
      region: 'eu-west-1',
      kubernetesVersion: '1.35',
      runner: 'kept',
      authenticationMode: 'API',
      stackPace: 10
    })
    succeeded(await sandbox.run({ ...inputs, 'controller-identity': 'pod-identity' }))
    statements = await publishedStatements(sandbox, 'check')
    await holdPublished(sandbox, 'check')
    sandbox.cloud.eks.putAccessEntry(sandbox.name, sandbox.deployerRoleArn, 'STANDARD', [
      'AmazonEKSAdminViewPolicy'
    ])
    sandbox.cloud.clearCalls()
    hand = new AnotherHand(sandbox)
  })
  afterAll(async () => {
    hand.close()
    await sandbox.stop()
  })

  test('has no action that writes', () => {
    const writing = actions.filter(({ action }) => !/:(Describe|Get|List)/.test(action))
    expect(writing).toEqual([])
  })

  test('is enough: all is as installed, and no call is refused', async () => {
    await checkIsClean(sandbox, inputs)
    expect(denied(callsOf(sandbox))).toEqual([])
  })

  test('is enough where something has drifted', async () => {
    await putInline(hand)
    await deleteRule(hand)
    // Only of a policy that was changed IAM has to say which version is in force.
    await hand.editPolicy('KarpenterControllerZonalShiftPolicy-view', (all) => [...all, more])
    await hand.edit(`${paths.nodePools}/default`, { spec: { limits: { cpu: '4' } } })
    const { findings } = await check(sandbox, inputs)
    const { missing, drift } = told(findings)
    expect(missing).toEqual([])
    expect([...drift].sort()).toEqual([
      'controller-role-policies inline.debug',
      'node-pool/default spec.limits.cpu',
      'policy/KarpenterControllerZonalShiftPolicy-view More',
      'role/KarpenterNodeRole-view inline.debug',
      'rule/RebalanceRule '
    ])
    expect(denied(callsOf(sandbox))).toEqual([])
  })

  test.each(
    actions.filter(
      ({ sid, action }) => ![...ofIrsa, ...ofAdoption].includes(sid) && action !== 'eks:DescribeCluster'
    )
  )('without $action in $sid that is unknown, and the rest is checked', async ({ sid, action }) => {
    hold(sandbox, withoutAction(statements, sid, action))
    const { result, findings } = await check(sandbox, inputs)
    hold(sandbox, statements)
    succeeded(result)
    const { missing, drift } = told(findings)
    expect(missing).toEqual([action])
    expect(drift).toContain('node-pool/default spec.limits.cpu')
    expect(result.outputs['unknown']).not.toBe('0')
    expect(result.log).toContain(action)
  })

  test('without eks:DescribeCluster there is no cluster to check, and the run says so', async () => {
    hold(sandbox, withoutAction(statements, 'FindCluster', 'eks:DescribeCluster'))
    const { result } = await check(sandbox, inputs)
    hold(sandbox, statements)
    expect(result.conclusion).toBe('failure')
    expect(result.annotations.map(({ message }) => message).join('\n')).toContain('eks:DescribeCluster')
    expect(result.log).not.toMatch(/^\s+at .+:\d+:\d+\)?$/m)
  })
})
