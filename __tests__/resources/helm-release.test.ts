import type { AnyResource } from '../../src/engine/resource.js'
import type { Chart } from '../../src/helm/chart.js'
import type { Helm, RunOptions } from '../../src/helm/run-helm.js'
import { fullName } from '../../src/resources/controller-rollout.js'
import { helmRelease } from '../../src/resources/helm-release.js'
import { releasePath, releaseSecret } from '../helm/release-secret.js'
import { ApiServer } from '../kubernetes/api-server.js'
import { recordedStep } from './step.js'

let server: ApiServer
let runs: { readonly args: readonly string[]; readonly options: RunOptions }[]
beforeEach(async () => {
  server = await ApiServer.start()
  runs = []
})
afterEach(async () => server.stop())

const chart: Chart = {
  path: '/tmp/karpenter-1.2.1.tgz',
  name: 'karpenter',
  version: '1.2.1',
  appVersion: '1.2.1',
  digest: undefined,
  values: {},
  crds: []
}
const helm: Helm = {
  version: '3.22.0',
  folder: '/tmp',
  run: async (args, options = {}) => {
    runs.push({ args, options })
    return { stdout: '', stderr: '' }
  },
  close: async () => undefined
}
const wanted = {
  name: 'karpenter',
  namespace: 'karpenter',
  chart: 'oci://public.ecr.aws/karpenter/karpenter',
  version: '1.2.1',
  digest: 'sha256:x',
  values: { replicas: 2, settings: { clusterName: 'blue' } }
}
const release = (): AnyResource =>
  helmRelease(wanted, {
    kubernetes: server.kubernetes,
    ownership: { owner: 'setup-karpenter', run: 'https://run/1' },
    dependsOn: [],
    helm: async () => helm,
    chart: async () => chart
  })
const inspect = () => release().inspect(new AbortController().signal)

const deploymentPath = '/apis/apps/v1/namespaces/karpenter/deployments/karpenter'
const deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'karpenter' },
  spec: { replicas: 2 }
}
const manifest =
  'apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: karpenter, namespace: karpenter }\nspec: { replicas: 2 }\n'
const available = { updatedReplicas: 2, availableReplicas: 2, replicas: 2, observedGeneration: 1 }

function deployed(version = '1.2.1', values: unknown = wanted.values): void {
  server.put(releasePath(1), releaseSecret(1, 'deployed', version, values, manifest))
  server.put(deploymentPath, { ...deployment, status: available })
}

test('a release that is not there is installed with its values on standard input, without CRDs and without waiting', async () => {
  const found = await inspect()
  expect(found.state).toBe('absent')
  const step = recordedStep()
  await found.apply(step)
  expect(step.lines).toEqual(['installed Helm release karpenter 1.2.1 in namespace karpenter'])
  expect(runs).toEqual([
    {
      args: [
        'upgrade',
        'karpenter',
        '/tmp/karpenter-1.2.1.tgz',
        '--install',
        '--namespace',
        'karpenter',
        '--values',
        '-',
        '--skip-crds',
        '--reset-values',
        '--history-max',
        '10',
        '--labels',
        'app.kubernetes.io/managed-by=setup-karpenter'
      ],
      options: { stdin: JSON.stringify(wanted.values), subject: 'Helm release karpenter' }
    }
  ])
})

test('a release as wanted needs no helm, and its settling no request', async () => {
  deployed()
  const found = await inspect()
  expect(found.state).toBe('as wanted')
  const before = server.calls.length
  await found.settle(recordedStep())
  expect(server.calls.length).toBe(before)
  expect(runs).toEqual([])
})

test('another version, another value and a value that is no longer wanted are named', async () => {
  deployed('1.1.0', { replicas: 1, settings: { clusterName: 'blue' }, logLevel: 'debug' })
  const found = await inspect()
  expect(found.differences.map((one) => one.reason)).toEqual([
    'chart 1.1.0 is installed, not 1.2.1',
    'values.replicas is 1, not 2',
    'values.logLevel is set and no longer wanted'
  ])
})

test("what somebody changed behind helm's back is a difference", async () => {
  deployed()
  server.put(deploymentPath, { ...deployment, spec: { replicas: 5 }, status: available })
  expect((await inspect()).differences.map((one) => one.reason)).toEqual([
    'Deployment/karpenter.spec.replicas is 5, not 2'
  ])
  server.remove(deploymentPath)
  expect((await inspect()).differences.map((one) => one.reason)).toEqual([
    'Deployment/karpenter does not exist'
  ])
})

test('what others added, which helm leaves there, is taken out after the upgrade, with who did it', async () => {
  deployed()
  const managedFields = [
    {
      manager: 'kubectl-edit',
      operation: 'Update',
      time: '2026-01-01T00:00:00Z',
      fieldsV1: { 'f:spec': { 'f:paused': {} } }
    }
  ]
  server.put(deploymentPath, {
    ...deployment,
    metadata: { name: 'karpenter', managedFields },
    spec: { replicas: 2, paused: true },
    status: available
  })
  const before = await inspect()
  expect(before.differences).toMatchObject([
    { path: 'Deployment/karpenter.spec.paused', live: true, by: { manager: 'kubectl-edit' } }
  ])
  const step = recordedStep()
  server.intercept = (call, response) => {
    if (call.method !== 'PATCH') return false
    server.put(deploymentPath, { ...deployment, status: available })
    response.end(JSON.stringify(server.at(deploymentPath)))
    return true
  }
  await before.apply(step)
  expect(runs).toHaveLength(1)
  expect(server.writes().map(({ body }) => body)).toEqual([
    [
      { op: 'test', path: '/metadata/resourceVersion', value: expect.any(String) as unknown },
      { op: 'add', path: '/spec', value: { replicas: 2 } }
    ]
  ])
  expect(step.lines.at(-1)).toBe('removed Deployment/karpenter.spec.paused')
  expect((await inspect()).state).toBe('as wanted')
})

test('a release that is another says which revision that is, and since when', async () => {
  deployed('1.1.0')
  expect((await inspect()).differences[0]?.by).toMatchObject({ manager: 'helm', operation: 'revision 1' })
})

test('the record of a release in another namespace is not held against this one', async () => {
  const found = await inspect()
  expect(found.against({ ...wanted, namespace: 'kube-system' })).toEqual([])
  expect(found.against(JSON.parse(JSON.stringify({ ...wanted, digest: undefined })))).toHaveLength(1)
})

test('a release that we installed is uninstalled, one that was there before is kept', async () => {
  const secret = releaseSecret(1, 'deployed', '1.2.1')
  server.put(releasePath(1), secret)
  expect(await release().remove(recordedStep())).toEqual({
    outcome: 'kept',
    reason: 'Helm release karpenter was there before',
    inUse: true
  })
  const labels = { ...secret.metadata.labels, 'app.kubernetes.io/managed-by': 'setup-karpenter' }
  server.put(releasePath(1), { ...secret, metadata: { labels } })
  expect(await release().remove(recordedStep())).toEqual({ outcome: 'removed' })
  expect(runs.map((run) => run.args.slice(0, 2))).toEqual([['uninstall', 'karpenter']])
})

test('a first install that failed is taken out of the way, so that the next one adopts what it made', async () => {
  server.put(releasePath(1), releaseSecret(1, 'failed', '1.2.1', wanted.values))
  const found = await inspect()
  expect(found.differences.map((one) => one.reason)).toEqual(['the release is failed'])
  const step = recordedStep()
  await found.apply(step)
  expect(server.at(releasePath(1))).toBeUndefined()
  expect(step.lines[0]).toBe(
    'note: Helm release karpenter: revision 1 was left failed; its record was removed'
  )
})

test('a failed upgrade has a deployed revision behind it and is upgraded again', async () => {
  server.put(releasePath(1), releaseSecret(1, 'deployed', '1.1.0', wanted.values))
  server.put(releasePath(2), releaseSecret(2, 'failed', '1.2.1', wanted.values))
  await (await inspect()).apply(recordedStep())
  expect(server.at(releasePath(2))).toBeDefined()
  expect(runs).toHaveLength(1)
})

test('an attempt that another helm has under way is awaited, and given up when it is stuck', async () => {
  let now = Date.now()
  server.put(releasePath(1), releaseSecret(1, 'pending-install', '1.2.1', wanted.values))
  const step = recordedStep(() => now)
  const applied = (await inspect()).apply(step)
  while (step.waits.length === 0) await new Promise((resolve) => setImmediate(resolve))
  expect(step.waits[0]).toMatch(
    /^another helm that has karpenter pending-install \(its attempt is given up in \d+ s\)$/
  )
  expect(runs).toEqual([])
  now += 6 * 60_000
  await applied
  expect(server.at(releasePath(1))).toBeUndefined()
  expect(runs).toHaveLength(1)
})

test('an attempt of our own is given up after half a minute: under the lock its run has ended', async () => {
  let now = Date.now()
  const secret = releaseSecret(1, 'pending-install', '1.2.1', wanted.values)
  const labels = { ...secret.metadata.labels, 'app.kubernetes.io/managed-by': 'setup-karpenter' }
  server.put(releasePath(1), { ...secret, metadata: { labels } })
  const step = recordedStep(() => now)
  const applied = (await inspect()).apply(step)
  while (step.waits.length === 0) await new Promise((resolve) => setImmediate(resolve))
  expect(runs).toEqual([])
  now += 31_000
  await applied
  expect(server.at(releasePath(1))).toBeUndefined()
  expect(runs).toHaveLength(1)
})

describe('a rollout', () => {
  const podPath = (name: string): string => `/api/v1/namespaces/karpenter/pods/${name}`
  const pod = (status: unknown) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { labels: { 'app.kubernetes.io/instance': 'karpenter', 'pod-template-hash': 'a' } },
    status
  })
  const waiting = (reason: string, message: string, restartCount = 0) => ({
    containerStatuses: [{ name: 'controller', restartCount, state: { waiting: { reason, message } } }]
  })
  let now: number
  const failing = () => recordedStep(() => (now += 31_000))
  beforeEach(() => {
    now = 0
    server.put(deploymentPath, { ...deployment, status: { ...available, availableReplicas: 1 } })
  })

  test('ends when every replica is updated and available', async () => {
    const found = await inspect()
    const step = recordedStep()
    const settled = found.settle(step)
    while (server.watching < 2) await new Promise((resolve) => setImmediate(resolve))
    server.put(deploymentPath, { ...deployment, status: available })
    await settled
    expect(step.waits).toEqual(['Deployment karpenter/karpenter: 1 of 2 pods are available'])
  })

  test('starts pods afresh that crashed before the run, and waits for the new ones', async () => {
    server.put(podPath('karpenter-0'), pod(waiting('CrashLoopBackOff', 'back-off', 7)))
    const step = recordedStep()
    const settled = (await inspect()).settle(step)
    while (server.at(podPath('karpenter-0')) !== undefined)
      await new Promise((resolve) => setImmediate(resolve))
    server.put(podPath('karpenter-1'), pod({}))
    server.put(deploymentPath, { ...deployment, status: available })
    await expect(settled).resolves.toBeUndefined()
    expect(step.lines).toEqual([
      'deleted pod karpenter-0, which kept crashing before this run, so that it starts afresh'
    ])
  })

  test('of a controller that crashes ends with its last words and what they ask for', async () => {
    server.intercept = (call, response) => {
      if (!call.path.endsWith('/log')) return false
      response.end('starting\npanic: NonExistentQueue: The specified queue does not exist\n')
      return true
    }
    const settled = (await inspect()).settle(recordedStep())
    settled.catch(() => undefined)
    while (server.watching < 2) await new Promise((resolve) => setImmediate(resolve))
    server.put(podPath('karpenter-1'), pod(waiting('CrashLoopBackOff', 'back-off', 3)))
    await expect(settled).rejects.toMatchObject({
      message: expect.stringMatching(
        /^Deployment karpenter\/karpenter: 1 of 2 pods are available; Pod karpenter-1 crashes again and again\..*NonExistentQueue/s
      ) as unknown,
      fix: expect.stringContaining('interruption-queue must be the name of a queue') as unknown,
      state: 'The release is installed; 1 of 2 pods are available. Nothing was rolled back.'
    })
    expect(server.calls.at(-1)?.query.get('previous')).toBe('true')
  })

  test('whose pod finds no node ends with what the scheduler says', async () => {
    const message = "0/1 nodes are available: 1 node(s) didn't match pod anti-affinity rules."
    server.put(
      podPath('karpenter-2'),
      pod({ conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }] })
    )
    await expect((await inspect()).settle(failing())).rejects.toMatchObject({
      message: expect.stringContaining(`Pod karpenter-2 Unschedulable: ${message}`) as unknown,
      fix: expect.stringContaining('helm-values: "replicas: 1"') as unknown
    })
  })

  test('whose pod finds no node while an old pod is still ending is given time', async () => {
    const conditions = [
      { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: 'Insufficient cpu' }
    ]
    server.put(podPath('karpenter-1'), {
      ...pod({}),
      metadata: {
        labels: { 'app.kubernetes.io/instance': 'karpenter', 'pod-template-hash': 'old' },
        creationTimestamp: '2026-01-01T00:00:00Z',
        deletionTimestamp: '2026-01-02T00:00:00Z'
      }
    })
    server.put(podPath('karpenter-2'), {
      ...pod({ conditions }),
      metadata: {
        labels: { 'app.kubernetes.io/instance': 'karpenter', 'pod-template-hash': 'a' },
        creationTimestamp: '2026-01-02T00:00:00Z'
      }
    })
    const settled = (await inspect()).settle(recordedStep(() => (now += 20_000)))
    while (server.watching < 2) await new Promise((resolve) => setImmediate(resolve))
    server.put(podPath('karpenter-2'), {
      ...pod({ conditions, phase: 'Pending' }),
      metadata: {
        labels: { 'app.kubernetes.io/instance': 'karpenter', 'pod-template-hash': 'a' },
        creationTimestamp: '2026-01-02T00:00:00Z'
      }
    })
    server.put(deploymentPath, { ...deployment, status: available })
    await expect(settled).resolves.toBeUndefined()
  })

  test('whose new pod crashes is not blamed on the next one, which finds no node because of it', async () => {
    server.put(
      podPath('karpenter-1'),
      pod({
        conditions: [
          { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: 'Insufficient cpu' }
        ]
      })
    )
    server.put(podPath('karpenter-2'), pod(waiting('CrashLoopBackOff', 'back-off', 1)))
    server.intercept = (call, response) => {
      if (!call.path.endsWith('/log')) return false
      response.end('panic: GetRegion')
      return true
    }
    await expect((await inspect()).settle(failing())).rejects.toMatchObject({
      message: expect.stringContaining('Pod karpenter-2 crashes again and again') as unknown
    })
  })

  test('whose image cannot be pulled ends with why', async () => {
    server.put(podPath('karpenter-1'), pod(waiting('ImagePullBackOff', 'manifest unknown')))
    await expect((await inspect()).settle(failing())).rejects.toMatchObject({
      message: expect.stringContaining('ImagePullBackOff: manifest unknown') as unknown
    })
  })

  test('whose pod hangs before it starts says what its events say', async () => {
    server.put(podPath('karpenter-1'), pod({ phase: 'Pending', ...waiting('ContainerCreating', '') }))
    server.intercept = (call, response) => {
      if (!call.path.endsWith('/events')) return false
      response.end(
        JSON.stringify({ metadata: {}, items: [{ metadata: {}, message: 'failed to assign an IP address' }] })
      )
      return true
    }
    const step = recordedStep(() => (now += 80_000))
    await expect((await inspect()).settle(step)).rejects.toMatchObject({
      message: expect.stringContaining(
        'Pod karpenter-1 ContainerCreating\n  failed to assign an IP address'
      ) as unknown
    })
    expect(step.waits[0]).toBe(
      'Deployment karpenter/karpenter: 1 of 2 pods are available, pod karpenter-1 ContainerCreating'
    )
  })

  test('is not blamed for a pod of the template before', async () => {
    server.put(podPath('karpenter-old'), {
      ...pod(waiting('CrashLoopBackOff', 'back-off', 9)),
      metadata: {
        labels: { 'app.kubernetes.io/instance': 'karpenter', 'pod-template-hash': 'old' },
        creationTimestamp: '2020-01-01T00:00:00Z'
      }
    })
    server.put(podPath('karpenter-new'), pod({}))
    const settled = (await inspect()).settle(recordedStep())
    while (server.watching < 2) await new Promise((resolve) => setImmediate(resolve))
    server.put(deploymentPath, { ...deployment, status: available })
    await expect(settled).resolves.toBeUndefined()
  })
})

test("names follow the chart's own rule", () => {
  expect(fullName('karpenter', {})).toBe('karpenter')
  expect(fullName('x', {})).toBe('x-karpenter')
  expect(fullName('my-karpenter', {})).toBe('my-karpenter')
  expect(fullName('x', { fullnameOverride: 'scaler' })).toBe('scaler')
})
