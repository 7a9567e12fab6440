import { type Ended, PlayedWorld } from './played-run.js'

let world: PlayedWorld
beforeEach(async () => {
  world = await PlayedWorld.start()
  await world.main({ 'smoke-test': 'false' })
})
afterEach(async () => world.stop())

async function uninstall(given: Readonly<Record<string, string>> = {}): Promise<Ended> {
  return world.main({ mode: 'uninstall', ...given })
}

function roleNames(): readonly string[] {
  return world.cloud.iam.roles.values().map(({ name }) => name)
}

const installed = { 'subnet-1': 'blue', 'subnet-2': 'blue', 'sg-1': 'blue' }

test('takes away all that the install made, proves it, and leaves neither record nor lock', async () => {
  const ended = await uninstall()
  expect(ended.failed).toBeUndefined()
  expect(ended.outputs).toMatchObject({ leftovers: '[]', changed: 'true', 'karpenter-version': '1.14.1' })
  expect(ended.report).toMatchObject({
    mode: 'uninstall',
    result: 'succeeded',
    removal: { leftovers: [], lagging: [] }
  })
  expect(ended.summary).toContain('blue')
  expect(roleNames()).not.toEqual(expect.arrayContaining(['blue-karpenter']))
  expect(roleNames()).not.toEqual(expect.arrayContaining(['KarpenterNodeRole-blue']))
  expect(world.cloud.eks.accessEntries.values().map(({ principalArn }) => principalArn)).not.toContain(
    'arn:aws:iam::111122223333:role/KarpenterNodeRole-blue'
  )
  expect(world.cloud.eks.associations.values()).toEqual([])
  expect([world.aws.queues.size, world.aws.rules.size]).toEqual([0, 0])
  expect(world.aws.discoveryTags()).toEqual({
    'subnet-1': undefined,
    'subnet-2': undefined,
    'sg-1': undefined
  })
  expect(world.server.under('/apis/karpenter.sh/v1/nodepools/')).toEqual([])
  expect(world.record()).toBeUndefined()
  expect([world.lockHolder(), ended.state]).toEqual([undefined, ''])
  expect(world.helm.uses).toEqual({ found: 2, pulled: 1, closed: 2 })
  // CRDs stay unless they are asked for; the spot role is the account's.
  expect(world.server.under('/apis/apiextensions.k8s.io/v1/customresourcedefinitions/')).toHaveLength(3)
  expect(ended.report).toMatchObject({
    removal: {
      kept: expect.arrayContaining([
        expect.objectContaining({ id: 'crds' }),
        expect.objectContaining({ id: 'spot-service-linked-role' })
      ]) as unknown
    }
  })
})

test('helm uninstalls when nodes, their classes and what they launched are gone; the role goes after it', async () => {
  await uninstall({ 'remove-crds': 'true' })
  expect(world.helm.clusterBefore).toEqual(
    expect.arrayContaining([
      'DELETE /apis/karpenter.sh/v1/nodepools/default',
      'DELETE /apis/karpenter.k8s.aws/v1/ec2nodeclasses/default'
    ])
  )
  expect(world.helm.awsBefore).not.toContain('iam:DeleteRole')
  expect(world.server.under('/apis/apiextensions.k8s.io/v1/customresourcedefinitions/')).toEqual([])
})

test('a second one has nothing to do', async () => {
  await uninstall()
  const again = await uninstall()
  expect(again.failed).toBeUndefined()
  expect(again.outputs).toMatchObject({ changed: 'false', leftovers: '[]' })
  expect(again.writes.aws).toEqual([])
})

test('goes by the record, whatever the inputs have become', async () => {
  const ended = await uninstall({
    'karpenter-version': '1.9.0',
    'controller-identity': 'irsa',
    'node-pools': 'none'
  })
  expect(ended.failed).toBeUndefined()
  expect(ended.outputs).toMatchObject({ leftovers: '[]', 'karpenter-version': '1.14.1' })
  expect(world.cloud.eks.associations.values()).toEqual([])
  expect(world.server.under('/apis/karpenter.sh/v1/nodepools/')).toEqual([])
})

test('without a record goes by our marks', async () => {
  world.server.remove('/api/v1/namespaces/kube-system/configmaps/setup-karpenter')
  const ended = await uninstall({ 'remove-crds': 'true' })
  expect(ended.failed).toBeUndefined()
  expect(world.server.under('/apis/karpenter.sh/v1/nodepools/')).toEqual([])
  expect(world.server.under('/apis/apiextensions.k8s.io/v1/customresourcedefinitions/')).toEqual([])
  expect(roleNames()).not.toContain('blue-karpenter')
})

test('leaves tags that were there before the install', async () => {
  const tagged = await PlayedWorld.start()
  tagged.aws.tags.get('subnet-1')?.set('karpenter.sh/discovery', 'blue')
  try {
    await tagged.main({ 'smoke-test': 'false' })
    const ended = await tagged.main({ mode: 'uninstall' })
    expect(ended.failed).toBeUndefined()
    expect(tagged.aws.discoveryTags()).toEqual({
      'subnet-1': 'blue',
      'subnet-2': undefined,
      'sg-1': undefined
    })
  } finally {
    await tagged.stop()
  }
})

test('leaves the OIDC provider, which others may use by now, unless it is asked for as well', async () => {
  const irsa = await PlayedWorld.start()
  try {
    await irsa.main({ 'smoke-test': 'false', 'controller-identity': 'irsa' })
    await irsa.main({ mode: 'uninstall' })
    expect(irsa.cloud.iam.oidcProviders.values()).toHaveLength(1)
    await irsa.main({ 'smoke-test': 'false', 'controller-identity': 'irsa' })
    await irsa.main({ mode: 'uninstall', 'remove-oidc-provider': 'true' })
    expect(irsa.cloud.iam.oidcProviders.values()).toEqual([])
  } finally {
    await irsa.stop()
  }
})

test('takes NodePools of ours that a later install no longer names', async () => {
  world.server.put('/apis/karpenter.sh/v1/nodepools/earlier', {
    apiVersion: 'karpenter.sh/v1',
    kind: 'NodePool',
    metadata: { labels: { 'app.kubernetes.io/managed-by': 'setup-karpenter' } },
    spec: {}
  })
  expect((await uninstall()).failed).toBeUndefined()
  expect(world.server.under('/apis/karpenter.sh/v1/nodepools/')).toEqual([])
})

test('reads again until a deletion shows', async () => {
  world.aws.tagsStay = true
  const ended = await world.main(
    { mode: 'uninstall' },
    {
      paused: () => {
        world.aws.tagsStay = false
        for (const id of ['subnet-1', 'subnet-2', 'sg-1']) world.aws.tags.get(id)?.clear()
      }
    }
  )
  expect([ended.failed, ended.outputs['leftovers']]).toEqual([undefined, '[]'])
})

describe('before its first write', () => {
  it('refuses what cannot be read, with the permissions that it lacks', async () => {
    deny('iam', 'GetRole')
    const ended = await uninstall()
    expect(ended.failed).toContain('docs/permissions')
    expect(ended.failed).toContain('iam:GetRole')
    expect(ended.writes).toEqual({ aws: [], cluster: [] })
    expect(world.record()).toBeDefined()
  })

  it("refuses to take the controller away under others' NodePools", async () => {
    world.server.put('/apis/karpenter.sh/v1/nodepools/theirs', {
      apiVersion: 'karpenter.sh/v1',
      kind: 'NodePool',
      spec: {}
    })
    const ended = await uninstall()
    expect(ended.failed).toContain('NodePool theirs')
    expect(ended.writes).toEqual({ aws: [], cluster: [] })
    // A controller that is not ours stays anyway.
    world.helm.disown({})
    expect((await uninstall()).failed).toBeUndefined()
    expect(world.server.at('/apis/karpenter.sh/v1/nodepools/theirs')).toBeDefined()
  })
})

test('what cannot be removed fails the step, is listed as left, and stays in the record', async () => {
  deny('iam', 'DeleteRole')
  const ended = await uninstall()
  expect(ended.failed).toContain('Controller role blue-karpenter')
  expect(ended.failed).toContain('These changes were made and stay')
  expect(ended.outputs['leftovers']).toContain('blue-karpenter')
  expect(ended.outputs['changed']).toBe('true')
  expect(ended.report).toMatchObject({
    result: 'failed',
    removal: {
      leftovers: expect.arrayContaining([
        expect.objectContaining({ name: 'Controller role blue-karpenter' })
      ]) as unknown
    }
  })
  expect(world.record()).toBeDefined()
  expect([world.lockHolder(), ended.state]).toEqual(['', ''])
  world.cloud.setFaults([])
  const again = await uninstall()
  expect([again.failed, again.outputs['leftovers']]).toEqual([undefined, '[]'])
  expect(world.record()).toBeUndefined()
})

test('what was removed and still shows a minute later fails the step, and is listed as left', async () => {
  world.aws.tagsStay = true
  const ended = await uninstall()
  expect(ended.failed).toContain('was removed and still shows')
  expect(ended.failed).toContain('Run again: an uninstall goes on where the last one ended.')
  expect(ended.outputs['leftovers']).toContain('tag karpenter.sh/discovery on subnet-1')
  expect(world.record()).toBeDefined()
  expect(world.lockHolder()).toBe('')
})

test('a cancel ends it without proof, and leaves the lock to post', async () => {
  const ended = await world.main(
    { mode: 'uninstall' },
    {
      at: (request, { cancel }) => {
        if (request === 'DELETE /apis/karpenter.sh/v1/nodepools/default') cancel()
      }
    }
  )
  expect(ended.failed).toContain('the job was cancelled')
  expect(ended.report).toMatchObject({ result: 'cancelled' })
  expect(ended.outputs).not.toHaveProperty('leftovers')
  expect(world.lockHolder()).toContain('runs/2#')
  expect(world.aws.discoveryTags()).toEqual(installed)
  await world.post(ended)
  expect(world.lockHolder()).toBe('')
})

function deny(service: string, action: string): void {
  const message = `User: x is not authorized to perform: ${service}:${action}`
  world.cloud.setFaults([
    { service, action, effect: { kind: 'error', code: 'AccessDenied', message, status: 403 } }
  ])
}

test('one that waited for another looks again at what is there, and takes that', async () => {
  const leases = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases'
  const late = '/apis/karpenter.sh/v1/nodepools/late'
  const hold = (holderIdentity: string): unknown =>
    world.server.put(`${leases}/setup-karpenter`, {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { namespace: 'kube-system' },
      spec: { holderIdentity, leaseDurationSeconds: 60, renewTime: '2026-11-30T08:00:00.000000Z' }
    })
  hold('other')
  const ended = await world.main(
    { mode: 'uninstall' },
    {
      at: (request) => {
        if (request !== `GET ${leases}`) return
        // Meanwhile the other run has installed a NodePool more.
        setImmediate(() => {
          world.server.put(late, {
            apiVersion: 'karpenter.sh/v1',
            kind: 'NodePool',
            metadata: { labels: { 'app.kubernetes.io/managed-by': 'setup-karpenter' } },
            spec: {}
          })
          hold('')
        })
      }
    }
  )
  expect(ended.failed).toBeUndefined()
  expect(ended.log.filter((line) => line.startsWith('::group::Discover'))).toHaveLength(2)
  expect(ended.writes.cluster).toContain(`DELETE ${late}`)
  expect(world.server.at(late)).toBeUndefined()
})

test('force-drain: true sets an end to the drain of each node', async () => {
  const claim = '/apis/karpenter.sh/v1/nodeclaims/default-x'
  world.server.put(claim, {
    apiVersion: 'karpenter.sh/v1',
    kind: 'NodeClaim',
    metadata: { labels: { 'karpenter.sh/nodepool': 'default' }, deletionTimestamp: '2026-11-30T08:00:00Z' },
    status: { nodeName: 'one' }
  })
  const ended = await world.main(
    { mode: 'uninstall', 'force-drain': 'true' },
    {
      // Karpenter does what it is told.
      at: (request) => {
        if (request === `PATCH ${claim}`) setImmediate(() => world.server.remove(claim))
      }
    }
  )
  expect(ended.failed).toBeUndefined()
  expect(ended.log.join('\n')).toContain('forced the drain of NodeClaim default-x')
})
