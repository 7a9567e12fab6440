import { awaitRollout, fullName } from '../../../src/resources/controller/controller-rollout.js'
import { ApiServer } from '../../kubernetes/api-server.js'
import { available, deployment, deploymentPath, inspected, releaseOn } from './released.js'
import { recordedStep } from '../step.js'

let server: ApiServer
beforeEach(async () => {
  server = await ApiServer.start()
})
afterEach(async () => server.stop())

const inspect = async () => inspected(releaseOn(server, []))

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
  const onFargate = { schedulerName: 'fargate-scheduler', containers: [] }
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

  describe('of pods that EKS is to give an identity', () => {
    const bare = (name: string, env: readonly unknown[] = [], status: unknown = {}): void => {
      server.put(podPath(name), { ...pod(status), spec: { containers: [{ name: 'controller', env }] } })
    }
    const given = [{ name: 'AWS_CONTAINER_CREDENTIALS_FULL_URI', value: 'http://169.254.170.23' }]
    const identity = { strategy: 'pod-identity', roleArn: 'arn:aws:iam::111122223333:role/blue' } as const
    const rollout = { release: 'karpenter', namespace: 'karpenter', values: {}, identity }

    test('makes those anew that were admitted without one, until EKS gives it', async () => {
      const step = recordedStep()
      bare('karpenter-0')
      const ended = awaitRollout(server.kubernetes, rollout, undefined, step)
      while (server.at(podPath('karpenter-0')) !== undefined)
        await new Promise((resolve) => setImmediate(resolve))
      bare('karpenter-1', given)
      server.put(deploymentPath, { ...deployment, status: available })
      await ended
      expect(step.lines).toEqual(['made pod karpenter-0 anew, which EKS had started with no AWS credentials'])
      expect(server.at(podPath('karpenter-1'))).toBeDefined()
    })

    test('makes those anew that crash with the credentials of another identity', async () => {
      const step = recordedStep()
      const old = [{ name: 'AWS_WEB_IDENTITY_TOKEN_FILE', value: '/var/run/secrets/token' }]
      bare('karpenter-0', old)
      bare('karpenter-1', old)
      const ended = awaitRollout(server.kubernetes, rollout, undefined, step)
      while (server.watching < 2) await new Promise((resolve) => setImmediate(resolve))
      bare('karpenter-1', old, waiting('CrashLoopBackOff', 'back-off', 3))
      while (server.at(podPath('karpenter-1')) !== undefined)
        await new Promise((resolve) => setImmediate(resolve))
      bare('karpenter-2', given)
      server.put(deploymentPath, { ...deployment, status: available })
      await ended
      expect(step.lines).toEqual([
        'made pod karpenter-1 anew, which EKS had started with the credentials of IRSA'
      ])
      expect(server.at(podPath('karpenter-0'))).toBeDefined()
    })

    test('ends after two minutes of such pods with what to look at', async () => {
      const { intercept } = server
      let count = 0
      server.intercept = (call, response) => {
        if (call.method === 'DELETE') bare(`karpenter-${++count}`)
        return intercept(call, response)
      }
      bare('karpenter-0')
      const step = recordedStep(() => (now += 30_000))
      await expect(awaitRollout(server.kubernetes, rollout, undefined, step)).rejects.toMatchObject({
        message: expect.stringContaining('was started with no AWS credentials, as each one') as unknown,
        fix: expect.stringContaining('pod-identity-webhook') as unknown
      })
      expect(step.lines.length).toBeGreaterThan(0)
    })
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

  test('whose pod Fargate does not launch ends with what its scheduler says, and no advice about nodes', async () => {
    const message = 'Pod not supported on Fargate: fields not supported: HostNetwork'
    const conditions = [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }]
    server.put(podPath('karpenter-1'), { ...pod({ conditions }), spec: onFargate })
    await expect((await inspect()).settle(failing())).rejects.toMatchObject({
      message: expect.stringContaining(`Pod karpenter-1 Unschedulable: ${message}`) as unknown,
      fix: expect.stringContaining('the profile and its pod execution role') as unknown
    })
  })

  test('whose pod waits for a machine of Fargate is given longer than one that merely starts', async () => {
    server.put(podPath('karpenter-1'), { ...pod({ phase: 'Pending' }), spec: onFargate })
    const step = recordedStep(() => (now += 100_000))
    const settled = (await inspect()).settle(step)
    while (server.watching < 2) await new Promise((resolve) => setImmediate(resolve))
    server.put(podPath('karpenter-1'), { ...pod({ phase: 'Pending', message: 'still' }), spec: onFargate })
    server.put(deploymentPath, { ...deployment, status: available })
    await expect(settled).resolves.toBeUndefined()
    expect(step.waits.at(-1)).toContain('pod karpenter-1 Pending: Fargate starts a machine for it')
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
