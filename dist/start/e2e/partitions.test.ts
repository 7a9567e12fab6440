import { EventBridgeClient, ListRulesCommand, ListTargetsByRuleCommand } from '@aws-sdk/client-eventbridge'
import { GetQueueAttributesCommand, GetQueueUrlCommand, SQSClient } from '@aws-sdk/client-sqs'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { newest, startSandbox, type ActionResult, type Sandbox } from '../sandbox/index.js'
import { record } from '../sandbox/values.js'
import { defaultDocument } from '../sandbox/cloud/iam/state.js'
import { checkIsClean } from './clean-check.js'
import {
  at,
  auditor,
  callsOf,
  conditions,
  denied,
  documentOf,
  get,
  paths,
  reportOf,
  succeeded
} from './scenario.js'

const account = '111122223333'
const inputs = { 'karpenter-version': newest, 'controller-identity': 'irsa', 'smoke-test': 'false' }

describe.each([
  {
    partition: 'aws-cn',
    region: 'cn-north-1',
    suffix: 'amazonaws.com.cn',
    iamHost: 'iam.cn-north-1.amazonaws.com.cn',
    audience: 'sts.amazonaws.com.cn'
  },
  {
    partition: 'aws-us-gov',
    region: 'us-gov-west-1',
    suffix: 'amazonaws.com',
    iamHost: 'iam.us-gov.amazonaws.com',
    audience: 'sts.amazonaws.com'
  }
])('partition $partition', ({ partition, region, suffix, iamHost, audience }) => {
  const iam = (resource: string): string => `arn:${partition}:iam::${account}:${resource}`
  const own = (service: string, resource: string): string =>
    `arn:${partition}:${service}:${region}:${account}:${resource}`
  let sandbox: Sandbox
  let result: ActionResult

  beforeAll(async () => {
    sandbox = await startSandbox({
      name: 'abroad',
      region,
      kubernetesVersion: '1.35',
      authenticationMode: 'API'
    })
    result = succeeded(await sandbox.run(inputs, { throughProxy: true }))
  })
  afterAll(async () => sandbox.stop())

  test('each service is called at its own host of the region', () => {
    const calls = callsOf(sandbox).filter(({ via }) => via === undefined)
    const hosts = Object.groupBy(calls, ({ service }) => service)
    const seen = Object.fromEntries(
      Object.entries(hosts).map(([service, of = []]) => [service, [...new Set(of.map(({ host }) => host))]])
    )
    expect(seen).toEqual({
      sts: [`sts.${region}.${suffix}`],
      eks: [`eks.${region}.${suffix}`],
      ec2: [`ec2.${region}.${suffix}`],
      events: [`events.${region}.${suffix}`],
      sqs: [`sqs.${region}.${suffix}`],
      iam: [iamHost],
      cloudformation: [`cloudformation.${region}.${suffix}`]
    })
    expect(denied(callsOf(sandbox))).toEqual([])
    expect(sandbox.proxy.connections.filter(({ refused }) => refused)).toEqual([])
  })

  test("the job's token is asked for with the partition's audience", () => {
    const audiences = sandbox.idTokens.issued.map((token) =>
      at(documentOf(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()), 'aud')
    )
    expect(new Set(audiences)).toEqual(new Set([audience]))
    expect(result.log).toContain(iam('role/karpenter-deployer'))
  })

  test("the node role is EC2's of this partition, with AWS's policies of this partition", () => {
    const role = sandbox.cloud.iam.role('KarpenterNodeRole-abroad')
    expect(role.arn).toBe(iam('role/KarpenterNodeRole-abroad'))
    expect(at(documentOf(role.trust), 'Statement', 0, 'Principal')).toEqual({ Service: `ec2.${suffix}` })
    expect(role.attached.length).toBeGreaterThanOrEqual(4)
    for (const arn of role.attached) expect(arn).toMatch(new RegExp(`^arn:${partition}:iam::aws:policy/`))
  })

  test('the controller role trusts the OIDC provider of this partition and has policies that name no other', () => {
    const issuer = sandbox.cloud.eks.cluster('abroad').issuer.replace('https://', '')
    expect(issuer).toMatch(new RegExp(`^oidc\\.eks\\.${region}\\.${suffix.replaceAll('.', '\\.')}/id/`))
    const provider = sandbox.cloud.iam.oidcProvider(iam(`oidc-provider/${issuer}`))
    // EKS's webhook projects this audience in every partition.
    expect(provider.clientIds).toEqual(['sts.amazonaws.com'])
    const role = sandbox.cloud.iam.role('abroad-karpenter')
    expect(at(documentOf(role.trust), 'Statement', 0)).toMatchObject({
      Principal: { Federated: provider.arn },
      Condition: { StringEquals: { [`${issuer}:aud`]: 'sts.amazonaws.com' } }
    })
    expect(role.attached).toHaveLength(6)
    for (const arn of role.attached) {
      expect(arn).toMatch(new RegExp(`^${iam('policy/KarpenterController')}\\w+Policy-abroad$`))
      const document = defaultDocument(sandbox.cloud.iam.policy(arn))
      expect(partitionsIn(document)).toEqual(document.includes('arn:') ? [partition] : [])
    }
  })

  test('nodes join by an access entry of the role of this partition', () => {
    const entries = sandbox.cloud.eks.accessEntries.values()
    const entry = entries.find(({ principalArn }) => principalArn === iam('role/KarpenterNodeRole-abroad'))
    expect(entry?.type).toBe('EC2_LINUX')
    expect(entry?.accessEntryArn).toContain(`arn:${partition}:eks:${region}:${account}:access-entry/abroad/`)
  })

  test("every rule leads to the queue's ARN, and the queue takes from AWS alone", async () => {
    const queueArn = own('sqs', 'abroad')
    const events = new EventBridgeClient(auditor(sandbox))
    const { Rules = [] } = await events.send(new ListRulesCommand({}))
    const rules = Rules.filter(({ Name }) => Name?.startsWith('Karpenter-abroad'))
    expect(rules.length).toBeGreaterThanOrEqual(4)
    for (const rule of rules) {
      expect(rule.Arn).toBe(own('events', `rule/${rule.Name ?? ''}`))
      const { Targets } = await events.send(new ListTargetsByRuleCommand({ Rule: rule.Name }))
      expect(Targets?.map(({ Arn }) => Arn)).toEqual([queueArn])
    }
    const sqs = new SQSClient(auditor(sandbox))
    const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: 'abroad' }))
    const { Attributes } = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn', 'Policy'] })
    )
    expect(Attributes?.['QueueArn']).toBe(queueArn)
    expect(partitionsIn(Attributes?.['Policy'] ?? '')).toEqual([partition])
  })

  test('the controller runs on it: NodePool and EC2NodeClass are Ready', async () => {
    expect(conditions(await get(sandbox, `${paths.nodePools}/default`))['Ready']).toBe('True')
    expect(conditions(await get(sandbox, `${paths.nodeClasses}/default`))['Ready']).toBe('True')
  })

  test('no ARN of another partition is said or sent anywhere', () => {
    const report = JSON.stringify(reportOf(result))
    const sent = JSON.stringify(callsOf(sandbox).map(({ input }) => record(input)))
    const said = [result.log, result.summary, JSON.stringify(result.outputs), report].join('\n')
    expect(partitionsIn(said)).toEqual([partition])
    expect(partitionsIn(sent)).toEqual([partition])
    expect(result.outputs).toMatchObject({
      'controller-role-arn': iam('role/abroad-karpenter'),
      'node-role-arn': iam('role/KarpenterNodeRole-abroad'),
      'queue-name': 'abroad'
    })
  })

  test('a check finds nothing, and writes nothing', async () => {
    await checkIsClean(sandbox, inputs, { throughProxy: true })
  })
})

/** Partitions of all ARNs in a text, each once. */
function partitionsIn(text: string): readonly string[] {
  const found = text.matchAll(/\barn:(aws[a-z-]*):/g)
  return [...new Set([...found].map(([, partition = '']) => partition))]
}
