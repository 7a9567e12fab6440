import { compared } from './removal.js'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { newest, startSandbox, type ActionResult, type Sandbox } from '../sandbox/index.js'
import { list, text } from '../sandbox/values.js'
import { controllerPods, holdForNames, schedulers, standingOf, type Standing } from './adoption-state.js'
import { check, checkIsClean } from './clean-check.js'
import { allObjects } from './everything.js'
import { errorOf } from './failed-run.js'
import { at, callsOf, denied, find, get, listed, reportOf, succeeded, writes } from './scenario.js'
import { installedVersion, type Made, type Shape } from './shapes/shape.js'
import { everything } from './standing.js'
import { startWorkload } from './workload.js'
import { Workflow } from './workflow.js'

type Inputs = Readonly<Record<string, string>>

/** What an adoption of a tool's installation must come to. */
export interface Expectations {
  /** The whole adoption report but for the pods: `as wanted`, or `somebody else's, eksctl`, by the resource's id. */
  readonly report: Readonly<Record<string, string>> | ((made: Made) => Readonly<Record<string, string>>)
  /** True where the release is changed at once, so that the controller's pods are rolled. */
  readonly rolls?: true
  /** Name of the queue that is made because there was none. */
  readonly queue?: string
  /** Parts of the names of what is gone after an uninstall with remove-adopted. */
  readonly gone: readonly string[]
  /** The same for what stays even then, because another tool keeps it. */
  readonly kept: readonly string[]
  /** What becomes of the release then. */
  readonly release: 'gone' | 'kept'
  /** True where another tool keeps the NodePools too, so that even their nodes stay. */
  readonly nodesStay?: true
}

const record = '/api/v1/namespaces/kube-system/configmaps/setup-karpenter'
const newVersion = newest
/** By namespace and name: the ConfigMap and the Lease, and the Secret where values of the chart may be secret. */
const ownLockAndRecord = 'kube-system setup-karpenter'

const example = new Workflow('examples/adopt.yml').step('karpenter', 'Set up Karpenter')

/** What examples/adopt.yml gives for each of its two choices; cluster and role are the sandbox's. */
function asked(what: 'report' | 'adopt'): Inputs {
  const names = ['mode', 'adopt']
  const given = Object.entries(Workflow.filled(example['with'], { inputs: { what } }))
  return Object.fromEntries(given.filter(([name]) => names.includes(name)))
}

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
      sandbox = await startSandbox({
        ...shape.spec,
        karpenter: [installedVersion, newVersion],
        runner: 'kept'
      })
      made = await shape.make(sandbox)
      await startWorkload(sandbox, { name: 'web', replicas: 2, nodePool: made.nodePools[0] ?? '' })
      before = await standingOf(sandbox, made)
      pods = await controllerPods(sandbox, made)
      all = await everything(sandbox)
      sandbox.cloud.clearCalls()
    })
    afterAll(async () => sandbox.stop())

    test('a check without a record says resource by resource whose it is, and writes nothing', async () => {
      const objects = await writtenObjects(sandbox)
      await holdForNames(sandbox, made, 'check')
      const { result } = await check(sandbox, { ...inputs, ...asked('report') })
      expect(await writtenObjects(sandbox)).toEqual(objects)
      expect(denied(callsOf(sandbox))).toEqual([])
      const report = typeof expected.report === 'function' ? expected.report(made) : expected.report
      expect(adoptionIn(result)).toEqual({
        ...report,
        'controller-pods': 'as wanted',
        ...('oidc-provider' in report && { 'retired-association': 'as wanted' })
      })
      expect(result.log).toContain('adopt would')
    })

    test('an install that is not asked to adopt is refused before the first write', async () => {
      await holdForNames(sandbox, made, 'install')
      sandbox.cloud.clearCalls()
      const objects = await writtenObjects(sandbox)
      const error = errorOf(await sandbox.run(inputs))
      expect(error).toContain('adopt: true')
      expect(error).toContain('Nothing was changed')
      expect(writes(callsOf(sandbox))).toEqual([])
      expect(await writtenObjects(sandbox)).toEqual(objects)
    })

    test('with adopt it is taken over: no node, no instance, no name changes, and the controller goes on', async () => {
      sandbox.cloud.clearCalls()
      const result = succeeded(await sandbox.run({ ...inputs, ...asked('adopt') }))
      expect(denied(callsOf(sandbox))).toEqual([])
      expect(await standingOf(sandbox, made)).toEqual(before)
      const restarts = await controllerPods(sandbox, made)
      if (expected.rolls === true) expect(Object.values(restarts)).toEqual([0, 0])
      else expect(restarts).toEqual(pods)
      expect(namesIn(result)).toEqual({ controllerRole: made.controllerRole, nodeRole: made.nodeRole })
      expect(result.outputs['queue-name']).toBe(expected.queue ?? made.queue)
      expect(await find(sandbox, record)).toBeDefined()
      const now = await everything(sandbox)
      expect(all.filter((name) => !now.includes(name))).toEqual([])
    })

    test('another name than it has is refused, whatever the record says', async () => {
      sandbox.cloud.clearCalls()
      const result = await sandbox.run({ ...inputs, 'controller-role-name': 'another' })
      expect(errorOf(result)).toContain(
        `controller-role-name: "another" is asked for, and the installation that is there has "${made.controllerRole}"`
      )
      expect(writes(callsOf(sandbox))).toEqual([])
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
      const scheduler = made.onFargate === true ? 'fargate-scheduler' : 'default-scheduler'
      expect(await schedulers(sandbox, made)).toEqual([scheduler])
      const { nodes, instances } = await standingOf(sandbox, made)
      expect({ nodes, instances }).toEqual({ nodes: before.nodes, instances: before.instances })
      await checkIsClean(sandbox, upgrade)
      await startWorkload(sandbox, { name: 'more', replicas: 1, nodePool: made.nodePools[0] ?? '' })
      expect(denied(callsOfController(sandbox, made))).toEqual([])
    })

    test('an uninstall spares what was there before, and it goes on working', async () => {
      const [running, standing] = [await standingOf(sandbox, made), await everything(sandbox)]
      await holdForNames(sandbox, made, 'uninstall')
      sandbox.cloud.clearCalls()
      succeeded(await compared(sandbox, await sandbox.run({ mode: 'uninstall' })))
      expect(denied(callsOf(sandbox))).toEqual([])
      expect(await standingOf(sandbox, made)).toEqual(running)
      const now = await everything(sandbox)
      const ours = standing.filter((name) => name === ownLockAndRecord)
      expect(ours.length).toBeGreaterThanOrEqual(2)
      expect(standing.filter((name) => !now.includes(name))).toEqual(ours)
      await startWorkload(sandbox, { name: 'still', replicas: 1, nodePool: made.nodePools[0] ?? '' })
      expect(denied(callsOfController(sandbox, made))).toEqual([])
    })

    test('adopted once more and uninstalled with remove-adopted, all of it goes that nobody else keeps', async () => {
      await holdForNames(sandbox, made, 'install')
      succeeded(await sandbox.run({ ...upgrade, adopt: 'true' }))
      await holdForNames(sandbox, made, 'uninstall')
      sandbox.cloud.clearCalls()
      const removal = {
        mode: 'uninstall',
        'remove-adopted': 'true',
        'remove-crds': 'true',
        timeout: '5m'
      }
      succeeded(await compared(sandbox, await sandbox.run(removal)))
      expect(denied(callsOf(sandbox))).toEqual([])
      const left = await everything(sandbox)
      const among = (names: readonly string[]): readonly string[] =>
        names.filter((part) => left.some((name) => name.includes(part)))
      expect(among(expected.gone)).toEqual([])
      expect(among(expected.kept)).toEqual(expected.kept)
      const deployment = await find(sandbox, deploymentOf(made))
      expect(deployment === undefined ? 'gone' : 'kept').toBe(expected.release)
      const nodes = await listed(sandbox, '/api/v1/nodes?labelSelector=karpenter.sh%2Fnodepool')
      expect(nodes.length > 0).toBe(expected.nodesStay === true)
    })
  })
}

/** `as wanted` or `somebody else's, eksctl` by id. */
function adoptionIn(result: ActionResult): Readonly<Record<string, string>> {
  return Object.fromEntries(
    list(reportOf(result)['adoption']).map((entry) => {
      const [state, keeper] = [text(at(entry, 'state')) ?? '', text(at(entry, 'keeper'))]
      return [text(at(entry, 'id')) ?? '', keeper === undefined ? state : `${state}, ${keeper}`]
    })
  )
}

/** Every object but those in which Karpenter itself goes on noting things. */
async function writtenObjects(sandbox: Sandbox): Promise<Readonly<Record<string, unknown>>> {
  const objects = Object.entries(await allObjects(sandbox))
  return Object.fromEntries(objects.filter(([name]) => !/\/(nodeclaims|nodes|pods) /.test(name)))
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
  const deployment = await get(sandbox, deploymentOf(made))
  return text(at(deployment, 'spec', 'template', 'spec', 'containers', 0, 'image')) ?? ''
}

function deploymentOf({ namespace, release }: Made): string {
  return `/apis/apps/v1/namespaces/${namespace}/deployments/${release}`
}
