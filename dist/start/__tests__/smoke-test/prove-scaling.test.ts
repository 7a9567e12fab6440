import { isMap } from '../../src/engine/json.js'
import { field, textField } from '../../src/kubernetes/manifest.js'
import { smokeTestLabel } from '../../src/smoke-test/objects.js'
import { proveScaling, type Proof } from '../../src/smoke-test/prove-scaling.js'
import type { NodePoolResult } from '../../src/smoke-test/result.js'
import { ApiServer } from '../kubernetes/api-server.js'
import { recordedStep } from '../resources/step.js'

const pools = '/apis/karpenter.sh/v1/nodepools'
const claims = '/apis/karpenter.sh/v1/nodeclaims'
const deployments = '/apis/apps/v1/namespaces/karpenter/deployments'
const pods = '/api/v1/namespaces/karpenter/pods'
const at = (seconds: number): string => new Date(Date.UTC(2026, 0, 1, 0, 0, seconds)).toISOString()
const met = (type: string, seconds: number) => ({
  type,
  status: 'True',
  reason: type,
  lastTransitionTime: at(seconds)
})

let server: ApiServer
/** Seconds until the node of a test is ready, by the name of the NodePool that is copied. */
let readySeconds: Readonly<Record<string, number>>
/** NodePools whose test finds no instance. */
let empty: ReadonlySet<string>
/** Names of temporary NodePools in the order in which they came. */
let made: string[]
let results: readonly NodePoolResult[]
/** What becomes of a Deployment that was made. */
let together: (deployment: unknown) => void
/** Names of Deployments that were deleted. */
let ended: Set<string>
beforeEach(async () => {
  server = await ApiServer.start()
  readySeconds = { default: 31, gpu: 95 }
  empty = new Set()
  made = []
  results = []
  together = scaleUp
  ended = new Set()
  for (const name of ['default', 'gpu']) putNodePool(name)
  server.intercept = (call) => {
    if (call.path.startsWith(`${deployments}/smoke-test`)) {
      if (call.method === 'PATCH') {
        if (isMap(call.body))
          Object.assign(call.body, { metadata: { ...metadataOf(call.body), creationTimestamp: at(0) } })
        setImmediate(() => together(call.body))
      }
      if (call.method === 'DELETE') setImmediate(() => scaleDown(call.path.split('/').at(-1) ?? ''))
    }
    return false
  }
})
afterEach(async () => server.stop())

function putNodePool(name: string): void {
  server.put(`${pools}/${name}`, {
    apiVersion: 'karpenter.sh/v1',
    kind: 'NodePool',
    spec: { template: { spec: { nodeClassRef: { group: 'karpenter.k8s.aws' }, requirements: [] } } },
    status: { conditions: [met('Ready', 0)] }
  })
}

function metadataOf(object: unknown): Readonly<Record<string, unknown>> {
  const metadata = field(object, 'metadata')
  return isMap(metadata) ? metadata : {}
}

/** What Karpenter makes of the Deployment. */
function scaleUp(deployment: unknown): void {
  const name = textField(deployment, 'metadata', 'name') ?? ''
  const underTest = textField(deployment, 'metadata', 'annotations', 'setup-karpenter/node-pool') ?? ''
  const id = textField(deployment, 'spec', 'selector', 'matchLabels', smokeTestLabel) ?? ''
  made.push(name)
  if (empty.has(underTest)) return
  const ready = readySeconds[underTest] ?? 0
  server.put(`${claims}/${name}-x`, {
    apiVersion: 'karpenter.sh/v1',
    kind: 'NodeClaim',
    metadata: { labels: { 'karpenter.sh/nodepool': name, [smokeTestLabel]: id }, creationTimestamp: at(1) },
    status: {
      nodeName: name,
      conditions: [met('Launched', 3), met('Registered', 20), met('Initialized', ready)]
    }
  })
  server.put(`/api/v1/nodes/${name}`, {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { labels: { [smokeTestLabel]: id, 'node.kubernetes.io/instance-type': `${underTest}.large` } }
  })
  server.put(`${pods}/${name}-a`, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { labels: { [smokeTestLabel]: id } },
    spec: { nodeName: name },
    status: { phase: 'Running', conditions: [met('Ready', ready)] }
  })
}

function scaleDown(name: string): void {
  ended.add(name)
  server.remove(`${pods}/${name}-a`)
  server.remove(`/api/v1/nodes/${name}`)
  server.remove(`${claims}/${name}-x`)
}

const proof = (test: Partial<Proof['test']> = {}): Proof => ({
  test: {
    replicas: 1,
    onePerNode: false,
    image: 'nginx',
    networkImage: undefined,
    nodePools: [],
    timeoutSeconds: 60,
    nodeReadyThresholdSeconds: undefined,
    ...test
  },
  otherwise: { kind: 'every' },
  namespace: 'karpenter',
  kubernetes: server.kubernetes,
  instanceStates: async () => new Map(),
  instanceEnds: async () => new Map(),
  instanceGroups: async () => new Map(),
  ownership: { owner: 'setup-karpenter', run: 'run-1' },
  tested: (all) => {
    results = all
  }
})

/** What is there of smoke tests: nothing may be. */
function left(): readonly (string | undefined)[] {
  return made.flatMap((name) =>
    [`${pools}/${name}`, `${deployments}/${name}`, `${claims}/${name}-x`].filter(
      (path) => server.at(path) !== undefined
    )
  )
}

test('NodePools are proved by objects of their own, and told in their order', async () => {
  await proveScaling(proof(), recordedStep())
  expect(made.toSorted()).toEqual(['smoke-test-run-1', 'smoke-test-run-1-2'])
  expect(
    results.map(({ nodePool, nodesBefore, nodesAfter, nodesAdded, nodeReadySeconds }) => [
      nodePool,
      nodesBefore,
      nodesAfter,
      nodesAdded,
      nodeReadySeconds
    ])
  ).toEqual([
    ['default', 0, 1, 1, 31],
    ['gpu', 0, 1, 1, 95]
  ])
  expect(results[1]?.nodes).toMatchObject([{ name: 'smoke-test-run-1-2', instanceType: 'gpu.large' }])
  expect(left()).toEqual([])
})

test('ten NodePools are proved side by side: each gets its node only when all ten have asked', async () => {
  const names = Array.from({ length: 8 }, (_, index) => `more-${index}`)
  for (const name of names) putNodePool(name)
  const asked: unknown[] = []
  together = (deployment) => {
    asked.push(deployment)
    if (asked.length === 10) asked.forEach(scaleUp)
  }
  const step = recordedStep()
  await proveScaling(proof(), step)
  expect(results.map(({ nodePool, nodesAdded }) => [nodePool, nodesAdded])).toEqual(
    ['default', 'gpu', ...names].map((name) => [name, 1])
  )
  const watched = server.calls.flatMap(({ path, query }) =>
    query.get('watch') === 'true' && query.get('fieldSelector')?.startsWith('metadata.name=') !== true
      ? [path]
      : []
  )
  expect(watched.filter((path, index) => watched.indexOf(path) !== index)).toEqual([])
  expect(step.waits).toContainEqual(expect.stringMatching(/^10 NodePools at once: .*default: .* \| .*gpu: /))
  expect(left()).toEqual([])
})

test('of more than ten the next is begun when one has ended', async () => {
  const names = Array.from({ length: 10 }, (_, index) => `more-${index}`)
  for (const name of names) putNodePool(name)
  let most = 0
  together = (deployment) => {
    const there = made.length + 1 - ended.size
    most = Math.max(most, there)
    scaleUp(deployment)
  }
  await proveScaling(proof(), recordedStep())
  expect(results).toHaveLength(12)
  expect(most).toBeLessThanOrEqual(10)
})

test('what a quota has no room for beside the others is proved once more, alone', async () => {
  const full = 'pods "x" is forbidden: exceeded quota: compute, requested: cpu=1, used: cpu=1, limited: cpu=1'
  together = (deployment) => {
    const underTest = textField(deployment, 'metadata', 'annotations', 'setup-karpenter/node-pool')
    const name = textField(deployment, 'metadata', 'name') ?? ''
    if (underTest !== 'gpu' || ended.has('smoke-test-run-1')) return scaleUp(deployment)
    made.push(name)
    const condition = { type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: full }
    server.put(`${deployments}/${name}`, {
      ...(isMap(deployment) && deployment),
      metadata: metadataOf(deployment),
      status: { conditions: [condition] }
    })
  }
  const step = recordedStep()
  await proveScaling(proof(), step)
  expect(results.map(({ nodePool, nodesAdded }) => [nodePool, nodesAdded])).toEqual([
    ['default', 1],
    ['gpu', 1]
  ])
  expect(made).toContain('smoke-test-run-1-3')
  expect(step.lines).toContain(
    'note: smoke test of NodePool gpu: a quota had no room beside the others; once more, alone'
  )
  expect(left()).toEqual([])
})

test('the NodePools under test are not written', async () => {
  const before = ['default', 'gpu'].map((name) => server.at(`${pools}/${name}`))
  await proveScaling(proof(), recordedStep())
  expect(['default', 'gpu'].map((name) => server.at(`${pools}/${name}`))).toEqual(before)
  expect(
    server
      .writes()
      .filter(({ path }) => !path.includes('/smoke-test-run-1'))
      .map(({ path }) => path)
  ).toEqual([])
})

test('a named NodePool alone is proved', async () => {
  await proveScaling(proof({ nodePools: ['gpu'] }), recordedStep())
  expect(results.map(({ nodePool }) => nodePool)).toEqual(['gpu'])
  expect(made).toEqual(['smoke-test-run-1'])
})

test('a name that is wrong is found before anything is made', async () => {
  await expect(proveScaling(proof({ nodePools: ['default', 'arm'] }), recordedStep())).rejects.toThrow(
    'smoke-test-node-pools: arm: the cluster has no such NodePool'
  )
  expect(made).toEqual([])
})

test('a threshold fails the run once all is told and removed', async () => {
  await expect(proveScaling(proof({ nodeReadyThresholdSeconds: 60 }), recordedStep())).rejects.toThrow(
    /^node-ready-threshold-seconds: the slowest new node of NodePool gpu was ready after 95 s/
  )
  expect(results).toHaveLength(2)
  expect(left()).toEqual([])
})

test('a NodePool that fails does not keep the others from being proved', async () => {
  empty = new Set(['default'])
  let now = 0
  const step = recordedStep(() => now)
  const running = proveScaling(proof(), step)
  const failure = running.then(
    () => 'it succeeded',
    (error: unknown) => error
  )
  while (results.length === 0) await new Promise((resolve) => setImmediate(resolve))
  now = 60_000
  expect(await failure).toMatchObject({
    message: expect.stringContaining('smoke test of NodePool default: 0 of 1 pods ran') as unknown
  })
  expect(results.map(({ nodePool }) => nodePool)).toEqual(['gpu'])
  expect(left()).toEqual([])
})

test('failures of several NodePools are all told', async () => {
  await expect(proveScaling(proof({ nodeReadyThresholdSeconds: 5 }), recordedStep())).rejects.toMatchObject({
    errors: [
      { message: expect.stringContaining('NodePool default was ready after 31 s') as unknown },
      { message: expect.stringContaining('NodePool gpu was ready after 95 s') as unknown }
    ]
  })
})

test('a run that is told to end ends at once, tells what is proved, and leaves the removal to the post step', async () => {
  empty = new Set(['gpu'])
  const ends = new AbortController()
  const running = proveScaling(proof(), recordedStep(Date.now, ends.signal))
  while (results.length === 0) await new Promise((resolve) => setImmediate(resolve))
  ends.abort(new Error('cancelled'))
  await expect(running).rejects.toThrow('cancelled')
  expect(results.map(({ nodePool }) => nodePool)).toEqual(['default'])
  expect(left()).toEqual([`${pools}/smoke-test-run-1-2`, `${deployments}/smoke-test-run-1-2`])
})

test('what an earlier run left behind goes first', async () => {
  const leftover = `${pools}/smoke-test-run-0`
  server.put(leftover, {
    apiVersion: 'karpenter.sh/v1',
    kind: 'NodePool',
    metadata: { labels: { [smokeTestLabel]: 'run-0' } }
  })
  const step = recordedStep()
  await proveScaling(proof({ nodePools: ['default'] }), step)
  expect(server.at(leftover)).toBeUndefined()
  expect(step.lines[0]).toBe('note: removed NodePool smoke-test-run-0, left by an earlier smoke test')
})
