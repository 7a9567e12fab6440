import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { startSandbox, type ActionResult, type Sandbox } from '../sandbox/index.js'
import { text } from '../sandbox/values.js'
import { controllerPods, holdForNames, standingOf, type Standing } from './adoption-state.js'
import { check, checkIsClean } from './clean-check.js'
import { allObjects } from './everything.js'
import { errorOf } from './failed-run.js'
import { at, callsOf, denied, find, get, listed, reportOf, succeeded, writes } from './scenario.js'
import { installedVersion, type Made, type Shape } from './shapes/shape.js'
import { everything } from './standing.js'
import { startWorkload } from './workload.js'

type Inputs = Readonly<Record<string, string>>

/** What an adoption of a tool's installation must come to. */
export interface Expectations {
  /** Of the adoption report: `helm-release` and its owner's name, as far as they are to be told. */
  readonly owners: Readonly<Record<string, string>>
  /** Names of what is gone after an uninstall with remove-adopted, by a part of them. */
  readonly gone: readonly string[]
  /** The same for what stays even then, because another tool keeps it. */
  readonly kept: readonly string[]
}

const record = '/api/v1/namespaces/kube-system/configmaps/setup-karpenter'
const newVersion = '1.14.0'

/** Check, refusal, adoption, upgrade and both uninstalls of one shape, in this order on one cluster. */
export function adoptionScenario(shape: Shape, expected: Expectations): void {
  describe(`adopting ${shape.name}`, () => {
    let sandbox: Sandbox
    let made: Made
    let before: Standing
    let pods: Readonly<Record<string, unknown>>
    let all: readonly string[]
    const inputs: Inputs = { 'karpenter-version': installedVersion, 'smoke-test': 'false' }
    const upgrade: Inputs = { 'karpenter-version': newVersion, 'smoke-test': 'false' }

    beforeAll(async () => {
      sandbox = await startSandbox(shape.spec)
      made = await shape.make(sandbox)
      await startWorkload(sandbox, { name: 'web', replicas: 2, nodePool: made.nodePools[0] ?? '' })
      await holdForNames(sandbox, made, 'install')
      before = await standingOf(sandbox, made)
      pods = await controllerPods(sandbox, made)
      all = await everything(sandbox)
      sandbox.cloud.clearCalls()
    })
    afterAll(async () => sandbox.stop())

    test('a check without a record says resource by resource whose it is, and writes nothing', async () => {
      const objects = await allObjects(sandbox)
      const { result } = await check(sandbox, inputs)
      expect(await allObjects(sandbox)).toEqual(objects)
      expect(denied(callsOf(sandbox))).toEqual([])
      const adoption = JSON.stringify(reportOf(result)['adoption'])
      for (const [id, owner] of Object.entries(expected.owners)) {
        expect(adoption).toContain(id)
        expect(adoption).toContain(owner)
      }
    })

    test('an install that is not asked to adopt is refused before the first write', async () => {
      sandbox.cloud.clearCalls()
      const objects = await allObjects(sandbox)
      const error = errorOf(await sandbox.run(inputs))
      expect(error).toContain('adopt: true')
      expect(error).toContain('Nothing was changed')
      expect(writes(callsOf(sandbox))).toEqual([])
      expect(await allObjects(sandbox)).toEqual(objects)
    })

    test('with adopt it is taken over: no node, no instance, no pod of the controller and no name changes', async () => {
      sandbox.cloud.clearCalls()
      const result = succeeded(await sandbox.run({ ...inputs, adopt: 'true' }))
      expect(denied(callsOf(sandbox))).toEqual([])
      expect(await standingOf(sandbox, made)).toEqual(before)
      expect(await controllerPods(sandbox, made)).toEqual(pods)
      expect(namesIn(result)).toEqual({ controllerRole: made.controllerRole, nodeRole: made.nodeRole })
      expect(result.outputs['queue-name']).toBe(made.queueUnheard === true ? expect.anything() : made.queue)
      expect(await find(sandbox, record)).toBeDefined()
      const now = await everything(sandbox)
      expect(all.filter((name) => !now.includes(name))).toEqual([])
    })

    test('a check is clean, and a second install changes nothing', async () => {
      await checkIsClean(sandbox, inputs)
      sandbox.cloud.clearCalls()
      const again = succeeded(await sandbox.run({ ...inputs, adopt: 'true' }))
      expect(again.outputs['changed']).toBe('false')
      expect(writes(callsOf(sandbox))).toEqual([])
    })

    test('it is upgraded, its nodes go on, and new ones come', async () => {
      sandbox.cloud.clearCalls()
      succeeded(await sandbox.run({ ...upgrade, adopt: 'true' }))
      expect(denied(callsOf(sandbox))).toEqual([])
      expect(await imageOf(sandbox, made)).toContain(`:${newVersion}`)
      const { nodes, instances } = await standingOf(sandbox, made)
      expect({ nodes, instances }).toEqual({ nodes: before.nodes, instances: before.instances })
      await checkIsClean(sandbox, upgrade)
      await startWorkload(sandbox, { name: 'more', replicas: 1, nodePool: made.nodePools[0] ?? '' })
      expect(denied(callsOfController(sandbox, made))).toEqual([])
    })

    test('an uninstall spares what was there before, and it goes on working', async () => {
      const running = await standingOf(sandbox, made)
      await holdForNames(sandbox, made, 'uninstall')
      sandbox.cloud.clearCalls()
      succeeded(await sandbox.run({ mode: 'uninstall' }))
      expect(denied(callsOf(sandbox))).toEqual([])
      const { nodes, instances } = await standingOf(sandbox, made)
      expect({ nodes, instances }).toEqual({ nodes: running.nodes, instances: running.instances })
      const now = await everything(sandbox)
      expect(all.filter((name) => !now.includes(name))).toEqual([])
      expect(await find(sandbox, record)).toBeUndefined()
      await startWorkload(sandbox, { name: 'still', replicas: 1, nodePool: made.nodePools[0] ?? '' })
      expect(denied(callsOfController(sandbox, made))).toEqual([])
    })

    test('adopted once more and uninstalled with remove-adopted, all of it goes that nobody else keeps', async () => {
      await holdForNames(sandbox, made, 'install')
      succeeded(await sandbox.run({ ...upgrade, adopt: 'true' }))
      await holdForNames(sandbox, made, 'uninstall')
      sandbox.cloud.clearCalls()
      succeeded(
        await sandbox.run({
          mode: 'uninstall',
          'remove-adopted': 'true',
          'remove-crds': 'true',
          timeout: '5m'
        })
      )
      expect(denied(callsOf(sandbox))).toEqual([])
      const left = await everything(sandbox)
      const among = (names: readonly string[]): readonly string[] =>
        names.filter((part) => left.some((name) => name.includes(part)))
      expect(among(expected.gone)).toEqual([])
      expect(among(expected.kept)).toEqual(expected.kept)
      expect(await listed(sandbox, '/api/v1/nodes?labelSelector=karpenter.sh%2Fnodepool')).toEqual([])
    })
  })
}

function namesIn({ outputs }: ActionResult): Readonly<Record<string, string | undefined>> {
  return {
    controllerRole: outputs['controller-role-arn']?.split('/').at(-1),
    nodeRole: outputs['node-role-arn']?.split('/').at(-1)
  }
}

function callsOfController(sandbox: Sandbox, made: Made): ReturnType<Sandbox['cloud']['calls']> {
  return sandbox.cloud.calls().filter(({ callerArn }) => callerArn.includes(`/${made.controllerRole}/`))
}

async function imageOf(sandbox: Sandbox, made: Made): Promise<string> {
  const deployment = await get(
    sandbox,
    `/apis/apps/v1/namespaces/${made.namespace}/deployments/${made.release}`
  )
  return text(at(deployment, 'spec', 'template', 'spec', 'containers', 0, 'image')) ?? ''
}
