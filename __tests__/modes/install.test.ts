import { json } from '../kubernetes/api-server.js'
import { field, listField } from '../../src/kubernetes/manifest.js'
import { PlayedWorld } from './played-run.js'

let world: PlayedWorld
beforeEach(async () => {
  world = await PlayedWorld.start()
})
afterEach(async () => world.stop())

const ownPools = ['first', 'second']
  .map(
    (name) => `
apiVersion: karpenter.sh/v1
kind: NodePool
metadata: { name: ${name} }
spec:
  template:
    spec:
      nodeClassRef: { group: karpenter.k8s.aws, kind: EC2NodeClass, name: own }
      requirements: []
`
  )
  .concat(
    `
apiVersion: karpenter.k8s.aws/v1
kind: EC2NodeClass
metadata: { name: own }
spec:
  role: KarpenterNodeRole-blue
  amiSelectorTerms: [{ alias: al2023@latest }]
  subnetSelectorTerms: [{ id: subnet-1 }]
  securityGroupSelectorTerms: [{ id: sg-1 }]
`
  )
  .join('---')

const recordPath = 'PATCH /api/v1/namespaces/kube-system/configmaps/setup-karpenter'
const leasePath = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/setup-karpenter'

test('an install makes everything, proves that it scales, and says so', async () => {
  const ahead: unknown[] = []
  const ended = await world.main(
    { 'helm-values': 'logLevel: debug' },
    {
      at: (request) => {
        if (request === recordPath)
          ahead.push({ aws: world.writes().aws.length, helm: world.helm.runs.length })
      }
    }
  )
  expect(ended.failed).toBeUndefined()
  expect(ended.outputs).toEqual({
    'karpenter-version': '1.14.1',
    'karpenter-tested': 'true',
    'kubernetes-version': '1.35',
    changed: 'true',
    'nodes-before': '2',
    'nodes-after': '3',
    'nodes-added': '1',
    'node-names': 'smoke',
    'node-names-json': '["smoke"]',
    'instance-types': 'm5.large',
    'instance-types-json': '["m5.large"]',
    'node-ready-seconds': expect.stringMatching(/^\d/) as unknown,
    'scale-down-seconds': expect.stringMatching(/^\d/) as unknown,
    'controller-role-arn': 'arn:aws:iam::111122223333:role/blue-karpenter',
    'node-role-arn': 'arn:aws:iam::111122223333:role/KarpenterNodeRole-blue',
    'queue-name': 'blue',
    'stack-name': 'Karpenter-blue',
    'chart-digest': `sha256:${'a'.repeat(64)}`,
    report: expect.stringContaining('setup-karpenter-blue-install-1.json') as unknown
  })
  expect(ended.summary).toContain('**Installed**: Karpenter 1.14.1')
  expect(ended.report).toMatchObject({
    result: 'succeeded',
    mode: 'install',
    changed: true,
    cluster: { name: 'blue', account: '111122223333', kubernetesVersion: '1.35' },
    choices: { 'Node access': 'access-entry (authentication mode API)' },
    smokeTests: [{ nodePool: 'default', nodesAdded: 1 }],
    preflight: []
  })
  expect(ended.report?.['stages']).toMatchObject(
    ['Discover', 'Decide', 'Compare', 'Preflight', 'Apply', 'Smoke test'].map((name) => ({ name }))
  )
  // Preflight's own reads wait for no comparison.
  const bars = new Map(listField(ended.report, 'timeline').map((bar) => [field(bar, 'title'), bar]))
  expect(field(bars.get('Preflight'), 'from')).toBeLessThan(Number(field(bars.get('Compare'), 'to')))
  // The user's values over the guide's.
  expect(world.helm.values).toEqual({
    logLevel: 'debug',
    settings: { clusterName: 'blue', interruptionQueue: 'blue' },
    controller: {
      resources: { requests: { cpu: 1, memory: '1Gi' }, limits: { cpu: 1, memory: '1Gi' } }
    }
  })
  // The record before the first write to AWS, after the walk, and after the smoke test.
  expect(ahead).toHaveLength(3)
  expect(ahead[0]).toEqual({ aws: 0, helm: 0 })
  expect(world.record()).toMatchObject({
    karpenterVersion: '1.14.1',
    smokeTest: { time: expect.any(String) as unknown },
    run: 'https://github.com/org/repo/actions/runs/1',
    resources: { stack: { before: [] }, 'helm-release': { before: [], wanted: { version: '1.14.1' } } }
  })
  expect(world.aws.discoveryTags()).toEqual({ 'subnet-1': 'blue', 'subnet-2': 'blue', 'sg-1': 'blue' })
  expect([world.lockHolder(), ended.state]).toEqual(['', ''])
  expect(world.helm.uses).toEqual({ found: 1, pulled: 1, closed: 1 })
})

test('helm runs when the role has its policies, its association, and the stack its parts', async () => {
  await world.main({ 'smoke-test': 'false' })
  const before = world.helm.awsBefore
  expect(before.filter((write) => write === 'iam:AttachRolePolicy').length).toBeGreaterThanOrEqual(6)
  expect(before).toEqual(
    expect.arrayContaining(['eks:CreatePodIdentityAssociation', 'cloudformation:ExecuteChangeSet'])
  )
  expect(world.helm.clusterBefore).toEqual(
    expect.arrayContaining([
      'PATCH /api/v1/namespaces/karpenter',
      'PATCH /apis/apiextensions.k8s.io/v1/customresourcedefinitions/nodepools.karpenter.sh'
    ])
  )
})

describe('a second run', () => {
  it('writes nothing where all is as wanted, and leaves the smoke test out', async () => {
    await world.main()
    const asked: string[] = []
    const again = await world.main({}, { at: (request) => asked.push(request) })
    expect(again.failed).toBeUndefined()
    expect(again.writes).toEqual({ aws: [], cluster: [] })
    // Nothing is tried either that is not to be written.
    expect(asked.filter((request) => request.startsWith('dry '))).toEqual([])
    expect(again.outputs).toMatchObject({
      changed: 'false',
      'nodes-before': '2',
      'nodes-after': '2',
      'nodes-added': '0'
    })
    expect(again.log.join('\n')).toMatch(/Smoke test left out: nothing has changed since it passed on 2/)
    expect(again.report).toMatchObject({
      changed: false,
      result: 'succeeded',
      requests: { writes: 0, repeated: [] }
    })
  })

  it('makes up for a smoke test that was never made, and writes only that', async () => {
    await world.main({ 'smoke-test': 'false' })
    expect(world.record()?.['smokeTest']).toBeUndefined()
    const { runs } = world.helm
    const again = await world.main()
    expect(again.outputs).toMatchObject({ changed: 'false', 'nodes-added': '1' })
    expect(again.writes.aws).toEqual([])
    expect(runs).toHaveLength(1)
    expect(world.record()).toMatchObject({ smokeTest: { time: expect.any(String) as unknown } })
    expect(again.writes.cluster.filter((write) => write === recordPath)).toHaveLength(1)
  })

  it('puts back what has drifted, and proves it anew', async () => {
    await world.main()
    world.aws.tags.get('subnet-2')?.delete('karpenter.sh/discovery')
    const again = await world.main()
    expect(again.writes.aws).toEqual(['ec2:CreateTags'])
    expect(again.outputs).toMatchObject({ changed: 'true', 'nodes-added': '1' })
    expect(world.aws.discoveryTags()).toMatchObject({ 'subnet-2': 'blue' })
  })

  it('that changes the version says what that brings, and records it', async () => {
    await world.main({ 'karpenter-version': '1.13.1', 'smoke-test': 'false' })
    const upgrade = await world.main({ 'karpenter-version': '1.14.1', 'smoke-test': 'false' })
    expect(upgrade.failed).toBeUndefined()
    expect(upgrade.report).toMatchObject({ upgrade: { from: '1.13.1', to: '1.14.1' } })
    expect(upgrade.log.join('\n')).toContain('Karpenter: 1.14.1 (asked for)')
    expect(world.record()).toMatchObject({ karpenterVersion: '1.14.1' })
    expect(world.helm.runs).toHaveLength(2)
    expect(world.helm.runs[1]).not.toContain('--labels')
  })

  it('that changes the version takes nothing from the role before the new controller runs', async () => {
    const older = await PlayedWorld.start({ version: '1.34' })
    try {
      await older.main({ 'karpenter-version': '1.8.6', 'smoke-test': 'false' })
      const upgrade = await older.main({ 'karpenter-version': '1.14.1', 'smoke-test': 'false' })
      expect(upgrade.failed).toBeUndefined()
      const takes = (writes: readonly string[]): readonly string[] =>
        writes.filter((write) => /iam:(Detach|Delete)/.test(write))
      expect(takes(older.helm.awsBefore)).toEqual([])
      expect(takes(upgrade.writes.aws)).toEqual(
        expect.arrayContaining(['iam:DetachRolePolicy', 'iam:DeletePolicy'])
      )
    } finally {
      await older.stop()
    }
  })

  it('that goes back to an older version is refused, by the record alone as well, and done when that is allowed', async () => {
    await world.main({ 'smoke-test': 'false' })
    const back = { 'karpenter-version': '1.13.1', 'smoke-test': 'false' }
    const refused = await world.main(back)
    expect(refused.failed).toContain('allow-downgrade')
    expect(refused.writes).toEqual({ aws: [], cluster: [] })
    world.helm.vanish()
    expect((await world.main(back)).failed).toContain('allow-downgrade')
    const allowed = await world.main({ ...back, 'allow-downgrade': 'true' })
    expect(allowed.failed).toBeUndefined()
    expect(world.record()).toMatchObject({ karpenterVersion: '1.13.1' })
  })

  it('asks nothing that only a change makes worth asking', async () => {
    const given = { 'smoke-test': 'false', 'node-pools': ownPools, crds: 'auto' }
    expect((await world.main(given)).failed).toBeUndefined()
    const calls = world.cloud.calls().length
    const requests = world.server.calls.length
    expect((await world.main(given)).writes).toEqual({ aws: [], cluster: [] })
    const asked = world.cloud
      .calls()
      .slice(calls)
      .map(({ action }) => action)
    expect(asked).not.toContain('SimulatePrincipalPolicy')
    expect(asked).not.toContain('DescribeInstanceTypeOfferings')
    const selectors = world.server.calls.slice(requests).map(({ query }) => query.get('labelSelector'))
    expect(selectors.filter((one) => one?.includes('karpenter-crd'))).toEqual([])
  })

  it('goes on from where one that failed has ended', async () => {
    world.helm.fails = 'the chart has no such value'
    const failed = await world.main({ 'smoke-test': 'false' })
    expect(failed.failed).toContain('the chart has no such value')
    expect(world.record()).toMatchObject({ resources: { stack: { before: [] } } })
    world.helm.fails = undefined
    const again = await world.main({ 'smoke-test': 'false' })
    expect(again.failed).toBeUndefined()
    expect(again.writes.aws).toEqual([])
    expect(world.record()).toMatchObject({ resources: { 'helm-release': { before: [] } } })
  })
})

test('of several NodePools the first is proved', async () => {
  const ended = await world.main({ 'node-pools': ownPools })
  expect(ended.failed).toBeUndefined()
  expect(ended.report).toMatchObject({ smokeTests: [{ nodePool: 'first' }] })
  expect(ended.outputs['nodes-added']).toBe('1')
})

test('a run that waited for another reads everything anew, and applies what is then missing', async () => {
  await world.main({ 'smoke-test': 'false' })
  hold(3600)
  world.aws.tags.get('subnet-1')?.delete('karpenter.sh/discovery')
  const ended = await world.main(
    { 'smoke-test': 'false' },
    {
      at: (request) => {
        if (request !== `GET ${leasePath.replace('/setup-karpenter', '')}`) return
        // Meanwhile the other run has done the work.
        setImmediate(() => {
          world.aws.tags.get('subnet-1')?.set('karpenter.sh/discovery', 'blue')
          hold(0)
        })
      }
    }
  )
  expect(ended.failed).toBeUndefined()
  expect(ended.log.filter((line) => line.startsWith('::group::Discover'))).toHaveLength(2)
  expect(ended.writes.aws).toEqual([])
  expect(ended.outputs['changed']).toBe('false')
})

/** Another run holds the lock for so many seconds more; 0: it gives it back. */
function hold(seconds: number): void {
  const renewTime = new Date(Date.now() + seconds * 1000).toISOString().replace('Z', '000Z')
  world.server.put(leasePath, {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { namespace: 'kube-system', annotations: { 'setup-karpenter/run': 'https://run/other' } },
    spec: { holderIdentity: seconds === 0 ? '' : 'other', leaseDurationSeconds: 60, renewTime }
  })
}

describe("somebody else's installation", () => {
  /** Installed by this action, and nothing tells so any more. */
  async function installedByHand(labels: Readonly<Record<string, string>> = {}): Promise<void> {
    await world.main({ 'smoke-test': 'false' })
    world.server.remove('/api/v1/namespaces/kube-system/configmaps/setup-karpenter')
    world.helm.disown(labels)
  }

  it('ends a run that was not asked to take it over, before it writes', async () => {
    await installedByHand()
    const ended = await world.main()
    expect(ended.failed).toMatch(
      /adopt: Karpenter 1\.14\.1 is there already, and this action did not install it/
    )
    expect(ended.failed).toContain('Nothing was changed.')
    expect(ended.writes).toEqual({ aws: [], cluster: [] })
    expect(ended.report).toMatchObject({ preflight: [{ check: 'not-adopted', level: 'error' }] })
  })

  it('that Flux keeps is not taken over, whoever asks', async () => {
    await installedByHand({
      'helm.toolkit.fluxcd.io/name': 'karpenter',
      'helm.toolkit.fluxcd.io/namespace': 'flux-system'
    })
    const ended = await world.main({ adopt: 'true' })
    expect(ended.failed).toContain('Flux HelmRelease')
    expect(ended.writes).toEqual({ aws: [], cluster: [] })
  })

  it('is taken over when that is asked for: recorded as such, said resource by resource, and kept by an uninstall', async () => {
    await installedByHand()
    const ended = await world.main({ adopt: 'true', 'smoke-test': 'false' })
    expect(ended.failed).toBeUndefined()
    expect(ended.report?.['adoption']).toEqual(
      expect.arrayContaining([expect.objectContaining({ id: 'helm-release' })])
    )
    expect(world.record()).toMatchObject({
      adoption: { namespace: 'karpenter', controllerRoleName: 'blue-karpenter' },
      resources: { 'helm-release': { adopted: true } }
    })
    const removal = await world.main({ mode: 'uninstall' })
    expect(removal.warnings.join('\n')).toContain('adopt: this installation was taken over')
    expect(world.helm.runs.some((run) => run.startsWith('uninstall'))).toBe(false)
    expect(JSON.stringify(removal.report?.['removal'])).toContain(
      'it was taken over, and goes only when that is asked for'
    )
  })

  it('and goes when that is asked for as well', async () => {
    await installedByHand()
    await world.main({ adopt: 'true', 'smoke-test': 'false' })
    const removal = await world.main({ mode: 'uninstall', 'remove-adopted': 'true' })
    expect(removal.warnings.join('\n')).not.toContain('adopt: this installation was taken over')
    expect(world.helm.runs.some((run) => run.startsWith('uninstall'))).toBe(true)
  })
})

describe('preflight', () => {
  it('ends the run before its first write, and lists what it found', async () => {
    const ended = await world.main({ 'helm-values': 'replicaz: 3' })
    expect(ended.failed).toMatch(/^setup-karpenter: helm-values: replicaz:/)
    expect(ended.failed).toContain('Nothing was changed.')
    expect(ended.writes).toEqual({ aws: [], cluster: [] })
    expect(ended.report).toMatchObject({ result: 'failed', preflight: [{ check: 'chart-values' }] })
    expect(world.lockHolder()).toBeUndefined()
  })

  it('warns, refuses warnings when it is told to be strict, and only notes them when it is off', async () => {
    world.aws.tags.get('sg-1')?.clear()
    const warned = await world.main({ mode: 'install', 'smoke-test': 'false' })
    expect(warned.failed).toBeUndefined()
    expect(warned.warnings.join('\n')).toContain('security-groups: none of them is tagged')
    expect(warned.report).toMatchObject({
      preflight: [{ check: 'network', level: 'warning' }],
      warnings: [expect.stringContaining('none of them is tagged')]
    })
    world.aws.tags.get('subnet-1')?.clear()
    const refused = await world.main({ 'smoke-test': 'false', preflight: 'strict' })
    expect(refused.failed).toContain('security-groups: none of them is tagged')
    expect(refused.writes.aws).toEqual([])
    const off = await world.main({ 'smoke-test': 'false', preflight: 'off' })
    expect([off.failed, off.warnings]).toEqual([undefined, []])
    expect(off.log.join('\n')).toContain('security-groups: none of them is tagged')
  })

  it('is over when a comparison that cannot be made fails the run', async () => {
    world.server.intercept = (call, response) => {
      if (!call.path.endsWith('/namespaces/karpenter')) return false
      json(response, 400, { kind: 'Status', status: 'Failure', code: 400, message: 'broken' })
      return true
    }
    const ended = await world.main({ 'helm-values': 'replicaz: 3' })
    // What is wrong with the inputs is said first.
    expect(ended.failed).toContain('helm-values: replicaz')
    expect((await world.main()).failed).toContain('broken')
  })
})
