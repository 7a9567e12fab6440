import { readFileSync } from 'node:fs'
import { PutRolePolicyCommand } from '@aws-sdk/client-iam'
import {
  DeleteRuleCommand,
  ListTargetsByRuleCommand,
  RemoveTargetsCommand
} from '@aws-sdk/client-eventbridge'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { loadAll } from 'js-yaml'
import { mapRoles } from '../sandbox/cluster/access.js'
import { startSandbox, type Sandbox } from '../sandbox/index.js'
import { list, record, text } from '../sandbox/values.js'
import { AnotherHand } from './another-hand.js'
import { check, checkIsClean, type Finding } from './clean-check.js'
import {
  hold,
  holdPublished,
  publishedStatements,
  type Statement
} from '../sandbox/cluster/deployer-policy.js'
import { at, callsOf, denied, paths, succeeded } from './scenario.js'

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

function without(statements: readonly Statement[], sid: string, action: string): readonly Statement[] {
  return statements.flatMap((statement) => {
    if (statement['Sid'] !== sid) return [statement]
    const rest = [statement['Action']].flat().filter((one) => one !== action)
    return rest.length === 0 ? [] : [{ ...statement, Action: rest }]
  })
}

/** Findings of what could not be read, and the rest. */
function told(findings: readonly Finding[]): {
  readonly missing: readonly (string | undefined)[]
  readonly drift: readonly string[]
} {
  const unknown = findings.filter(({ kind }) => kind === 'unknown')
  const drift = findings.filter(({ kind }) => kind === 'drift')
  return {
    missing: [...new Set(unknown.map(({ missingPermission }) => missingPermission))],
    drift: drift.map(({ id, path }) => `${id} ${path}`)
  }
}

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
  const inputs = { 'karpenter-version': '1.14.0', subnets: 'private', 'smoke-test': 'false' }
  let sandbox: Sandbox
  let hand: AnotherHand
  let statements: readonly Statement[]

  beforeAll(async () => {
    sandbox = await startSandbox({
      name: 'view',
      region: 'eu-west-1',
      kubernetesVersion: '1.35',
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
    await hand.edit(`${paths.nodePools}/default`, { spec: { limits: { cpu: '4' } } })
    const { findings } = await check(sandbox, inputs)
    const { missing, drift } = told(findings)
    expect(missing).toEqual([])
    expect([...drift].sort()).toEqual([
      'controller-role-policies inline.debug',
      'node-pool/default spec.limits.cpu',
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
    hold(sandbox, without(statements, sid, action))
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
    hold(sandbox, without(statements, 'FindCluster', 'eks:DescribeCluster'))
    const { result } = await check(sandbox, inputs)
    hold(sandbox, statements)
    expect(result.conclusion).toBe('failure')
    expect(result.annotations.map(({ message }) => message).join('\n')).toContain('eks:DescribeCluster')
    expect(result.log).not.toMatch(/^\s+at .+:\d+:\d+\)?$/m)
  })
})

interface Rule {
  readonly apiGroups: readonly string[]
  readonly resources: readonly string[]
  readonly verbs: readonly string[]
}

const manifests = loadAll(readFileSync(new URL('check-cluster-role.yaml', folder), 'utf8')).map(record)
const rbac = '/apis/rbac.authorization.k8s.io/v1'

function pathOf(manifest: Readonly<Record<string, unknown>>): string {
  const namespace = text(at(manifest, 'metadata', 'namespace'))
  const plural = `${(text(manifest['kind']) ?? '').toLowerCase()}s`
  return `${rbac}${namespace === undefined ? '' : `/namespaces/${namespace}`}/${plural}`
}

/** Every verb on every resource that the roles give, each by itself. */
const verbs = manifests.flatMap((manifest) =>
  list(manifest['rules'])
    .map(record)
    .flatMap((rule) =>
      list(rule['resources']).flatMap((resource) =>
        list(rule['verbs']).map((verb) => {
          const group = text(list(rule['apiGroups'])[0]) ?? ''
          const suffix = ['karpenter', 'flowcontrol', 'apiextensions', 'rbac', 'policy', 'apps'].some(
            (name) => group.startsWith(name)
          )
            ? `.${group}`
            : ''
          return {
            manifest,
            resource: String(resource),
            verb: String(verb),
            named: `${String(resource)}${suffix}`
          }
        })
      )
    )
)

describe('check by docs/permissions/check-cluster-role.yaml, where aws-auth lets in', () => {
  const inputs = { 'karpenter-version': '1.2.1', 'smoke-test': 'false' }
  let sandbox: Sandbox
  let hand: AnotherHand

  beforeAll(async () => {
    sandbox = await startSandbox({
      name: 'mapped',
      region: 'ap-northeast-2',
      kubernetesVersion: '1.32',
      authenticationMode: 'CONFIG_MAP',
      stackPace: 10
    })
    succeeded(await sandbox.run({ ...inputs, 'controller-identity': 'irsa' }))
    await holdPublished(sandbox, 'check')
    for (const manifest of manifests) {
      const answer = await sandbox.kubernetes('POST', pathOf(manifest), manifest)
      expect(answer.status).toBe(201)
    }
    await demote(sandbox)
    sandbox.cloud.clearCalls()
    hand = new AnotherHand(sandbox)
  })
  afterAll(async () => {
    hand.close()
    await sandbox.stop()
  })

  test('is enough: all is as installed, and no call is refused', async () => {
    await checkIsClean(sandbox, inputs)
    expect(denied(callsOf(sandbox))).toEqual([])
  })

  test.each(verbs.filter(({ resource }) => resource !== 'nodes'))(
    'without $verb $named that is unknown, and the rest is checked',
    async ({ manifest, resource, verb }) => {
      await hand.untag(hand.subnet)
      const path = `${pathOf(manifest)}/${text(at(manifest, 'metadata', 'name')) ?? ''}`
      await hand.edit(path, { rules: narrowed(list(manifest['rules']).map(ruleOf), resource, verb) })
      const { result, findings } = await check(sandbox, inputs)
      await hand.edit(path, { rules: manifest['rules'] })
      succeeded(result)
      const { missing, drift } = told(findings)
      expect(missing).toHaveLength(1)
      expect(missing[0]).toMatch(new RegExp(`^${verb} ${resource}\\b`))
      expect(drift).toContain(`subnet-tags ${hand.subnet}.tags.karpenter.sh/discovery`)
    }
  )

  test.each(['iam:GetOpenIDConnectProvider', 'iam:ListOpenIDConnectProviders'])(
    'without %s that is unknown, where the record does not say who the controller is',
    async (action) => {
      const statements = await publishedStatements(sandbox, 'check')
      await sandbox.kubernetes('DELETE', '/api/v1/namespaces/kube-system/configmaps/setup-karpenter')
      expect(told((await check(sandbox, inputs)).findings).missing).toEqual([])
      const sid = action === 'iam:GetOpenIDConnectProvider' ? 'OidcProvider' : 'ListOidcProviders'
      hold(sandbox, without(statements, sid, action))
      const { result, findings } = await check(sandbox, inputs)
      hold(sandbox, statements)
      succeeded(result)
      expect(told(findings).missing).toContain(action)
    }
  )

  test('without list nodes that is unknown, where the record does not say who the controller is', async () => {
    const [role] = manifests
    if (role === undefined) throw new Error('no manifest')
    const path = `${pathOf(role)}/setup-karpenter-check`
    await hand.edit(path, { rules: narrowed(list(role['rules']).map(ruleOf), 'nodes', 'list') })
    const { result, findings } = await check(sandbox, inputs)
    await hand.edit(path, { rules: role['rules'] })
    succeeded(result)
    expect(told(findings).missing).toContain('list nodes')
  })
})

function ruleOf(rule: unknown): Rule & Readonly<Record<string, unknown>> {
  const texts = (name: string): readonly string[] => list(record(rule)[name]).map(String)
  return {
    ...record(rule),
    apiGroups: texts('apiGroups'),
    resources: texts('resources'),
    verbs: texts('verbs')
  }
}

/** The rules without this verb on this resource. */
function narrowed(rules: readonly Rule[], resource: string, verb: string): readonly Rule[] {
  return rules.flatMap((rule) => {
    if (!rule.resources.includes(resource)) return [rule]
    const others = rule.resources.filter((one) => one !== resource)
    const left = rule.verbs.filter((one) => one !== verb)
    return [
      ...(others.length > 0 ? [{ ...rule, resources: others }] : []),
      ...(left.length > 0 ? [{ ...rule, resources: [resource], verbs: left }] : [])
    ]
  })
}

/** In place of system:masters the role is in the group that may check. */
async function demote(sandbox: Sandbox): Promise<void> {
  const awsAuth = await sandbox.kubernetes('GET', paths.awsAuth)
  const mapped = text(at(awsAuth.body, 'data', 'mapRoles')) ?? ''
  const lines = loadAll(mapped).flatMap(list).map(record)
  await sandbox.kubernetes('PATCH', paths.awsAuth, { data: { mapRoles: '[]' } })
  await mapRoles(
    sandbox.kubernetes,
    lines.map((line) => ({
      rolearn: text(line['rolearn']) ?? '',
      username: text(line['username']) ?? '',
      groups:
        line['rolearn'] === sandbox.deployerRoleArn
          ? ['setup-karpenter-check']
          : list(line['groups']).map(String)
    }))
  )
}
