import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { holdPublished } from '../sandbox/cluster/deployer-policy.js'
import { newest, oldest, startSandbox, type RunOptions, type Sandbox } from '../sandbox/index.js'
import { text } from '../sandbox/values.js'
import { check, checkIsClean } from './clean-check.js'
import { errorOf } from './failed-run.js'
import { at, callsOf, denied, launchedByKarpenter, listed, paths, succeeded, writes } from './scenario.js'
import { UpgradeWatch } from './upgrade-watch.js'
import { podsOf, startWorkload, stopWorkload } from './workload.js'
import { compared } from './removal.js'

/** Of the guide, without the cluster's name. */
const single = 'KarpenterControllerPolicy'
const split = [
  'NodeLifecycle',
  'IAMIntegration',
  'EKSIntegration',
  'Interruption',
  'ZonalShift',
  'ResourceDiscovery'
].map((part) => `KarpenterController${part}Policy`)
/** As when the runner's machine is taken away. */
const killed: RunOptions = { signals: { untilTerminate: 0, untilKill: 0 } }

const inputsOf = (version: string, identity: string) => ({
  'karpenter-version': version,
  'controller-identity': identity,
  'smoke-test': 'false',
  'helm-values': '{ podLabels: { team: platform }, settings: { batchIdleDuration: 2s } }'
})

/** What must outlive the upgrade: the workload's pods, their nodes and the instances behind them. */
async function running(sandbox: Sandbox): Promise<unknown> {
  const uid = (object: unknown): string => text(at(object, 'metadata', 'uid')) ?? ''
  const pods = await podsOf(sandbox, 'standing')
  const names = pods.map((pod) => at(pod, 'spec', 'nodeName'))
  const nodes = (await listed(sandbox, paths.nodes)).filter((node) =>
    names.includes(at(node, 'metadata', 'name'))
  )
  const ids = nodes.map(
    (node) =>
      text(at(node, 'spec', 'providerID'))
        ?.split('/')
        .at(-1) ?? ''
  )
  const instances = (await launchedByKarpenter(sandbox)).filter(({ id }) => ids.includes(id))
  return {
    pods: pods.map(uid).toSorted(),
    nodes: nodes.map(uid).toSorted(),
    instances: instances.map(({ id, state }) => `${id} ${state}`).toSorted()
  }
}

function karpenterPolicies(sandbox: Sandbox): readonly string[] {
  const names = sandbox.cloud.iam.policies.values().map((policy) => policy.name)
  return names.filter((name) => name.startsWith('KarpenterController')).toSorted()
}

interface Moment {
  readonly name: string
  /** Resolves when it has come. */
  readonly comes: (watch: UpgradeWatch) => Promise<void>
}

/** Moments at which a run is killed, each run going on from where the one before was. */
const moments: readonly Moment[] = [
  {
    name: 'CloudFormation has been told to change the stack',
    comes: async (watch) => watch.answered('ExecuteChangeSet')
  },
  { name: 'a new policy has been attached', comes: async (watch) => watch.answered('AttachRolePolicy') },
  {
    name: 'a CRD has been changed',
    comes: async (watch) => {
      const before = watch.moments.at(-1)?.crd
      await watch.seen('other CRDs', ({ crd }) => crd !== before)
    }
  },
  {
    name: 'the chart has been upgraded',
    comes: async (watch) => watch.seen('the chart', ({ chart }) => chart === newest)
  },
  { name: 'the old policy has been detached', comes: async (watch) => watch.answered('DetachRolePolicy') }
]

interface Case {
  readonly identity: 'irsa' | 'pod-identity'
  readonly killedWhen: readonly Moment[]
}

describe.each<Case>([
  { identity: 'irsa', killedWhen: [] },
  { identity: 'pod-identity', killedWhen: moments }
])(`an upgrade from ${oldest} to ${newest} by $identity`, ({ identity, killedWhen }) => {
  const name = `by-${identity}`
  const [before, inputs] = [inputsOf(oldest, identity), inputsOf(newest, identity)]
  let sandbox: Sandbox
  let watch: UpgradeWatch
  let stood: unknown
  let joined: Promise<void>

  beforeAll(async () => {
    sandbox = await startSandbox({
      name,
      region: 'eu-west-1',
      kubernetesVersion: '1.32',
      karpenter: [oldest, newest],
      runner: 'kept'
    })
    succeeded(await sandbox.run(before))
    await startWorkload(sandbox, { name: 'standing', replicas: 2 })
    stood = await running(sandbox)
    sandbox.cloud.clearCalls()
    watch = new UpgradeWatch(sandbox)
    // As soon as controllers of both versions run, a pod comes that needs a node.
    joined = watch
      .seen('the chart', ({ chart }) => chart === newest)
      .then(async () => startWorkload(sandbox, { name: 'joining', replicas: 1 }))
    joined.catch(() => undefined)
  })
  afterAll(async () => {
    await watch.stop()
    await sandbox.stop()
  })

  if (killedWhen.length === 0) {
    test('with one replica is warned of, and refused before the first write where preflight is strict', async () => {
      const values = { 'helm-values': 'replicas: 1', preflight: 'strict' }
      const result = await sandbox.run({ ...inputs, ...values })
      expect(errorOf(result)).toMatch(
        new RegExp(String.raw`helm-values: no controller runs while ${newest} starts in place of ${oldest}`)
      )
      expect(writes(callsOf(sandbox))).toEqual([])
    })
  }

  for (const moment of killedWhen) {
    test(`is killed when ${moment.name}, and a check says that it is under way`, async () => {
      const result = await sandbox.run(inputs, { ...killed, cancelAt: moment.comes(watch) })
      expect(result.conclusion).toBe('cancelled')
      expect(result.exitCode).toBeNull()
      const { findings } = await check(sandbox, inputs)
      expect(findings.map(({ id }) => id)).toContain('retired-parts')
    })
  }

  test('comes to its good end', async () => {
    const result = succeeded(await sandbox.run(inputs))
    expect(result.outputs['changed']).toBe('true')
    expect(denied(callsOf(sandbox))).toEqual([])
    await joined
    await watch.stop()
  })

  test('attaches the new policies, changes CRDs, then the chart, and takes the old policy away after the rollout', () => {
    const attached = split.map((part) => watch.called('AttachRolePolicy', `${part}-${name}`).last)
    const [first] = watch.moments
    const crds = watch.first('other CRDs', ({ crd }) => crd !== first?.crd)
    const chart = watch.first('the chart', (moment) => moment.chart === newest)
    const rolledOut = watch.last('an old pod', ({ pods }) => pods.includes(oldest))
    const detached = watch.called('DetachRolePolicy', `${single}-${name}`).first
    const deleted = watch.called('DeletePolicy', `${single}-${name}`).first
    const order = [Math.max(...attached), crds, chart, rolledOut, detached, deleted]
    expect(order).toEqual(order.toSorted((a, b) => a - b))
  })

  test('never leaves the cluster without a controller, nor a controller without a permission', () => {
    expect(watch.moments.length).toBeGreaterThan(50)
    expect(watch.moments.filter(({ ready }) => ready.length === 0)).toEqual([])
    expect(watch.refused()).toEqual([])
    const bare = watch.moments.filter(({ pods, policies }) =>
      [...(pods.includes(oldest) ? [single] : []), ...(pods.includes(newest) ? split : [])].some(
        (part) => !policies.includes(`${part}-${name}`)
      )
    )
    expect(bare).toEqual([])
  })

  test('leaves pods, nodes and instances as they are', async () => {
    expect(await running(sandbox)).toEqual(stood)
  })

  test('leaves nothing of the old stack', async () => {
    expect(karpenterPolicies(sandbox)).toEqual(split.map((part) => `${part}-${name}`).toSorted())
    const attached = sandbox.cloud.iam.role(`KarpenterNodeRole-${name}`).attached
    expect(attached).toContain('arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly')
    expect(attached).not.toContain('arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly')
  })

  test('is clean in a check, and a second run writes nothing', async () => {
    await checkIsClean(sandbox, inputs)
    const calls = callsOf(sandbox).length
    const again = succeeded(await sandbox.run(inputs))
    expect(again.outputs['changed']).toBe('false')
    expect(writes(callsOf(sandbox).slice(calls))).toEqual([])
  })

  if (identity === 'irsa') {
    test('goes back the same way with allow-downgrade', async () => {
      const back = new UpgradeWatch(sandbox)
      const result = succeeded(await sandbox.run({ ...before, 'allow-downgrade': 'true' }))
      expect(result.outputs['karpenter-version']).toBe(oldest)
      await back.stop()
      expect(back.refused()).toEqual([])
      expect(back.moments.filter(({ ready }) => ready.length === 0)).toEqual([])
      const attached = back.called('AttachRolePolicy', `${single}-${name}`).last
      const chart = back.first('the chart', (moment) => moment.chart === oldest)
      const rolledOut = back.last('a newer pod', ({ pods }) => pods.includes(newest))
      const detached = split.map((part) => back.called('DetachRolePolicy', `${part}-${name}`).first)
      const order = [attached, chart, rolledOut, Math.min(...detached)]
      expect(order).toEqual(order.toSorted((a, b) => a - b))
      expect(karpenterPolicies(sandbox)).toEqual([`${single}-${name}`])
      expect(await running(sandbox)).toEqual(stood)
      await checkIsClean(sandbox, before)
    })

    test('is taken away whole when it was broken off', async () => {
      const midway = new UpgradeWatch(sandbox)
      const chart = midway.seen('the chart', (moment) => moment.chart === newest)
      await sandbox.run(inputs, { ...killed, cancelAt: chart })
      await midway.stop()
      expect(karpenterPolicies(sandbox)).toHaveLength(split.length + 1)
      await Promise.all(['standing', 'joining'].map(async (one) => stopWorkload(sandbox, one)))
      await holdPublished(sandbox, 'uninstall')
      succeeded(await compared(sandbox, await sandbox.run({ mode: 'uninstall', timeout: '5m' })))
      expect(karpenterPolicies(sandbox)).toEqual([])
      const roles = sandbox.cloud.iam.roles.values().map((role) => role.name)
      expect(roles.filter((role) => role.endsWith(name) || role.startsWith(name))).toEqual([])
    })
  }
})
