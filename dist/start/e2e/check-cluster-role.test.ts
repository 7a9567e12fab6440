import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { loadAll } from 'js-yaml'
import { mapRoles } from '../sandbox/cluster/access.js'
import { hold, holdPublished, publishedStatements } from '../sandbox/cluster/deployer-policy.js'
import { type ActionResult, newest, oldest, startSandbox, type Sandbox } from '../sandbox/index.js'
import { list, record, text } from '../sandbox/values.js'
import { AnotherHand } from './another-hand.js'
import { applyCheckRoles, checkGroup, checkRoles, pathOf } from './check-cluster-role.js'
import { check, checkIsClean, told } from './clean-check.js'
import { withoutAction } from './deployer-policy.js'
import { objectsHolding } from './objects-holding.js'
import { at, callsOf, denied, paths, reportOf, succeeded, type KubernetesObject } from './scenario.js'

interface Rule {
  readonly apiGroups: readonly string[]
  readonly resources: readonly string[]
  readonly verbs: readonly string[]
}

const manifests = checkRoles()

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

/** The lock is read where a smoke test has left something. Listed for what an upgrade does to nodes, and for the adoption report (e2e/adoption-killed). */
const ofUpgrade = ['nodepools', 'nodeclaims', 'ec2nodeclasses']

describe('check by docs/permissions/check-cluster-role.yaml, where aws-auth lets in', () => {
  const marked = 'hunter2-marked'
  const inputs = {
    'karpenter-version': oldest,
    'smoke-test': 'false',
    'helm-values': JSON.stringify({ controller: { env: [{ name: 'ANYTHING', value: marked }] } })
  }
  const newer = { ...inputs, 'karpenter-version': newest }
  let sandbox: Sandbox
  let hand: AnotherHand
  let installed: ActionResult

  beforeAll(async () => {
    sandbox = await startSandbox({
      name: 'mapped',
      region: 'ap-northeast-2',
      kubernetesVersion: '1.32',
      karpenter: [oldest, newest],
      runner: 'kept',
      authenticationMode: 'CONFIG_MAP',
      stackPace: 10
    })
    installed = succeeded(await sandbox.run({ ...inputs, 'controller-identity': 'irsa' }))
    await holdPublished(sandbox, 'check')
    await applyCheckRoles(sandbox)
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

  test('a value that may be secret stands in Secrets, in what the chart renders, and nowhere else', async () => {
    const { result } = await check(sandbox, inputs)
    for (const { log, outputs, summary, files, annotations, post } of [installed, result])
      expect(JSON.stringify([log, outputs, summary, files, annotations, post])).not.toContain(marked)
    const holding = (await objectsHolding(sandbox, marked)).map((one) =>
      one.replace(/^((?:Pod|ReplicaSet) karpenter)-.*/, '$1')
    )
    expect([...new Set(holding)].toSorted()).toEqual([
      'Deployment karpenter',
      'Pod karpenter',
      'ReplicaSet karpenter',
      'Secret setup-karpenter',
      'Secret sh.helm.release.v1.karpenter.v1'
    ])
  })

  test('is enough to say what an upgrade does', async () => {
    const { result } = await check(sandbox, newer)
    expect(at(reportOf(result), 'upgrade', 'unread')).toEqual([])
    expect(denied(callsOf(sandbox))).toEqual([])
  })

  test.each(verbs.filter(({ resource, verb }) => verb === 'list' && ofUpgrade.includes(resource)))(
    'without $verb $named what an upgrade does to them is not said, and that is said',
    async ({ manifest, resource, verb, named }) => {
      await narrow(manifest, resource, verb)
      const { result } = await check(sandbox, newer)
      await hand.edit(pathOf(manifest), { rules: manifest['rules'] })
      succeeded(result)
      expect(at(reportOf(result), 'upgrade', 'unread')).toEqual([`list ${named}`])
      expect(result.log).toContain(`not known without list ${named}`)
    }
  )

  test.each(
    verbs.filter(
      ({ manifest, resource, verb }) =>
        resource !== 'nodes' &&
        !(verb === 'list' && ofUpgrade.includes(resource)) &&
        !(resource === 'leases' && at(manifest, 'metadata', 'namespace') === 'kube-system')
    )
  )('without $verb $named that is unknown, and the rest is checked', async ({ manifest, resource, verb }) => {
    await hand.untag(hand.subnet)
    await narrow(manifest, resource, verb)
    const { result, findings } = await check(sandbox, inputs)
    await hand.edit(pathOf(manifest), { rules: manifest['rules'] })
    succeeded(result)
    const { missing, drift } = told(findings)
    expect(missing).toHaveLength(1)
    expect(missing[0]).toMatch(new RegExp(`^${verb} ${resource}\\b`))
    expect(drift).toContain(`subnet-tags ${hand.subnet}.tags.karpenter.sh/discovery`)
  })

  test.each(['iam:GetOpenIDConnectProvider', 'iam:ListOpenIDConnectProviders'])(
    'without %s that is unknown, where neither the record nor the service account says who the controller is',
    async (action) => {
      const statements = await publishedStatements(sandbox, 'check')
      await hand.edit('/api/v1/namespaces/karpenter/serviceaccounts/karpenter', {
        metadata: { annotations: { 'eks.amazonaws.com/role-arn': null } }
      })
      await sandbox.kubernetes('DELETE', '/api/v1/namespaces/kube-system/configmaps/setup-karpenter')
      expect(told((await check(sandbox, inputs)).findings).missing).toEqual([])
      const sid = action === 'iam:GetOpenIDConnectProvider' ? 'OidcProvider' : 'ListOidcProviders'
      hold(sandbox, withoutAction(statements, sid, action))
      const { result, findings } = await check(sandbox, inputs)
      hold(sandbox, statements)
      succeeded(result)
      expect(told(findings).missing).toContain(action)
    }
  )

  test('without list nodes that is unknown, where nothing says who the controller is', async () => {
    const [role] = manifests
    if (role === undefined) throw new Error('no manifest')
    await narrow(role, 'nodes', 'list')
    const { result, findings } = await check(sandbox, inputs)
    await hand.edit(pathOf(role), { rules: role['rules'] })
    succeeded(result)
    expect(told(findings).missing).toContain('list nodes')
  })

  /** The role without this verb on this resource. */
  async function narrow(manifest: KubernetesObject, resource: string, verb: string): Promise<void> {
    await hand.edit(pathOf(manifest), {
      rules: narrowed(list(manifest['rules']).map(ruleOf), resource, verb)
    })
  }
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
      groups: line['rolearn'] === sandbox.deployerRoleArn ? [checkGroup] : list(line['groups']).map(String)
    }))
  )
}
