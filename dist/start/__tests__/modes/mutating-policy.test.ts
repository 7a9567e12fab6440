import { isMap, mapAt } from '../../src/engine/json.js'
import { PlayedWorld } from './played-run.js'

const root = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations'
const quick = { 'smoke-test': 'false' }
const pool = '/apis/karpenter.sh/v1/nodepools/default'
const by = 'MutatingWebhookConfiguration limits'

let world: PlayedWorld
beforeEach(async () => {
  world = await PlayedWorld.start()
  world.server.put(`${root}/limits`, {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    webhooks: [
      {
        rules: [
          { apiGroups: ['karpenter.sh'], apiVersions: ['*'], operations: ['*'], resources: ['nodepools'] }
        ]
      }
    ]
  })
})
afterEach(async () => world.stop())

/** What a policy does to a NodePool, in the moment after it was written. */
function cap(): void {
  const live = world.server.at(pool)
  if (live === undefined) return
  const spec = mapAt(live, 'spec')
  world.server.put(pool, { ...live, spec: { ...spec, limits: { ...mapAt(spec, 'limits'), cpu: '7' } } })
}

const capped = { at: (request: string) => (request.startsWith('GET') ? cap() : undefined) }
const path = 'spec.limits.cpu'

it('an install names who changed what it wrote, and the next one leaves it at that', async () => {
  const ended = await world.main(quick, capped)
  expect(ended.failed).toBeUndefined()
  const [warning] = ended.warnings.filter((line) => line.includes(by))
  expect(warning).toMatch(/^NodePool default: spec\.limits\.cpu is "7", not .*though it was written so/)
  expect(warning).toContain('leave this object out of its rules')
  const entry = mapAt(mapAt(world.record(), 'resources'), 'node-pool/default')
  expect(entry['mutated']).toEqual([{ path, digest: expect.any(String) as unknown, by: [by] }])
  const again = await world.main(quick)
  expect([again.failed, again.outputs['changed'], again.writes.cluster]).toEqual([undefined, 'false', []])
  expect(again.log.join('\n')).toContain(`${by} keeps it so, and no install changes that`)
})

it('a check has no finding of it, and says it', async () => {
  await world.main(quick, capped)
  const check = await world.main({ ...quick, mode: 'check' })
  expect([check.failed, check.outputs['drift'], check.outputs['pending']]).toEqual([undefined, '0', '0'])
  expect(check.log.join('\n')).toContain(`${by} keeps it so, and no install changes that`)
})

it('another value than the one that came back is drift, of which a check promises nothing', async () => {
  await world.main(quick, capped)
  const live = world.server.at(pool)
  world.server.put(pool, {
    ...live,
    spec: { ...mapAt(live, 'spec'), limits: { ...mapAt(mapAt(live, 'spec'), 'limits'), cpu: '9' } }
  })
  const check = await world.main({ ...quick, mode: 'check' })
  expect(check.outputs['drift']).toBe('1')
  const findings = check.report?.['findings']
  const [finding] = Array.isArray(findings) ? findings.filter(isMap) : []
  expect(finding?.['install']).toMatch(
    /^change it back to .*; it may not stay so, because MutatingWebhookConfiguration limits may change/
  )
})

it('when the webhook is gone, the next install puts it right, and forgets it', async () => {
  await world.main(quick, capped)
  world.server.remove(`${root}/limits`)
  const check = await world.main({ ...quick, mode: 'check' })
  expect(check.outputs['drift']).toBe('1')
  const ended = await world.main(quick)
  expect([ended.failed, ended.outputs['changed']]).toEqual([undefined, 'true'])
  expect(mapAt(mapAt(world.record(), 'resources'), 'node-pool/default')).not.toHaveProperty('mutated')
  expect((await world.main({ ...quick, mode: 'check' })).outputs['drift']).toBe('0')
})

it('no digest of a secret is recorded, short as it may be: what came back of it stays drift, and the warning says so', async () => {
  const annotation = 'example.com/proxy-password'
  const pools = {
    ...quick,
    'node-pools': `apiVersion: karpenter.sh/v1
kind: NodePool
metadata: { name: default }
spec:
  template:
    metadata: { annotations: { ${annotation}: hunter2 } }
    spec: { requirements: [], nodeClassRef: { group: karpenter.k8s.aws, kind: EC2NodeClass, name: default } }
---
apiVersion: karpenter.k8s.aws/v1
kind: EC2NodeClass
metadata: { name: default }
spec:
  role: KarpenterNodeRole-blue
  amiSelectorTerms: [{ alias: al2023@latest }]
  subnetSelectorTerms: [{ tags: { karpenter.sh/discovery: blue } }]
  securityGroupSelectorTerms: [{ tags: { karpenter.sh/discovery: blue } }]`
  }
  const replaced = (): void => {
    const live = world.server.at(pool)
    if (live === undefined) return
    const template = mapAt(mapAt(live, 'spec'), 'template')
    const metadata = { ...mapAt(template, 'metadata'), annotations: { [annotation]: 'correcthorse' } }
    world.server.put(pool, {
      ...live,
      spec: { ...mapAt(live, 'spec'), template: { ...template, metadata } }
    })
  }
  const ended = await world.main(pools, {
    at: (request: string) => (request.startsWith('GET') ? replaced() : undefined)
  })
  expect(ended.failed).toBeUndefined()
  const [warning] = ended.warnings.filter((line) => line.includes(by))
  expect(warning).toContain('each install writes it anew and each check reports it')
  expect(warning).not.toMatch(/hunter2|correcthorse/)
  expect(mapAt(mapAt(world.record(), 'resources'), 'node-pool/default')).not.toHaveProperty('mutated')
  expect((await world.main({ ...pools, mode: 'check' })).outputs['drift']).toBe('1')
})

it('without such a webhook nothing is read again', async () => {
  world.server.remove(`${root}/limits`)
  const ended = await world.main(quick, capped)
  expect(ended.warnings.join('\n')).not.toContain('though it was written so')
})
