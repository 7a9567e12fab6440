import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { startSandbox, type Sandbox } from '../sandbox/index.js'
import { controllerPods, holdForNames, standingOf, type Standing } from './adoption-state.js'
import { checkIsClean } from './clean-check.js'
import { at, callsOf, find, paths, succeeded, until } from './scenario.js'
import { guide } from './shapes/guide.js'
import type { Made } from './shapes/shape.js'
import { startWorkload } from './workload.js'

const record = '/api/v1/namespaces/kube-system/configmaps/setup-karpenter'

describe('an adoption that upgrades at once, killed on its way', () => {
  const upgrade = { 'karpenter-version': '1.14.0', 'smoke-test': 'false' }
  let sandbox: Sandbox
  let made: Made
  let before: Standing

  beforeAll(async () => {
    sandbox = await startSandbox(guide.spec)
    made = await guide.make(sandbox)
    await startWorkload(sandbox, { name: 'web', replicas: 2, nodePool: made.nodePools[0] ?? '' })
    await holdForNames(sandbox, made, 'install')
    before = await standingOf(sandbox, made)
    sandbox.cloud.clearCalls()
  })
  afterAll(async () => sandbox.stop())

  test('is gone on with by the next run, which need not be told to adopt', async () => {
    const points: readonly [string, () => Promise<boolean>][] = [
      ['the record', async () => (await find(sandbox, record)) !== undefined],
      ['the change of the stack', async () => calledBy('ExecuteChangeSet')],
      [
        'the new CRDs',
        async () => (await find(sandbox, `${paths.crds}/nodeoverlays.karpenter.sh`)) !== undefined
      ]
    ]
    for (const [index, [what, seen]] of points.entries()) {
      const run = { ended: false }
      const cancelAt = until(what, async () => ((await seen()) || run.ended ? true : undefined), 60)
      const result = await sandbox.run(
        { ...upgrade, ...(index === 0 && { adopt: 'true' }) },
        { cancelAt, signals: { untilTerminate: 0, untilKill: 0 } }
      )
      run.ended = true
      expect(result.conclusion).toBe('cancelled')
    }
    const result = succeeded(await sandbox.run(upgrade))
    expect(result.outputs['controller-role-arn']).toContain(`role/${made.controllerRole}`)
    const { nodes, instances } = await standingOf(sandbox, made)
    expect({ nodes, instances }).toEqual({ nodes: before.nodes, instances: before.instances })
    expect(Object.keys(await controllerPods(sandbox, made))).toHaveLength(2)
    await checkIsClean(sandbox, upgrade)
  })

  test('knows afterwards what was there before', async () => {
    sandbox.cloud.clearCalls()
    await holdForNames(sandbox, made, 'uninstall')
    succeeded(await sandbox.run({ mode: 'uninstall' }))
    expect(calledBy('DeleteStack')).toBe(false)
    expect(at(await find(sandbox, `${paths.nodePools}/${made.nodePools[0] ?? ''}`), 'kind')).toBe('NodePool')
    expect(await find(sandbox, record)).toBeUndefined()
  })

  function calledBy(action: string): boolean {
    return callsOf(sandbox).some((call) => call.action === action)
  }
})
