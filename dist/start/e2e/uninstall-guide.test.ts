import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { oldest, startSandbox, type Sandbox, type SandboxSpec } from '../sandbox/index.js'
import { list, record, text } from '../sandbox/values.js'
import { errorOf } from './failed-run.js'
import { install, remove, withoutSpotRole } from './removal.js'
import { get, launchedByKarpenter, paths, reportOf, succeeded, tagsOf } from './scenario.js'
import { everything } from './standing.js'
import { allowDisruption, allowNoDisruption, startWorkload, stopWorkload } from './workload.js'

const account = '111122223333'
const ourRecord = '/api/v1/namespaces/kube-system/configmaps/setup-karpenter'

const inputs = { 'karpenter-version': oldest, 'controller-identity': 'irsa' }
/** Made by hand as the guide makes it. */
const cluster: SandboxSpec = {
  name: 'guide',
  region: 'ap-northeast-2',
  kubernetesVersion: '1.32',
  karpenter: [oldest],
  authenticationMode: 'CONFIG_MAP',
  runner: 'kept'
}

describe(`mode uninstall on the cluster of the guide: Kubernetes 1.32, aws-auth, IRSA, Karpenter ${oldest}`, () => {
  let sandbox: Sandbox
  let before: readonly string[]

  beforeAll(async () => {
    sandbox = await startSandbox(cluster)
    before = await everything(sandbox)
    await install(sandbox, inputs)
  })
  afterAll(async () => sandbox.stop())

  test('explains a finalizer that a missing permission holds, before it offers force', async () => {
    const role = sandbox.cloud.iam.role('guide-karpenter')
    sandbox.cloud.iam.roles.set(role.name, { ...role, attached: [] })
    const result = await remove(sandbox)
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
})

describe('mode uninstall on the cluster of the guide, whose record somebody deleted', () => {
  let sandbox: Sandbox

  beforeAll(async () => {
    sandbox = await startSandbox(cluster)
    await install(sandbox, inputs)
    await sandbox.kubernetes('DELETE', ourRecord)
  })
  afterAll(async () => sandbox.stop())

  test('removes what carries our tags and labels, and lists the rest', async () => {
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
