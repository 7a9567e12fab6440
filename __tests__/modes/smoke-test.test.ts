import { deploymentPath } from './played-helm.js'
import { PlayedWorld } from './played-run.js'

let world: PlayedWorld
beforeEach(async () => {
  world = await PlayedWorld.start()
})
afterEach(async () => world.stop())

const mode = { mode: 'smoke-test' }
const smokeDeployment = /^PATCH .*\/deployments\/smoke-test-/

test('proves that nodes come and go, and writes nothing but its own objects', async () => {
  await world.main({ 'smoke-test': 'false' })
  const ended = await world.main({ ...mode, 'smoke-test-replicas': '2' })
  expect(ended.failed).toBeUndefined()
  expect(ended.outputs).toMatchObject({
    'karpenter-version': '1.14.1',
    'karpenter-tested': 'true',
    'kubernetes-version': '1.35',
    changed: 'false',
    'nodes-before': '2',
    'nodes-after': '3',
    'nodes-added': '1',
    'node-names': 'smoke'
  })
  expect(ended.report).toMatchObject({
    mode: 'smoke-test',
    smokeTests: [{ nodePool: 'default', podsRunning: 2 }],
    cluster: { account: '111122223333' }
  })
  expect(ended.report?.['stages']).toMatchObject([{ name: 'Discover' }, { name: 'Smoke test' }])
  expect(ended.log).toContain('Karpenter: 1.14.1, Deployment karpenter/karpenter')
  expect(ended.summary).toContain('Smoke test of NodePool')
  expect(ended.writes.aws).toEqual([])
  expect(ended.writes.cluster.filter((write) => !/smoke-test|leases/.test(write))).toEqual([])
  expect([world.lockHolder(), ended.state]).toEqual(['', ''])
})

test('proves every NodePool of the cluster, whoever made it', async () => {
  await world.main({ 'smoke-test': 'false' })
  const live = world.server.at('/apis/karpenter.sh/v1/nodepools/default') ?? {}
  world.server.put('/apis/karpenter.sh/v1/nodepools/theirs', { ...live, metadata: {} })
  const ended = await world.main(mode)
  expect(ended.failed).toBeUndefined()
  expect(ended.report).toMatchObject({ smokeTests: [{ nodePool: 'default' }, { nodePool: 'theirs' }] })
  expect(ended.outputs['nodes-added']).toBe('2')
})

test('of a cluster without Karpenter ends at once, and so in a namespace that has none', async () => {
  const none = await world.main(mode)
  expect(none.failed).toContain('namespace: the cluster has no Karpenter')
  expect(none.failed).toContain('Run mode install first.')
  await world.main({ 'smoke-test': 'false' })
  const elsewhere = await world.main({ ...mode, namespace: 'other' })
  expect(elsewhere.failed).toContain('other has no Karpenter; there is one in karpenter')
  expect(elsewhere.failed).toContain('Pass `namespace`: karpenter, or run mode install first.')
  expect(elsewhere.failed).toContain('Nothing was changed.')
  expect(elsewhere.writes).toEqual({ aws: [], cluster: [] })
  const second = world.server.at(deploymentPath)
  const metadata = { ...second?.metadata, namespace: 'second' }
  world.server.put(deploymentPath.replace('/karpenter/', '/second/'), { ...second, metadata })
  expect((await world.main({ ...mode, namespace: 'other' })).failed).toContain(
    'there is one in karpenter, second'
  )
})

describe('post', () => {
  it('of a run that cleaned up behind itself makes no call', async () => {
    const ended = await world.main({ 'smoke-test': 'false' })
    const calls = world.server.calls.length + world.cloud.calls().length
    const post = await world.post(ended)
    expect([post.log, post.warnings, post.failed]).toEqual([[], [], undefined])
    expect(world.server.calls.length + world.cloud.calls().length).toBe(calls)
  })

  it('of a cancelled run removes its smoke test and gives back its lock, and leaves everything else', async () => {
    await world.main({ 'smoke-test': 'false' })
    const ended = await world.main(mode, {
      at: (request, { cancel }) => {
        if (smokeDeployment.test(request)) cancel()
      }
    })
    expect(ended.failed).toContain('the job was cancelled')
    expect(world.server.under('/apis/karpenter.sh/v1/nodepools/smoke-test-')).toHaveLength(1)
    const post = await world.post(ended, mode)
    expect(world.server.under('/apis/karpenter.sh/v1/nodepools/smoke-test-')).toEqual([])
    expect(world.server.under('/apis/karpenter.sh/v1/nodepools/')).toHaveLength(1)
    expect(world.server.under('/apis/apps/v1/namespaces/karpenter/deployments/')).toHaveLength(1)
    expect(post.log).toEqual(
      expect.arrayContaining([expect.stringContaining('removed NodePool smoke-test-'), 'released the lock'])
    )
    expect(world.lockHolder()).toBe('')
    expect(post.writes.aws).toEqual([])
  })

  it("leaves another run's lock alone", async () => {
    const ended = await world.main(
      { 'smoke-test': 'false' },
      {
        at: (request, { cancel }) => {
          if (request === 'PATCH /api/v1/namespaces/karpenter') cancel()
        }
      }
    )
    const path = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/setup-karpenter'
    const lease = world.server.at(path)
    world.server.put(path, { ...lease, spec: { holderIdentity: 'another' } })
    const calls = world.server.calls.length
    expect((await world.post(ended)).log).toEqual([])
    expect(world.lockHolder()).toBe('another')
    // Nor is a smoke test looked for that was never begun.
    expect(world.server.calls.slice(calls).map(({ path: asked }) => asked)).toEqual([path])
  })

  it('that cannot do its work warns, and fails nothing', async () => {
    const state = JSON.stringify({
      clusterName: 'green',
      region: 'eu-west-1',
      namespace: 'karpenter',
      smokeTestRun: 'runs-1',
      lockHolder: 'me'
    })
    const post = await world.post({ state })
    expect(post.warnings).toEqual([
      expect.stringMatching(
        /^smoke test: what is left of run runs-1 could not be removed; the next run of this action removes it\..*green/s
      )
    ])
    expect([post.failed, post.left]).toEqual([undefined, { timers: 0, listeners: 0 }])
  })
})
