import { cleanUp } from '../../src/smoke-test/clean-up.js'
import { RemovalView } from '../../src/resources/removal/removal-view.js'
import { FollowedObjects } from '../../src/smoke-test/followed-objects.js'
import { objectNames, smokeTestId, smokeTestLabel } from '../../src/smoke-test/objects.js'
import { runSmokeTest, type SmokeTestOptions, type SmokeTestPorts } from '../../src/smoke-test/run.js'
import { ApiServer } from '../kubernetes/api-server.js'
import { recordedStep } from '../resources/step.js'

let server: ApiServer
let instances: Map<string, string>
let ports: SmokeTestPorts
beforeEach(async () => {
  server = await ApiServer.start()
  instances = new Map()
  ports = {
    kubernetes: server.kubernetes,
    before: { uids: new Set(['uid-of-old']), count: 1 },
    otherNodes: async () => 1,
    ownership: { owner: 'setup-karpenter', run: 'https://run/1' },
    instanceEnds: async () => new Map(),
    instanceGroups: async () => new Map(),
    drains: new RemovalView(server.kubernetes),
    followed: new FollowedObjects(server.kubernetes, 'karpenter', new AbortController().signal),
    instanceStates: async (ids) => new Map([...instances].filter(([id]) => ids.includes(id)))
  }
  server.put('/apis/karpenter.sh/v1/nodepools/default', {
    apiVersion: 'karpenter.sh/v1',
    kind: 'NodePool',
    status: { conditions: [met('Ready', 0)] },
    spec: {
      weight: 5,
      limits: { cpu: 1000 },
      disruption: { consolidateAfter: 'Never' },
      template: { spec: { taints: [{ key: 'own', effect: 'NoSchedule' }], requirements: [] } }
    }
  })
  server.put('/api/v1/nodes/old', { apiVersion: 'v1', kind: 'Node', metadata: {} })
})
afterEach(async () => Promise.all([ports.followed.close(), server.stop()]).then(() => undefined))

const options: SmokeTestOptions = {
  run: 'run-1',
  id: 'run-1',
  nodePool: 'default',
  namespace: 'karpenter',
  replicas: 2,
  onePerNode: false,
  image: 'nginx',
  networkImage: undefined,
  timeoutSeconds: 60
}
const names = objectNames('run-1')
const poolPath = `/apis/karpenter.sh/v1/nodepools/${names.nodePool}`
const deploymentPath = `/apis/apps/v1/namespaces/karpenter/deployments/${names.deployment}`
const claimLabels = { 'karpenter.sh/nodepool': names.nodePool, [smokeTestLabel]: 'run-1' }
const claimPath = `/apis/karpenter.sh/v1/nodeclaims/${names.nodePool}-x`
const at = (seconds: number): string => new Date(Date.UTC(2026, 0, 1, 0, 0, seconds)).toISOString()
const met = (type: string, seconds: number) => ({
  type,
  status: 'True',
  reason: type,
  lastTransitionTime: at(seconds)
})

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve))
}

/** What controllers make of the Deployment: a NodeClaim, its node, and two pods on it. */
async function karpenter(): Promise<void> {
  await until(() => server.at(deploymentPath) !== undefined)
  instances.set('i-0a', 'running')
  server.put('/api/v1/events/one', {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: {},
    involvedObject: { kind: 'NodeClaim', name: `${names.nodePool}-x` },
    reason: 'Launched',
    message: 'Status condition transitioned',
    lastTimestamp: at(2)
  })
  server.put(claimPath, {
    apiVersion: 'karpenter.sh/v1',
    kind: 'NodeClaim',
    metadata: { labels: claimLabels, creationTimestamp: at(1) },
    status: {
      nodeName: 'new',
      providerID: 'aws:///eu-west-1a/i-0a',
      conditions: [met('Launched', 3), met('Registered', 20), met('Initialized', 31)]
    }
  })
  server.put('/api/v1/nodes/new', {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      labels: {
        [smokeTestLabel]: 'run-1',
        'node.kubernetes.io/instance-type': 'm5.large',
        'topology.kubernetes.io/zone': 'eu-west-1a',
        'karpenter.sh/capacity-type': 'spot'
      }
    },
    spec: { providerID: 'aws:///eu-west-1a/i-0a' }
  })
  for (const [name, seconds] of [
    ['a', 35],
    ['b', 38]
  ] as const) {
    server.put(`/api/v1/namespaces/karpenter/pods/${names.deployment}-${name}`, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { labels: { [smokeTestLabel]: 'run-1' } },
      spec: { nodeName: 'new' },
      status: { phase: 'Running', conditions: [met('Ready', seconds)] }
    })
  }
}

/** Karpenter takes its empty node back. */
async function consolidation(): Promise<void> {
  await until(() => server.at(deploymentPath) === undefined)
  server.remove(claimPath)
  server.remove('/api/v1/nodes/new')
  instances.set('i-0a', 'terminated')
}

test('counts, names and times what Karpenter made, and sees it go again', async () => {
  server.intercept = (call) => {
    // The server's clock is the test's.
    if (call.method === 'PATCH' && call.path === deploymentPath) {
      Object.assign(call.body ?? {}, {
        metadata: { ...server.at(deploymentPath)?.metadata, creationTimestamp: at(0) }
      })
    }
    return false
  }
  const step = recordedStep()
  const running = runSmokeTest(options, ports, step)
  await until(() => server.watching >= 6)
  await karpenter()
  await consolidation()
  expect(await running).toEqual({
    nodePool: 'default',
    nodesBefore: 1,
    nodesAfter: 2,
    nodesAdded: 1,
    nodes: [
      {
        name: 'new',
        uid: expect.any(String) as unknown,
        instanceId: 'i-0a',
        instanceType: 'm5.large',
        zone: 'eu-west-1a',
        capacityType: 'spot',
        seconds: { launched: 2, registered: 19, initialized: 30 },
        pods: 2
      }
    ],
    podsRunning: 2,
    stages: { launched: 3, registered: 20, initialized: 31, podsRunning: 38 },
    nodeReadySeconds: 31,
    scaledUpAt: Date.parse('2026-01-01T00:00:00Z'),
    scaledDownAt: expect.any(Number) as unknown,
    scaleDownSeconds: expect.any(Number) as unknown,
    scaleDown: 'consolidated',
    took: expect.objectContaining({ ours: expect.any(Number) as unknown }) as unknown,
    events: [
      {
        time: at(2),
        reason: 'Launched',
        object: `NodeClaim/${names.nodePool}-x`,
        message: 'Status condition transitioned'
      }
    ]
  })
  expect(step.lines).toEqual([
    'note: smoke test of NodePool default: 2 pods run on 1 new nodes (1 before, 2 after)'
  ])
  expect([server.at(poolPath), server.at(deploymentPath)]).toEqual([undefined, undefined])
})

test('the NodePool is a copy of the one under test with the label and taint of this run, and gives empty nodes back', async () => {
  const running = runSmokeTest(options, ports, recordedStep())
  await karpenter()
  expect(server.at(poolPath)).toMatchObject({
    metadata: { labels: { [smokeTestLabel]: 'run-1', 'app.kubernetes.io/managed-by': 'setup-karpenter' } },
    spec: {
      limits: { cpu: 1000 },
      disruption: { consolidationPolicy: 'WhenEmpty', consolidateAfter: '0s', budgets: [{ nodes: '100%' }] },
      template: {
        metadata: { labels: { [smokeTestLabel]: 'run-1' } },
        spec: {
          taints: [
            { key: 'own', effect: 'NoSchedule' },
            { key: smokeTestLabel, value: 'run-1', effect: 'NoSchedule' }
          ]
        }
      }
    }
  })
  expect(server.at(poolPath)?.['spec']).not.toHaveProperty('weight')
  expect(server.at(deploymentPath)).toMatchObject({
    spec: {
      template: { spec: { nodeSelector: { [smokeTestLabel]: 'run-1' }, containers: [{ image: 'nginx' }] } }
    }
  })
  await consolidation()
  await running
})

test('its pods stay off Fargate, whose profile may take their namespace in', async () => {
  const running = runSmokeTest(options, ports, recordedStep())
  await karpenter()
  expect(server.at(deploymentPath)).toMatchObject({
    spec: { template: { metadata: { annotations: { 'eks.amazonaws.com/compute-type': 'ec2' } } } }
  })
  await consolidation()
  await running
})

test('an instance that EC2 still runs after its node is gone is waited for', async () => {
  const step = recordedStep()
  const running = runSmokeTest(options, ports, step)
  await karpenter()
  await until(() => server.at(deploymentPath) === undefined)
  server.remove(claimPath)
  server.remove('/api/v1/nodes/new')
  await until(() => step.waits.some((line) => line.includes('EC2 instances i-0a (running) to end')))
  instances.set('i-0a', 'shutting-down')
  expect((await running).scaleDown).toBe('consolidated')
})

describe('a scale-up that does not come about', () => {
  const failing = async (prepare: () => void): Promise<unknown> => {
    let now = 0
    const step = recordedStep(() => now)
    const running = runSmokeTest(options, ports, step)
    const failure = running.then(
      () => 'it succeeded',
      (error: unknown) => error
    )
    await until(() => server.watching >= 6 && server.at(deploymentPath) !== undefined)
    prepare()
    await new Promise((resolve) => setTimeout(resolve, 50))
    now = 60_000
    const thrown = await failure
    expect([server.at(poolPath), server.at(deploymentPath)]).toEqual([undefined, undefined])
    return thrown
  }

  test('because the node never joined names node access', async () => {
    const thrown = await failing(() => {
      server.put(claimPath, {
        apiVersion: 'karpenter.sh/v1',
        kind: 'NodeClaim',
        metadata: { labels: claimLabels },
        status: {
          providerID: 'aws:///eu-west-1a/i-0a',
          conditions: [met('Launched', 3), { type: 'Registered', status: 'Unknown', reason: 'NodeNotFound' }]
        }
      })
    })
    expect(thrown).toMatchObject({
      message: `smoke test of NodePool default: 0 of 2 pods ran after 60 s: i-0a was launched for NodeClaim ${names.nodePool}-x and never joined the cluster as a node`,
      fix: expect.stringContaining('an access entry of type EC2_LINUX') as unknown
    })
  })

  test('because EC2 refuses keeps the words of a NodeClaim that is gone again', async () => {
    const thrown = await failing(() => {
      server.put(claimPath, {
        apiVersion: 'karpenter.sh/v1',
        kind: 'NodeClaim',
        metadata: { labels: claimLabels },
        status: {
          conditions: [
            {
              type: 'Launched',
              status: 'False',
              reason: 'InsufficientCapacity',
              message: 'UnfulfillableCapacity: none'
            }
          ]
        }
      })
      server.remove(claimPath)
    })
    expect(thrown).toMatchObject({
      message: expect.stringContaining(
        'got no instance: InsufficientCapacity: UnfulfillableCapacity: none'
      ) as unknown,
      fix: expect.stringContaining('allow more instance types') as unknown
    })
  })

  test('without a word about it does not take a turned condition for the cause', async () => {
    const thrown = await failing(() => {
      server.put('/api/v1/events/one', {
        apiVersion: 'v1',
        kind: 'Event',
        metadata: {},
        involvedObject: { kind: 'NodePool', name: names.nodePool },
        reason: 'Ready',
        message: 'Status condition transitioned, Type: Ready, Status: Unknown -> True',
        lastTimestamp: at(2)
      })
    })
    expect(thrown).toMatchObject({
      message: expect.stringContaining('the Deployment made no pods') as unknown
    })
  })

  test('because no instance type fits says what Karpenter said about the pod', async () => {
    const thrown = await failing(() => {
      server.put('/api/v1/events/one', {
        apiVersion: 'v1',
        kind: 'Event',
        metadata: {},
        involvedObject: { kind: 'Pod', name: `${names.deployment}-a` },
        reason: 'FailedScheduling',
        message: 'all available instance types exceed limits for nodepool',
        lastTimestamp: at(2)
      })
    })
    expect(thrown).toMatchObject({
      message: expect.stringContaining('all available instance types exceed limits') as unknown,
      fix: expect.stringContaining('Raise spec.limits') as unknown
    })
  })
})

test('a NodePool that is gone meanwhile is said', async () => {
  await expect(runSmokeTest({ ...options, nodePool: 'gpu' }, ports, recordedStep())).rejects.toThrow(
    'NodePool gpu: does not exist any more'
  )
})

test('a NodePool that does not become Ready is refused with its condition, and nothing is made', async () => {
  server.put('/apis/karpenter.sh/v1/nodepools/default', {
    apiVersion: 'karpenter.sh/v1',
    kind: 'NodePool',
    spec: {},
    status: {
      conditions: [
        { type: 'Ready', status: 'False', reason: 'UnhealthyDependents', message: 'NodeClassReady=False' },
        {
          type: 'NodeClassReady',
          status: 'False',
          reason: 'NodeClassNotFound',
          message: 'not found on cluster'
        }
      ]
    }
  })
  let now = 0
  const step = recordedStep(() => now)
  const running = runSmokeTest(options, ports, step)
  await until(() =>
    step.waits.includes(
      'NodePool default to be Ready: NodeClassReady=False (NodeClassNotFound): not found on cluster'
    )
  )
  now = 30_000
  await expect(running).rejects.toThrow(
    'NodePool default: is not Ready, so there is nothing to prove: NodeClassReady=False (NodeClassNotFound): not found on cluster'
  )
  expect(server.writes()).toEqual([])
})

test('cleaning up takes what is of this run, of any of its NodePools, and nothing else', async () => {
  const metadata = { namespace: 'karpenter', labels: { [smokeTestLabel]: 'run-1' } }
  const second = `${poolPath}-2`
  server.put(poolPath, { apiVersion: 'karpenter.sh/v1', kind: 'NodePool', metadata })
  server.put(second, { apiVersion: 'karpenter.sh/v1', kind: 'NodePool', metadata })
  server.put(deploymentPath, { apiVersion: 'apps/v1', kind: 'Deployment', metadata })
  server.put('/apis/karpenter.sh/v1/nodepools/smoke-test-run-10', {
    apiVersion: 'karpenter.sh/v1',
    kind: 'NodePool',
    metadata: { labels: { [smokeTestLabel]: 'run-10' } }
  })
  expect(await cleanUp(server.kubernetes, 'karpenter', 'run-1')).toEqual([
    `removed Deployment karpenter/${names.deployment}`,
    `removed NodePool ${names.nodePool}`,
    `removed NodePool ${names.nodePool}-2`
  ])
  expect(server.at('/apis/karpenter.sh/v1/nodepools/smoke-test-run-10')).toBeDefined()
  expect(server.at('/apis/karpenter.sh/v1/nodepools/default')).toBeDefined()
  expect(await cleanUp(server.kubernetes, 'karpenter', 'run-1')).toEqual([])
})

test.each([
  ['https://github.com/o/r/actions/runs/123/attempts/2', 'r-actions-runs-123-attempts-2'],
  ['local', 'local'],
  ['///', 'local']
])('the id of %s can stand in names and labels', (run, id) => {
  expect(smokeTestId(run)).toMatch(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/)
  expect(smokeTestId(run)).toBe(id.slice(-30))
})
