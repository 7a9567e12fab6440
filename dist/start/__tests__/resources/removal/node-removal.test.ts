import { TimeoutError } from '../../../src/run/cancel.js'
import type { Aws } from '../../../src/aws/clients.js'
import type { Removal } from '../../../src/engine/resource.js'
import { ec2NodeClass } from '../../../src/resources/nodes/ec2-node-class.js'
import { nodePool, type NodeObjectPorts } from '../../../src/resources/nodes/node-pool.js'
import { RemovalView } from '../../../src/resources/removal/removal-view.js'
import { awsWith, type StandIn } from '../../aws/stand-in.js'
import { failure } from '../../aws/failure.js'
import { ApiServer } from '../../kubernetes/api-server.js'
import { textField } from '../../../src/kubernetes/manifest.js'
import { recordedStep, type RecordedStep } from '../step.js'
import { recordedAsOurs, unrecorded } from '../walk-one.js'

const paths = {
  pool: '/apis/karpenter.sh/v1/nodepools/default',
  claim: '/apis/karpenter.sh/v1/nodeclaims/default-x',
  nodeClass: '/apis/karpenter.k8s.aws/v1/ec2nodeclasses/default',
  node: '/api/v1/nodes/ip-10-0-1-2',
  deployment: '/apis/apps/v1/namespaces/karpenter/deployments/karpenter'
}
const manifest = (kind: 'NodePool' | 'EC2NodeClass') => ({
  apiVersion: kind === 'NodePool' ? 'karpenter.sh/v1' : 'karpenter.k8s.aws/v1',
  kind,
  metadata: { name: 'default' },
  spec: {}
})
const ours = { annotations: { 'setup-karpenter/run': 'https://run/0' } }

let server: ApiServer
let aws: Aws
let cloud: StandIn
let close: () => Promise<void>
/** The clock of the steps: a test may move it on. */
let clock = 0

beforeEach(async () => {
  server = await ApiServer.start()
  ;({ aws, server: cloud, close } = await awsWith({ TerminateInstances: () => ({ instancesSet: [] }) }))
  clock = Date.now()
})
afterEach(async () => {
  await server.stop()
  await close()
})

function ports(forceDrain: boolean): NodeObjectPorts {
  return {
    kubernetes: server.kubernetes,
    ownership: { owner: 'setup-karpenter', run: 'https://run/1' },
    dependsOn: [],
    removal: { aws, forceDrain, view: new RemovalView(server.kubernetes, 'karpenter') }
  }
}

function controller(ready: number): void {
  server.put(paths.deployment, {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { labels: { 'app.kubernetes.io/name': 'karpenter' }, namespace: 'karpenter' },
    spec: { replicas: 2, selector: { matchLabels: { 'app.kubernetes.io/name': 'karpenter' } } },
    status: { readyReplicas: ready }
  })
}

function claim(metadata: Record<string, unknown> = {}): void {
  server.put(paths.claim, {
    apiVersion: 'karpenter.sh/v1',
    kind: 'NodeClaim',
    metadata: {
      labels: { 'karpenter.sh/nodepool': 'default' },
      finalizers: ['karpenter.sh/termination'],
      deletionTimestamp: '2026-01-01T00:00:00Z',
      ...metadata
    },
    spec: { nodeClassRef: { name: 'default' } },
    status: { nodeName: 'ip-10-0-1-2', providerID: 'aws:///eu-west-1a/i-0ab1' }
  })
}

function pod(name: string, more: Record<string, unknown> = {}): void {
  server.put(`/api/v1/namespaces/default/pods/${name}`, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace: 'default', ...more },
    spec: { nodeName: 'ip-10-0-1-2', containers: [] },
    status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] }
  })
}

function step(signal?: AbortSignal): RecordedStep {
  return recordedStep(() => clock, signal)
}

async function until(seen: () => boolean): Promise<void> {
  while (!seen()) await new Promise((resolve) => setTimeout(resolve, 5))
}

describe('a NodePool', () => {
  const remove = async (forceDrain: boolean, own: RecordedStep): Promise<Removal> =>
    nodePool(manifest('NodePool'), ports(forceDrain)).remove(own, unrecorded)
  beforeEach(() => void server.put(paths.pool, { ...manifest('NodePool'), metadata: ours }))

  test('whose NodeClaims nobody works on fails at once, with what to do first and what force does', async () => {
    claim()
    const error = await failure(remove(false, step()))
    expect(error.message).toContain(
      "NodePool default: 1 NodeClaims (default-x) are held by Karpenter's finalizer, and no Karpenter controller is in the cluster"
    )
    expect(error.fix).toMatch(/^First: run mode install.*Only if that cannot be: `force-drain: true`/)
    expect(server.at(paths.claim)?.metadata['finalizers']).toEqual(['karpenter.sh/termination'])
    expect(cloud.calls).toEqual([])
  })

  test('whose controller is not ready gets a minute for it', async () => {
    claim()
    controller(0)
    const own = step()
    const removal = failure(remove(false, own))
    await until(() => own.waits.length > 0)
    expect(own.waits[0]).toContain('no replica of Deployment karpenter/karpenter is ready (0 of 2)')
    clock += 61_000
    expect((await removal).message).toContain('without one they never go')
  })

  test('without a controller is emptied by force: instances ended, Nodes deleted, finalizers taken off', async () => {
    claim({ deletionTimestamp: undefined, ownerReferences: [{ kind: 'NodePool' }] })
    server.put(paths.node, {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { finalizers: ['karpenter.sh/termination'] }
    })
    const own = step()
    expect(await remove(true, own)).toEqual({ outcome: 'removed' })
    expect(cloud.inputs).toMatchObject([{ Action: 'TerminateInstances', 'InstanceId.1': 'i-0ab1' }])
    for (const path of [paths.pool, paths.claim, paths.node]) expect(server.at(path)).toBeUndefined()
    expect(own.lines).toEqual(
      expect.arrayContaining([
        'terminated EC2 instances i-0ab1',
        'took finalizer karpenter.sh/termination off Node ip-10-0-1-2',
        'took finalizer karpenter.sh/termination off NodeClaim default-x'
      ])
    )
  })

  test('keeps finalizers that are not of Karpenter, and waits for them', async () => {
    claim({ finalizers: ['example.com/hold', 'karpenter.sh/termination'] })
    const own = step()
    const removal = remove(true, own)
    await until(() => server.at(paths.claim)?.metadata['finalizers']?.toString() === 'example.com/hold')
    server.remove(paths.claim)
    expect(await removal).toEqual({ outcome: 'removed' })
  })

  test('is drained by force by the time that Karpenter keeps on the NodeClaim, and no earlier than pods may end', async () => {
    claim()
    controller(2)
    pod('slow', { deletionTimestamp: new Date(clock + 3_600_000).toISOString() })
    pod('kept', { annotations: { 'karpenter.sh/do-not-disrupt': 'true' } })
    const own = step()
    const removal = remove(true, own)
    const stamp = (): unknown => server.at(paths.claim)?.metadata['annotations']
    await until(() => stamp() !== undefined)
    const at = `${new Date(clock + 30_000).toISOString().slice(0, 19)}Z`
    expect(stamp()).toEqual({ 'karpenter.sh/nodeclaim-termination-timestamp': at })
    clock += 4_000
    await until(() => server.writes().some(({ path }) => path.endsWith('/pods/slow')))
    const shortened = server.writes().find(({ path }) => path.endsWith('/pods/slow'))
    expect(shortened).toMatchObject({ method: 'DELETE', body: { gracePeriodSeconds: 26 } })
    expect(server.writes().some(({ path }) => path.endsWith('/pods/kept'))).toBe(false)
    server.remove(paths.claim)
    await removal
    expect(cloud.calls).toEqual([])
  })

  test('is not forced unless it is asked for, and says pod by pod what its time ran out on', async () => {
    claim()
    controller(2)
    pod('db-0', { annotations: { 'karpenter.sh/do-not-disrupt': 'true' } })
    const run = new AbortController()
    const own = step(run.signal)
    const removal = failure(remove(false, own))
    await until(() => own.waits.length > 0)
    clock += 4_000
    await until(() => own.waits.some((line) => line.includes('default/db-0 on ip-10-0-1-2')))
    expect(server.at(paths.claim)?.metadata['annotations']).toBeUndefined()
    run.abort(new TimeoutError(60))
    const error = await removal
    expect(error.message).toContain(
      "1 NodeClaims were not gone when the run's time was up; what blocks:\n  default/db-0 on ip-10-0-1-2: carries karpenter.sh/do-not-disrupt"
    )
    expect(error.fix).toContain('kubectl annotate pod -n default db-0 karpenter.sh/do-not-disrupt-')
    expect(error.fix).toContain('force-drain: true')
    expect(error.cause).toBe(run.signal.reason)
  })

  test('that a person cancels ends with the cancel, not with an explanation', async () => {
    claim()
    controller(2)
    const run = new AbortController()
    const own = step(run.signal)
    const removal = remove(false, own)
    await until(() => own.waits.length > 0)
    const reason = new Error('the job was cancelled')
    run.abort(reason)
    await expect(removal).rejects.toBe(reason)
  })

  test('that is gone is drained all the same, and its orphans are deleted only where the record has it as ours', async () => {
    server.remove(paths.pool)
    claim({ deletionTimestamp: undefined })
    controller(2)
    const removal = nodePool(manifest('NodePool'), ports(false)).remove(step(), recordedAsOurs)
    await until(() => server.at(paths.claim)?.metadata['deletionTimestamp'] !== undefined)
    server.remove(paths.claim)
    expect(await removal).toEqual({ outcome: 'absent' })
  })

  test('orphaned NodeClaims of it are deleted, as nobody else would', async () => {
    claim({ deletionTimestamp: undefined })
    controller(2)
    const removal = remove(false, step())
    await until(() => server.at(paths.claim)?.metadata['deletionTimestamp'] !== undefined)
    server.remove(paths.claim)
    expect(await removal).toEqual({ outcome: 'removed' })
  })
})

describe('an EC2NodeClass', () => {
  const remove = async (forceDrain: boolean, own: RecordedStep): Promise<Removal> =>
    ec2NodeClass(manifest('EC2NodeClass'), ports(forceDrain)).remove(own, unrecorded)
  beforeEach(() => {
    const metadata = { ...ours, finalizers: ['karpenter.k8s.aws/termination'] }
    server.put(paths.nodeClass, { ...manifest('EC2NodeClass'), metadata })
  })

  /** The controller's log has this error about the class, said now. */
  function complaining(error: string): void {
    controller(2)
    server.put('/api/v1/namespaces/karpenter/pods/karpenter-1', {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { labels: { 'app.kubernetes.io/name': 'karpenter' } }
    })
    server.intercept = (call, response) => {
      if (!call.path.endsWith('/pods/karpenter-1/log')) return undefined
      const time = new Date(clock).toISOString()
      const line = { level: 'ERROR', time, name: 'default', message: 'Reconciler error', error }
      response.writeHead(200).end(JSON.stringify(line))
      return true
    }
  }

  /** The change that makes Karpenter try again. */
  const again = (): unknown =>
    textField(server.at(paths.nodeClass), 'metadata', 'annotations', 'setup-karpenter/rechecked')

  test('without a controller fails at once; by force its finalizer is taken off', async () => {
    const error = await failure(remove(false, step()))
    expect(error.message).toContain(
      "EC2NodeClass default: is held by Karpenter's finalizer karpenter.k8s.aws/termination, and no"
    )
    expect(await remove(true, step())).toEqual({ outcome: 'removed' })
    expect(server.at(paths.nodeClass)).toBeUndefined()
  })

  test('is explained by what the controller may not do, before force is offered', async () => {
    complaining(
      'listing instance profiles, AccessDenied: User: x is not authorized to perform: iam:ListInstanceProfiles on resource: y'
    )
    const own = step()
    const removal = failure(remove(false, own))
    await until(() => own.waits.length > 0)
    clock += 6_000
    await until(() => own.waits.some((line) => line.includes('Karpenter says: listing instance profiles')))
    await until(() => again() !== undefined)
    clock += 61_000
    const error = await removal
    expect(error.message).toContain(
      'is held by finalizer karpenter.k8s.aws/termination, and Karpenter cannot let go of it: listing instance profiles'
    )
    expect(error.fix).toMatch(
      /^Allow the controller's role iam:ListInstanceProfiles.*mode install.*`force-drain: true`/i
    )
    expect(server.at(paths.nodeClass)?.metadata['finalizers']).toEqual(['karpenter.k8s.aws/termination'])
  })

  test('names the NodeClaims that use it when the time is up', async () => {
    claim({ labels: {} })
    controller(2)
    const run = new AbortController()
    const own = step(run.signal)
    const removal = failure(remove(false, own))
    await until(() => own.waits.length > 0)
    run.abort(new TimeoutError(60))
    expect((await removal).message).toContain(
      'it is held by finalizer karpenter.k8s.aws/termination, used by NodeClaims default-x'
    )
  })

  test('that is being deleted is awaited by an install, and made anew', async () => {
    controller(2)
    const { metadata } = server.at(paths.nodeClass) ?? { metadata: {} }
    const deletionTimestamp = '2026-01-01T00:00:00Z'
    server.put(paths.nodeClass, { ...manifest('EC2NodeClass'), metadata: { ...metadata, deletionTimestamp } })
    const one = ec2NodeClass(manifest('EC2NodeClass'), ports(false))
    const found = await one.inspect(new AbortController().signal)
    expect(found.differences.map(({ reason }) => reason)).toContain('EC2NodeClass default is being deleted')
    const own = step()
    const applied = found.apply(own)
    await until(() => own.waits.length > 0)
    expect(again()).toBeDefined()
    server.remove(paths.nodeClass)
    await applied
    expect(own.lines).toEqual(['created EC2NodeClass default'])
    expect(server.at(paths.nodeClass)?.metadata['deletionTimestamp']).toBeUndefined()
  })

  test('that an earlier removal did not get done with is tried again at once', async () => {
    controller(2)
    const { metadata } = server.at(paths.nodeClass) ?? { metadata: {} }
    const deletionTimestamp = '2026-01-01T00:00:00Z'
    server.put(paths.nodeClass, { ...manifest('EC2NodeClass'), metadata: { ...metadata, deletionTimestamp } })
    const own = step()
    const removal = remove(false, own)
    await until(() => own.waits.length > 0)
    expect(again()).toBeDefined()
    server.remove(paths.nodeClass)
    expect(await removal).toEqual({ outcome: 'removed' })
  })

  test('that a NodePool of others uses is kept, untouched', async () => {
    server.put('/apis/karpenter.sh/v1/nodepools/batch', {
      apiVersion: 'karpenter.sh/v1',
      kind: 'NodePool',
      spec: { template: { spec: { nodeClassRef: { name: 'default' } } } }
    })
    expect(await remove(true, step())).toEqual({
      outcome: 'kept',
      reason: 'NodePools batch use it and are not ours'
    })
    expect(server.writes()).toEqual([])
  })
})
