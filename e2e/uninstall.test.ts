import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { startSandbox, type ActionResult, type Sandbox } from '../sandbox/index.js'
import { list, record, text } from '../sandbox/values.js'
import { holdPublished } from '../sandbox/cluster/deployer-policy.js'
import { errorOf } from './failed-run.js'
import {
  at,
  callsOf,
  denied,
  find,
  get,
  launchedByKarpenter,
  paths,
  reportOf,
  succeeded,
  tagsOf,
  until,
  writes
} from './scenario.js'
import { everything } from './standing.js'
import { allowDisruption, allowNoDisruption, podsOf, startWorkload, stopWorkload } from './workload.js'

const account = '111122223333'
const record1 = '/api/v1/namespaces/kube-system/configmaps/setup-karpenter'
const uninstall = { mode: 'uninstall', 'remove-crds': 'true', 'remove-oidc-provider': 'true', timeout: '5m' }

/** The spot role stays in the account, whoever made it. */
function withoutSpotRole(names: readonly string[]): readonly string[] {
  return names.filter((name) => !name.includes('AWSServiceRoleForEC2Spot'))
}

async function install(sandbox: Sandbox, inputs: Readonly<Record<string, string>>): Promise<ActionResult> {
  await holdPublished(sandbox, 'install')
  return succeeded(await sandbox.run({ 'smoke-test': 'false', ...inputs }))
}

/** With exactly the published policy. */
async function remove(
  sandbox: Sandbox,
  inputs: Readonly<Record<string, string>> = {},
  options: Parameters<Sandbox['run']>[1] = {}
): Promise<ActionResult> {
  await holdPublished(sandbox, 'uninstall')
  sandbox.cloud.clearCalls()
  return sandbox.run({ ...uninstall, ...inputs }, options)
}

describe("mode uninstall on today's cluster: Kubernetes 1.35, access entries, Pod Identity, Karpenter 1.14.0", () => {
  const inputs = { 'karpenter-version': '1.14.0' }
  let sandbox: Sandbox
  let before: readonly string[]
  let tagged: string

  beforeAll(async () => {
    sandbox = await startSandbox({
      name: 'today',
      region: 'eu-west-1',
      kubernetesVersion: '1.35',
      authenticationMode: 'API'
    })
    tagged = sandbox.vpc.subnets[0]?.id ?? ''
    const Tag = [{ Key: 'karpenter.sh/discovery', Value: 'today' }]
    await sandbox.moto.ec2('CreateTags', { ResourceId: [tagged], Tag })
    before = await everything(sandbox)
    await install(sandbox, inputs)
  })
  afterAll(async () => sandbox.stop())

  test('a role that may not read all of it is told so before anything is removed', async () => {
    await holdPublished(sandbox, 'install')
    sandbox.cloud.clearCalls()
    const error = errorOf(await sandbox.run(uninstall))
    expect(error).toContain('ec2:DescribeLaunchTemplates')
    expect(error).toContain('docs/permissions/uninstall.json')
    expect(error).toContain('Nothing was changed')
    expect(writes(callsOf(sandbox))).toEqual([])
    expect(await find(sandbox, `${paths.nodePools}/default`)).toBeDefined()
  })

  test('drains by the rules, and names what holds a node while it waits', async () => {
    // Before its pod comes, which Karpenter would else be free to move while it consolidates.
    await allowNoDisruption(sandbox, 'web')
    await startWorkload(sandbox, { name: 'web', replicas: 1 })
    await startWorkload(sandbox, {
      name: 'job',
      replicas: 1,
      annotations: { 'karpenter.sh/do-not-disrupt': 'true' }
    })
    const lines: string[] = []
    const running = remove(sandbox, {}, { onLine: (line) => lines.push(line) })
    const waiting = await until(
      'the line that names both pods',
      () => lines.find((line) => line.startsWith('Waiting') && /web-/.test(line) && /job-/.test(line)),
      90
    ).catch((error: unknown) => {
      throw new Error(lines.join('\n'), { cause: error })
    })
    expect(waiting).toContain('PodDisruptionBudget')
    expect(waiting).toContain('do-not-disrupt')
    expect(await podsOf(sandbox, 'web')).toHaveLength(1)
    expect((await podsOf(sandbox, 'web')).map((pod) => at(pod, 'status', 'phase'))).toEqual(['Running'])
    await allowDisruption(sandbox, 'web')
    await stopWorkload(sandbox, 'job')
    const result = succeeded(await running)
    expect(result.outputs['leftovers']).toBe('[]')
    expect(result.outputs['changed']).toBe('true')
    expect(denied(callsOf(sandbox))).toEqual([])
  })

  test('nothing of it is left, and what was there before is as it was', async () => {
    await stopWorkload(sandbox, 'web')
    expect(withoutSpotRole(await everything(sandbox))).toEqual(before)
    const ended = await launchedByKarpenter(sandbox)
    expect(ended.length).toBeGreaterThan(0)
    expect(ended.map(({ state }) => state)).toEqual(ended.map(() => 'terminated'))
  })

  test('a second run has nothing to do, and says so', async () => {
    const result = succeeded(await remove(sandbox))
    expect(result.log).toContain('nothing to remove')
    expect(result.summary.split('\n').slice(0, 4).join('\n')).toMatch(/nothing/i)
    expect(result.outputs).toMatchObject({ changed: 'false', leftovers: '[]' })
    expect(writes(callsOf(sandbox))).toEqual([])
    expect(withoutSpotRole(await everything(sandbox))).toEqual(before)
  })

  test('it can be installed again right afterwards, and killed at any point of the next removal', async () => {
    await install(sandbox, inputs)
    await startWorkload(sandbox, { name: 'web', replicas: 1 })
    await stopWorkload(sandbox, 'web')
    const points: readonly [string, () => Promise<boolean>][] = [
      ['the NodePool to go', async () => (await find(sandbox, `${paths.nodePools}/default`)) === undefined],
      [
        'the controller to go',
        async () => (await find(sandbox, `${paths.deployments}/karpenter`)) === undefined
      ],
      [
        'the role to go',
        async () => Promise.resolve(sandbox.cloud.iam.roles.get('today-karpenter') === undefined)
      ],
      [
        'the stack to be deleted',
        async () => Promise.resolve(callsOf(sandbox).some(({ action }) => action === 'DeleteStack'))
      ]
    ]
    for (const [what, gone] of points) {
      const run = { ended: false }
      const seen = until(what, async () => ((await gone()) || run.ended ? true : undefined), 120)
      const result = await remove(
        sandbox,
        {},
        { cancelAt: seen, signals: { untilTerminate: 0, untilKill: 0 } }
      )
      run.ended = true
      await seen
      expect(['cancelled', 'success']).toContain(result.conclusion)
    }
    const result = succeeded(await remove(sandbox))
    expect(result.outputs['leftovers']).toBe('[]')
    expect(withoutSpotRole(await everything(sandbox))).toEqual(before)
  })
})

describe('mode uninstall on the cluster of the guide: Kubernetes 1.32, aws-auth, IRSA, Karpenter 1.2.1', () => {
  const inputs = { 'karpenter-version': '1.2.1', 'controller-identity': 'irsa' }
  let sandbox: Sandbox
  let before: readonly string[]

  beforeAll(async () => {
    sandbox = await startSandbox({
      name: 'guide',
      region: 'ap-northeast-2',
      kubernetesVersion: '1.32',
      authenticationMode: 'CONFIG_MAP'
    })
    before = await everything(sandbox)
    await install(sandbox, inputs)
  })
  afterAll(async () => sandbox.stop())

  test('explains a finalizer that a missing permission holds, before it offers force', async () => {
    const role = sandbox.cloud.iam.role('guide-karpenter')
    sandbox.cloud.iam.roles.set(role.name, { ...role, attached: [] })
    const result = await remove(sandbox, { timeout: '90s' })
    const error = errorOf(result)
    expect(error).toContain('EC2NodeClass default')
    expect(error).toContain("Allow the controller's role iam:")
    expect(error.indexOf('Allow the controller')).toBeLessThan(error.indexOf('force-drain: true'))
    expect(JSON.parse(result.outputs['leftovers'] ?? '[]')).not.toEqual([])
    sandbox.cloud.iam.roles.set(role.name, role)
  })

  test('ends nodes against every rule when it is told to, and keeps the OIDC provider unless it is told to', async () => {
    await install(sandbox, inputs)
    await startWorkload(sandbox, {
      name: 'web',
      replicas: 1,
      annotations: { 'karpenter.sh/do-not-disrupt': 'true' }
    })
    await allowNoDisruption(sandbox, 'web')
    const result = succeeded(
      await remove(sandbox, {
        'force-drain': 'true',
        'remove-oidc-provider': 'false',
        'remove-crds': 'false'
      })
    )
    expect(result.outputs['leftovers']).toBe('[]')
    const removal = record(reportOf(result)['removal'])
    const kept = list(removal['kept']).map((one) => text(record(one)['id']))
    expect(kept).toEqual(expect.arrayContaining(['crds', 'oidc-provider']))
    await allowDisruption(sandbox, 'web')
    await stopWorkload(sandbox, 'web')
    expect((await launchedByKarpenter(sandbox)).map(({ state }) => state)).not.toContain('running')
    succeeded(await remove(sandbox))
    expect(withoutSpotRole(await everything(sandbox))).toEqual(before)
  })

  test('without a record it removes what carries our tags and labels, and lists the rest', async () => {
    await install(sandbox, inputs)
    await sandbox.kubernetes('DELETE', record1)
    const result = succeeded(await remove(sandbox))
    const subnets = await tagsOf(sandbox, 'subnets')
    expect(Object.values(subnets).map((tags) => tags['karpenter.sh/discovery'])).toContain('guide')
    expect(result.log).toMatch(/kept Subnet tags: no record/)
    expect(sandbox.cloud.iam.roles.get('guide-karpenter')).toBeUndefined()
    expect(sandbox.cloud.iam.roles.get('KarpenterNodeRole-guide')).toBeUndefined()
    const providers = sandbox.cloud.iam.oidcProviders.values().map(({ url }) => url)
    expect(providers.filter((url) => url.startsWith('oidc.eks.'))).toEqual([])
    const awsAuth = await get(sandbox, paths.awsAuth)
    expect(JSON.stringify(awsAuth)).toContain(`arn:aws:iam::${account}:role/KarpenterNodeRole-guide`)
    expect(result.log).toContain('aws-auth')
  })
})
