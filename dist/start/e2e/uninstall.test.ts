import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { newest, startSandbox, type Sandbox } from '../sandbox/index.js'
import { holdPublished } from '../sandbox/cluster/deployer-policy.js'
import { errorOf } from './failed-run.js'
import { install, remove, uninstall, withoutSpotRole } from './removal.js'
import {
  at,
  callsOf,
  denied,
  find,
  launchedByKarpenter,
  paths,
  succeeded,
  until,
  writes
} from './scenario.js'
import { everything } from './standing.js'
import {
  allowDisruption,
  allowNoDisruption,
  attachVolume,
  podsOf,
  startWorkload,
  stopWorkload
} from './workload.js'

describe(`mode uninstall on today's cluster: Kubernetes 1.35, access entries, Pod Identity, Karpenter ${newest}`, () => {
  const inputs = { 'karpenter-version': newest }
  let sandbox: Sandbox
  let before: readonly string[]
  let tagged: string

  beforeAll(async () => {
    sandbox = await startSandbox({
      name: 'today',
      region: 'eu-west-1',
      kubernetesVersion: '1.35',
      runner: 'kept',
      authenticationMode: 'API'
    })
    tagged = sandbox.vpc.subnets[0]?.id ?? ''
    const Tag = [{ Key: 'karpenter.sh/discovery', Value: 'today' }]
    await sandbox.moto.ec2('CreateTags', { ResourceId: [tagged], Tag })
    before = await everything(sandbox)
    await install(sandbox, inputs)
  })
  afterAll(async () => sandbox.stop())

  test('a role that may not read all of it is told so before anything is removed', async () => {
    await holdPublished(sandbox, 'install')
    sandbox.cloud.clearCalls()
    const error = errorOf(await sandbox.run(uninstall))
    expect(error).toContain('ec2:DescribeLaunchTemplates')
    expect(error).toContain('docs/permissions')
    expect(error).toContain('Nothing was changed')
    expect(writes(callsOf(sandbox))).toEqual([])
    expect(await find(sandbox, `${paths.nodePools}/default`)).toBeDefined()
  })

  test('drains by the rules, and names what holds a node while it waits', async () => {
    // Before its pod comes, which Karpenter would else be free to move while it consolidates.
    await allowNoDisruption(sandbox, 'web')
    await startWorkload(sandbox, { name: 'web', replicas: 1 })
    await startWorkload(sandbox, {
      name: 'job',
      replicas: 1,
      annotations: { 'karpenter.sh/do-not-disrupt': 'true' }
    })
    const lines: string[] = []
    const running = remove(sandbox, {}, { onLine: (line) => lines.push(line) })
    const waiting = await until('the line that names both pods', () =>
      lines.find((line) => line.startsWith('Waiting') && /web-/.test(line) && /job-/.test(line))
    ).catch((error: unknown) => {
      throw new Error(lines.join('\n'), { cause: error })
    })
    expect(waiting).toContain('PodDisruptionBudget')
    expect(waiting).toContain('do-not-disrupt')
    expect(await podsOf(sandbox, 'web')).toHaveLength(1)
    expect((await podsOf(sandbox, 'web')).map((pod) => at(pod, 'status', 'phase'))).toEqual(['Running'])
    const [held] = await podsOf(sandbox, 'web')
    const release = await attachVolume(sandbox, String(at(held, 'spec', 'nodeName')))
    await allowDisruption(sandbox, 'web')
    await stopWorkload(sandbox, 'job')
    const volume = await until('the line that names the volume', () =>
      lines.find((line) => line.startsWith('Waiting') && line.includes('VolumeAttachment csi-held'))
    )
    expect(volume).toContain('volume data of driver ebs.csi.aws.com is not detached')
    await release()
    const result = succeeded(await running)
    expect(result.outputs['leftovers']).toBe('[]')
    expect(result.outputs['changed']).toBe('true')
    expect(denied(callsOf(sandbox))).toEqual([])
  })

  test('nothing of it is left, and what was there before is as it was', async () => {
    await stopWorkload(sandbox, 'web')
    expect(withoutSpotRole(await everything(sandbox))).toEqual(before)
    const ended = await launchedByKarpenter(sandbox)
    expect(ended.length).toBeGreaterThan(0)
    expect(ended.map(({ state }) => state)).toEqual(ended.map(() => 'terminated'))
  })

  test('a second run has nothing to do, and says so', async () => {
    const result = succeeded(await remove(sandbox))
    expect(result.log).toContain('nothing to remove')
    expect(result.summary.split('\n').slice(0, 4).join('\n')).toMatch(/nothing/i)
    expect(result.outputs).toMatchObject({ changed: 'false', leftovers: '[]' })
    expect(writes(callsOf(sandbox))).toEqual([])
    expect(withoutSpotRole(await everything(sandbox))).toEqual(before)
  })

  test('it can be installed again right afterwards, and killed at any point of the next removal', async () => {
    await install(sandbox, inputs)
    await startWorkload(sandbox, { name: 'web', replicas: 1 })
    await stopWorkload(sandbox, 'web')
    const points: readonly [string, () => Promise<boolean>][] = [
      ['the NodePool to go', async () => (await find(sandbox, `${paths.nodePools}/default`)) === undefined],
      [
        'the controller to go',
        async () => (await find(sandbox, `${paths.deployments}/karpenter`)) === undefined
      ],
      [
        'the role to go',
        async () => Promise.resolve(sandbox.cloud.iam.roles.get('today-karpenter') === undefined)
      ],
      [
        'the stack to be deleted',
        async () => Promise.resolve(callsOf(sandbox).some(({ action }) => action === 'DeleteStack'))
      ]
    ]
    for (const [what, gone] of points) {
      const run = { ended: false }
      const seen = until(what, async () => ((await gone()) || run.ended ? true : undefined))
      const result = await remove(
        sandbox,
        {},
        { cancelAt: seen, signals: { untilTerminate: 0, untilKill: 0 } }
      )
      run.ended = true
      await seen
      expect(['cancelled', 'success']).toContain(result.conclusion)
    }
    const result = succeeded(await remove(sandbox))
    expect(result.outputs['leftovers']).toBe('[]')
    expect(withoutSpotRole(await everything(sandbox))).toEqual(before)
  })
})
