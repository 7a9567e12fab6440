import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { newest, startSandbox, type ActionResult, type Sandbox } from '../sandbox/index.js'
import { list, record, text } from '../sandbox/values.js'
import { allObjects, awsObjects, launchTemplates } from './everything.js'
import {
  at,
  callsOf,
  conditions,
  get,
  launchedByKarpenter,
  listed,
  paths,
  reportOf,
  smokeTestObjects,
  succeeded,
  until,
  writes
} from './scenario.js'

const nodePool = (name: string, requirements: string): string => `
apiVersion: karpenter.sh/v1
kind: NodePool
metadata:
  name: ${name}
  annotations: { owner: platform-team }
spec:
  weight: 10
  limits: { cpu: 100 }
  disruption: { consolidationPolicy: WhenEmpty, consolidateAfter: Never }
  template:
    spec:
      nodeClassRef: { group: karpenter.k8s.aws, kind: EC2NodeClass, name: default }
      taints: [{ key: team, value: ${name}, effect: NoSchedule }]
      requirements:
        - { key: karpenter.sh/capacity-type, operator: In, values: [on-demand] }
        - ${requirements}
`
const nodePools = `
apiVersion: karpenter.k8s.aws/v1
kind: EC2NodeClass
metadata: { name: default }
spec:
  role: KarpenterNodeRole-proven
  amiSelectorTerms: [{ alias: al2023@latest }]
  subnetSelectorTerms: [{ tags: { karpenter.sh/discovery: proven } }]
  securityGroupSelectorTerms: [{ tags: { karpenter.sh/discovery: proven } }]
---${nodePool('general', '{ key: karpenter.k8s.aws/instance-category, operator: In, values: [m] }')}
---${nodePool('compute', '{ key: karpenter.k8s.aws/instance-category, operator: In, values: [c] }')}
`
/** Somebody's workload, on nodes that Karpenter made for it. */
const workload = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'shop', namespace: 'default' },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: 'shop' } },
    template: {
      metadata: { labels: { app: 'shop' } },
      spec: {
        tolerations: [{ key: 'team', operator: 'Exists' }],
        nodeSelector: { 'karpenter.sh/nodepool': 'general' },
        containers: [{ name: 'shop', image: 'shop', resources: { requests: { cpu: '1500m' } } }]
      }
    }
  }
}
/** Nothing can be fetched from there. */
const unreachable = {
  template: 'http://127.0.0.1:1/template.yaml',
  chart: 'oci://127.0.0.1:1/karpenter',
  'helm-download-url': 'http://127.0.0.1:1'
}
const inputs = { ...unreachable, mode: 'smoke-test', 'smoke-test-replicas': '1' }

/**
 * Without the DaemonSets' pods of nodes that are gone, which Kubernetes itself collects after a minute: the last test waits
 * for that once.
 */
function withoutOrphans(objects: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const ofDaemonSet = (object: unknown): boolean =>
    list(at(object, 'metadata', 'ownerReferences')).some((owner) => at(owner, 'kind') === 'DaemonSet')
  return Object.fromEntries(
    Object.entries(objects).filter(([name, object]) => {
      const node = `${paths.nodes} ${text(at(object, 'spec', 'nodeName')) ?? ''}`
      return !name.startsWith('/api/v1/pods ') || !ofDaemonSet(object) || node in objects
    })
  )
}

describe('mode smoke-test on an installation that is in use', () => {
  let sandbox: Sandbox
  let objects: Readonly<Record<string, unknown>>
  let inAws: readonly string[]
  let templates: readonly string[]

  beforeAll(async () => {
    sandbox = await startSandbox({
      name: 'proven',
      region: 'eu-west-1',
      kubernetesVersion: '1.35',
      authenticationMode: 'API',
      nodes: { bootTime: 1500, readyTime: 1500 }
    })
    succeeded(
      await sandbox.run({
        'karpenter-version': newest,
        'node-pools': nodePools,
        // Karpenter gives no node back that it planned pods on within twice this time, which is 10 s by default.
        'helm-values': 'settings: { batchMaxDuration: 5s }',
        'smoke-test': 'false'
      })
    )
    await sandbox.kubernetes('POST', '/apis/apps/v1/namespaces/default/deployments', workload)
    await until('the workload', async () =>
      at(
        await get(sandbox, '/apis/apps/v1/namespaces/default/deployments/shop'),
        'status',
        'readyReplicas'
      ) === 2
        ? true
        : undefined
    )
    await until('its nodes', async () => {
      const claims = await listed(sandbox, paths.nodeClaims)
      return claims.length > 0 && claims.every((claim) => conditions(claim)['Initialized'] === 'True')
        ? true
        : undefined
    })
    templates = await launchTemplates(sandbox)
    inAws = await awsObjects(sandbox)
    objects = await allObjects(sandbox)
  })
  afterAll(async () => sandbox.stop())

  /** Whatever a run came to, nothing is left of it and nothing else has changed. */
  afterEach(async () => {
    await until('the end of the smoke test', async () =>
      (await smokeTestObjects(sandbox)).length === 0 ? true : undefined
    )
    await until('the end of its instances', async () =>
      (await launchedByKarpenter(sandbox)).every(
        ({ state, tags }) => state === 'terminated' || tags['karpenter.sh/nodepool'] === 'general'
      )
        ? true
        : undefined
    )
    expect(await awsObjects(sandbox)).toEqual(inAws)
    expect(withoutOrphans(await allObjects(sandbox))).toEqual(objects)
    expect(writes(callsOf(sandbox))).toEqual([])
  })

  async function run(more: Readonly<Record<string, string>> = {}): Promise<ActionResult> {
    sandbox.cloud.clearCalls()
    return sandbox.run({ ...inputs, ...more })
  }

  const tested = (result: ActionResult): readonly unknown[] =>
    list(reportOf(result)['smokeTests']).map((one) => record(one)['nodePool'])

  test('proves the NodePools side by side, and neither helm nor chart nor template is fetched for it', async () => {
    const result = succeeded(await run())
    // Both scaled up before either went down, and all seconds are somebody's.
    const tests = list(reportOf(result)['smokeTests']).map(record)
    const ups = tests.map((one) => Number(one['scaledUpAt']))
    expect(Math.max(...ups)).toBeLessThan(Math.min(...tests.map((one) => Number(one['scaledDownAt']))))
    const sums = tests.map(({ took }) =>
      ['karpenter', 'ec2', 'ours'].reduce((sum, whose) => sum + Number(at(took, whose)), 0)
    )
    const least = tests.map((one) => Number(one['nodeReadySeconds']) + Number(one['scaleDownSeconds']))
    for (const [index, sum] of sums.entries()) expect(sum).toBeGreaterThan((least[index] ?? 0) - 2)
    expect(result.summary).toMatch(/Waited for Karpenter to decide [\d.]+ s, for EC2 and the nodes [\d.]+ s/)
    expect(tested(result)).toEqual(['compute', 'general'])
    expect(result.outputs).toMatchObject({
      changed: 'false',
      'karpenter-version': newest,
      'kubernetes-version': '1.35',
      'nodes-added': '2',
      'nodes-after': String(Number(result.outputs['nodes-before']) + 1)
    })
    expect(result.outputs['node-names']?.split(',')).toHaveLength(2)
    expect(result.outputs['instance-types']).toMatch(/^c.+,m/)
    expect(Number(result.outputs['node-ready-seconds'])).toBeGreaterThan(1)
    expect(result.summary).toMatch(
      new RegExp(String.raw`\*\*Scales\*\*: Karpenter ${newest}, 2 new nodes came in .* and went again`)
    )
    expect(result.leaks).toEqual([])
    const stages = list(reportOf(result)['stages']).map((stage) => record(stage)['name'])
    expect(stages).toEqual(['Discover', 'Smoke test'])
  })

  test('a NodePool that is not there is an error that lists those that are', async () => {
    const result = await run({ 'smoke-test-node-pools': 'compute, gpu' })
    expect(result.conclusion).toBe('failure')
    const [error] = result.annotations.map(({ message }) => message)
    expect(error).toMatch(/^setup-karpenter: smoke-test-node-pools: gpu: the cluster has no such NodePool/)
    expect(error).toContain('Nothing was changed.')
    expect(error).toContain('It has these: compute, general')
  })

  test('proves a NodePool that is named, and fails above the threshold: all is told, set and removed', async () => {
    const result = await run({ 'smoke-test-node-pools': 'general', 'node-ready-threshold-seconds': '1' })
    expect(result.conclusion).toBe('failure')
    const [error] = result.annotations.map(({ message }) => message)
    expect(error).toMatch(
      /^setup-karpenter: node-ready-threshold-seconds: the slowest new node of NodePool general was ready after \d+ s, which is more than 1 s; most of it, \d+ s, went by until .* \(launched \d+ s, registered \d+ s, initialized \d+ s\)/
    )
    expect(error).toContain("The smoke test's own objects are removed; the installation stays as it was.")
    expect(await smokeTestObjects(sandbox)).toEqual([])
    expect(tested(result)).toEqual(['general'])
    expect(result.outputs).toMatchObject({ 'nodes-added': '1' })
    expect(result.outputs['node-ready-seconds']).toMatch(/^\d+$/)
  })

  test('a cancel while the second NodePool is proved leaves nothing after the post step', async () => {
    sandbox.cloud.clearCalls()
    const second = async (): Promise<true | undefined> =>
      (await smokeTestObjects(sandbox)).some((object) => /^NodeClaim smoke-test-.*-2-/.test(object))
        ? true
        : undefined
    const cancelAt = until('the NodeClaim of the second NodePool', second)
    const result = await sandbox.run(inputs, { cancelAt })
    expect(result.conclusion).toBe('cancelled')
    expect(result.post?.exitCode).toBe(0)
    expect(result.post?.log).toMatch(/removed Deployment karpenter\/smoke-test-.*-2/)
    expect(result.post?.log).toMatch(/removed NodePool smoke-test-.*-2/)
    expect(result.post?.log).toContain('released the lock')
    expect(result.post?.log.match(/removed NodePool smoke-test-/g)).toHaveLength(2)
    // The first one's nodes were there still.
    expect(tested(result)).toEqual([])
    expect(result.outputs['nodes-added']).toBeUndefined()
  })

  test('Karpenter drops the launch templates of the tests as it drops its own', async () => {
    sandbox.cloud.clearCalls()
    const before = new Set(templates)
    await until(
      'the end of the launch templates',
      async () => ((await launchTemplates(sandbox)).every((id) => before.has(id)) ? true : undefined),
      200
    )
    expect(await launchedByKarpenter(sandbox)).not.toEqual([])
  })

  test("with their nodes' last pods, which Kubernetes collects, nothing at all is left of the tests", async () => {
    sandbox.cloud.clearCalls()
    await until(
      "the end of the nodes' pods",
      async () => {
        const nodes = (await listed(sandbox, paths.nodes)).map((node) => at(node, 'metadata', 'name'))
        const pods = await listed(sandbox, '/api/v1/pods')
        return pods.every((pod) => nodes.includes(at(pod, 'spec', 'nodeName'))) ? true : undefined
      },
      200
    )
    expect(await allObjects(sandbox)).toEqual(objects)
  })
})
