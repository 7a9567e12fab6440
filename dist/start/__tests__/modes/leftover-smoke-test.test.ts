import { smokeTestLabel, smokeTestObjects } from '../../src/smoke-test/objects.js'
import { mapAt } from '../../src/engine/json.js'
import { field } from '../../src/kubernetes/manifest.js'
import { PlayedWorld } from './played-run.js'

const quick = { 'smoke-test': 'false' }
const poolPath = '/apis/karpenter.sh/v1/nodepools/smoke-test-lost'
const deploymentPath = '/apis/apps/v1/namespaces/karpenter/deployments/smoke-test-lost'
const lockPath = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/setup-karpenter'
const run = 'https://github.com/org/repo/actions/runs/99'

let world: PlayedWorld
beforeAll(async () => {
  world = await PlayedWorld.start()
  await world.main(quick)
})
afterAll(async () => world.stop())

/** What a run that was lost has left: NodePool, Deployment, and two instances. */
function leave(): void {
  const metadata = { labels: { [smokeTestLabel]: 'lost' }, annotations: { 'setup-karpenter/run': run } }
  world.server.put(poolPath, {
    apiVersion: 'karpenter.sh/v1',
    kind: 'NodePool',
    metadata: { ...metadata, creationTimestamp: '2026-11-29T08:00:00Z' },
    spec: {}
  })
  world.server.put(deploymentPath, {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { ...metadata, namespace: 'karpenter' },
    spec: { template: { spec: { containers: [] } } }
  })
  for (const name of ['a', 'b'])
    world.server.put(`/apis/karpenter.sh/v1/nodeclaims/smoke-${name}`, {
      apiVersion: 'karpenter.sh/v1',
      kind: 'NodeClaim',
      metadata: { labels: { [smokeTestLabel]: 'lost', 'karpenter.sh/nodepool': 'smoke-test-lost' } },
      status: { conditions: ['Launched', 'Registered'].map((type) => ({ type, status: 'True' })) }
    })
}

test('is reported by a check, with its run and what it costs, and removed by an install that changes nothing else', async () => {
  leave()
  const check = await world.main({ mode: 'check' })
  expect(check.writes.cluster).toEqual([])
  expect(check.report).toMatchObject({
    findings: [
      {
        kind: 'unhealthy',
        title: 'leftover smoke test',
        live: 2,
        reason: `leftover smoke test of ${run}, since 2026-11-29T08:00:00Z: 2 instances run for it, 48 instance hours a day`,
        install: expect.stringMatching(/^remove it\. /) as unknown
      }
    ]
  })
  const ended = await world.main(quick)
  expect([ended.failed, ended.outputs['changed']]).toEqual([undefined, 'true'])
  expect(ended.writes.cluster).toEqual(
    expect.arrayContaining([`DELETE ${poolPath}`, `DELETE ${deploymentPath}`])
  )
  for (const name of ['a', 'b']) world.server.remove(`/apis/karpenter.sh/v1/nodeclaims/smoke-${name}`)
  expect((await world.main({ mode: 'check' })).outputs['unhealthy']).toBe('0')
  expect((await world.main(quick)).outputs['changed']).toBe('false')
})

test('is none while its run holds the lock', async () => {
  leave()
  const lock = world.server.at(lockPath)
  world.server.put(lockPath, {
    ...lock,
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { annotations: { 'setup-karpenter/run': run } },
    spec: { holderIdentity: 'x' }
  })
  expect((await world.main({ mode: 'check' })).outputs['unhealthy']).toBe('0')
  world.server.put(lockPath, { ...lock, metadata: {}, spec: { holderIdentity: '' } })
  expect((await world.main({ mode: 'check' })).outputs['unhealthy']).toBe('1')
})

test('its NodePool is bounded by itself, and no wider than the one under test', () => {
  const workload = {
    namespace: 'x',
    replicas: 5,
    onePerNode: false,
    image: 'y',
    networkImage: undefined,
    timeoutSeconds: 5400
  }
  const specOf = (limits: unknown): Readonly<Record<string, unknown>> =>
    mapAt(
      smokeTestObjects(
        { run: 'r', id: 'r' },
        {
          apiVersion: 'v1',
          kind: 'NodePool',
          metadata: { name: 'default' },
          spec: { limits, template: { spec: {} } }
        },
        workload,
        { owner: 'setup-karpenter', run: 'r' }
      ).nodePool,
      'spec'
    )
  expect(specOf(undefined)['limits']).toEqual({ cpu: '5000' })
  expect(specOf({ cpu: '4', memory: '8Gi' })['limits']).toEqual({ cpu: '4', memory: '8Gi' })
  expect(specOf({ cpu: '100k' })['limits']).toEqual({ cpu: '5000' })
  expect(field(specOf(undefined), 'template', 'spec', 'expireAfter')).toBe('4h')
})

test('goes with an uninstall, before the nodes that it would have made anew', async () => {
  leave()
  for (const name of ['a', 'b']) world.server.remove(`/apis/karpenter.sh/v1/nodeclaims/smoke-${name}`)
  const ended = await world.main({ mode: 'uninstall' })
  const { cluster } = ended.writes
  expect(cluster).toEqual(expect.arrayContaining([`DELETE ${poolPath}`, `DELETE ${deploymentPath}`]))
  expect(cluster.indexOf(`DELETE ${poolPath}`)).toBeLessThan(
    cluster.indexOf('DELETE /apis/karpenter.sh/v1/nodepools/default')
  )
})
