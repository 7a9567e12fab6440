import type { AnyResource } from '../../../src/engine/resource.js'
import { releasePath, releaseSecret } from '../../helm/release-secret.js'
import { ApiServer } from '../../kubernetes/api-server.js'
import {
  available,
  deployment,
  deploymentPath,
  deployOn,
  type HelmRun,
  inspected,
  releaseOn,
  wanted
} from './released.js'
import { recordedStep } from '../step.js'
import { unrecorded } from '../walk-one.js'

let server: ApiServer
let runs: HelmRun[]
beforeEach(async () => {
  server = await ApiServer.start()
  runs = []
})
afterEach(async () => server.stop())

const release = (): AnyResource => releaseOn(server, runs)
const inspect = async () => inspected(release())
const deployed = (version?: string, values?: unknown): void => deployOn(server, version, values)

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

test('what is being deleted is gone before helm, which makes it anew', async () => {
  deployed()
  const metadata = {
    name: 'karpenter',
    deletionTimestamp: '2026-01-01T00:00:00Z',
    finalizers: ['foregroundDeletion']
  }
  server.put(deploymentPath, { ...deployment, metadata, status: available })
  const found = await inspect()
  expect(found.differences).toMatchObject([
    {
      path: 'Deployment/karpenter.metadata.deletionTimestamp',
      reason: 'Deployment karpenter is being deleted',
      severity: 'breaks scaling'
    }
  ])
  const step = recordedStep()
  const applied = found.apply(step)
  while (step.waits.length === 0) await new Promise((resolve) => setImmediate(resolve))
  expect(runs).toEqual([])
  server.remove(deploymentPath)
  await applied
  expect(step.waits[0]).toBe('Deployment karpenter to go, held by finalizer foregroundDeletion')
  expect(runs).toHaveLength(1)
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
  expect(await release().remove(recordedStep(), unrecorded)).toEqual({
    outcome: 'kept',
    reason: 'it bears no mark of ours'
  })
  const labels = { ...secret.metadata.labels, 'app.kubernetes.io/managed-by': 'setup-karpenter' }
  server.put(releasePath(1), { ...secret, metadata: { labels } })
  expect(await release().remove(recordedStep(), unrecorded)).toEqual({ outcome: 'removed' })
  expect(runs.map((run) => run.args.slice(0, 2))).toEqual([['uninstall', 'karpenter']])
})

test('a removal reads the objects of a release only where the release does not say whose it is', async () => {
  deployed()
  const asked = () => server.calls.filter(({ path }) => path === deploymentPath)
  const removal = releaseOn(server, runs, true)
  expect(await removal.remove(recordedStep(), unrecorded)).toMatchObject({ outcome: 'kept' })
  expect(asked()).toHaveLength(1)
  const secret = releaseSecret(1, 'deployed', '1.2.1', wanted.values, {
    manifest: 'apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: karpenter }\n'
  })
  const labels = { ...secret.metadata.labels, 'app.kubernetes.io/managed-by': 'setup-karpenter' }
  server.put(releasePath(1), { ...secret, metadata: { labels } })
  expect((await inspected(removal)).state).toBe('as wanted')
  expect(await removal.remove(recordedStep(), unrecorded)).toEqual({ outcome: 'removed' })
  expect(asked()).toHaveLength(1)
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
