import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { newest, startSandbox, type ActionResult, type RunOptions, type Sandbox } from '../sandbox/index.js'
import { text } from '../sandbox/values.js'
import { checkIsClean } from './clean-check.js'
import { standing } from './standing.js'
import { holdDeployments } from './unanswered-webhook.js'
import {
  at,
  callsOf,
  conditions,
  find,
  get,
  launchedByKarpenter,
  listed,
  paths,
  reportOf,
  smokeTestObjects,
  succeeded,
  until,
  writes
} from './scenario.js'

const inputs = { 'karpenter-version': newest, 'smoke-test-replicas': '1' }
/** Another annotation on the controller's pods makes another rollout. */
const secondRollout = { ...inputs, 'helm-values': 'podAnnotations: { rollout: second }' }
/** As when the runner's machine is taken away: SIGKILL follows at once. */
const killed: RunOptions = { signals: { untilTerminate: 0, untilKill: 0 } }

/** One cluster, on which each run goes on from where the one before was stopped. */
describe('a run that is stopped', () => {
  let sandbox: Sandbox
  let before: readonly string[]

  beforeAll(async () => {
    sandbox = await startSandbox({ name: 'stopped', region: 'eu-west-1', kubernetesVersion: '1.34' })
    before = await standing(sandbox)
  })
  afterAll(async () => sandbox.stop())

  afterEach(async () => {
    sandbox.cloud.setFaults([])
    const after = await standing(sandbox)
    expect(after).toEqual(expect.arrayContaining([...before]))
    before = after
    const lock = await find(sandbox, paths.lock)
    expect(text(at(lock, 'spec', 'holderIdentity')) ?? '').toBe('')
    await until('the end of the smoke test', async () =>
      (await smokeTestObjects(sandbox)).length === 0 ? true : undefined
    )
    await until('the end of the instances', async () =>
      (await launchedByKarpenter(sandbox)).every(({ state }) => state === 'terminated') ? true : undefined
    )
  })

  /** Runs the action and stops it at the first moment at which `look` finds something. */
  async function stoppedWhen(
    what: string,
    look: () => Promise<boolean> | boolean,
    options: RunOptions = {},
    using: Readonly<Record<string, string>> = inputs
  ): Promise<ActionResult> {
    sandbox.cloud.clearCalls()
    const run = { ended: false }
    const seen = until(what, async () => (run.ended || (await look()) ? true : undefined), 300)
    const result = await sandbox.run(using, { ...options, cancelAt: seen })
    run.ended = true
    if (result.conclusion !== 'cancelled') throw new Error(`${what} was not seen:\n${result.log}`)
    await seen
    expect(result.post?.exitCode).toBe(0)
    expect(result.post?.annotations).toEqual([])
    return result
  }

  const called = (action: string) => (): boolean => callsOf(sandbox).some((call) => call.action === action)

  test('while it discovers: nothing is written, and the report says cancelled', async () => {
    sandbox.cloud.setFaults([
      { service: 'ec2', action: 'DescribeSubnets', effect: { kind: 'delay', milliseconds: 2000 } }
    ])
    const result = await stoppedWhen('DescribeCluster', called('DescribeCluster'))
    expect(writes(callsOf(sandbox))).toEqual([])
    expect(await find(sandbox, paths.lock)).toBeUndefined()
    expect(reportOf(result)['result']).toBe('cancelled')
    expect(result.annotations.map(({ message }) => message).join('\n')).toContain('Nothing was changed')
  })

  test('killed outright between the change set and its execution: the stack is left without resources', async () => {
    sandbox.cloud.setFaults([
      {
        service: 'cloudformation',
        action: 'DescribeChangeSet',
        effect: { kind: 'delay', milliseconds: 2000 }
      }
    ])
    const result = await stoppedWhen('CreateChangeSet', called('CreateChangeSet'), killed)
    expect(result.exitCode).toBeNull()
    expect(called('ExecuteChangeSet')()).toBe(false)
    expect(result.post?.log).toContain('released the lock')
  })

  test('while CloudFormation makes the stack: what was made stays, and the lock is given back', async () => {
    const result = await stoppedWhen('ExecuteChangeSet', called('ExecuteChangeSet'))
    expect(result.post?.log).toContain('released the lock')
    expect(sandbox.cloud.iam.roles.get('stopped-karpenter')).toBeDefined()
    expect(reportOf(result)['result']).toBe('cancelled')
    expect(result.summary).toContain('**Cancelled**')
  })

  test('killed outright while helm installs: the release is left unfinished', async () => {
    const pending = '/api/v1/namespaces/karpenter/secrets?labelSelector=owner%3Dhelm,status%3Dpending-install'
    const letGo = await holdDeployments(sandbox, 'karpenter')
    const result = await stoppedWhen(
      'a release being installed',
      async () => (await listed(sandbox, pending)).length > 0,
      killed
    ).finally(letGo)
    expect(result.exitCode).toBeNull()
    expect(await listed(sandbox, pending)).toHaveLength(1)
  })

  test('while the rollout is awaited: the controller goes on starting', async () => {
    const rolling = async (): Promise<boolean> => {
      const deployment = await find(sandbox, `${paths.deployments}/karpenter`)
      const annotations = at(deployment, 'spec', 'template', 'metadata', 'annotations')
      const updated = at(deployment, 'status', 'updatedReplicas')
      const ready = at(deployment, 'status', 'readyReplicas')
      const complete = updated === 2 && ready === 2 && at(deployment, 'status', 'replicas') === 2
      return at(annotations, 'rollout') === 'second' && !complete
    }
    await stoppedWhen('a rollout', rolling, {}, secondRollout)
    expect(await find(sandbox, `${paths.deployments}/karpenter`)).toBeDefined()
  })

  test('while the smoke test scales up: its Deployment, its NodePool and its nodes go, all else stays', async () => {
    const claimed = async (): Promise<boolean> =>
      (await smokeTestObjects(sandbox)).some((object) => object.startsWith('NodeClaim '))
    const result = await stoppedWhen('a NodeClaim of the smoke test', claimed, {}, secondRollout)
    expect(result.post?.log).toMatch(/removed Deployment karpenter\/smoke-test-/)
    expect(result.post?.log).toMatch(/removed NodePool smoke-test-/)
    expect(conditions(await get(sandbox, `${paths.nodePools}/default`))['Ready']).toBe('True')
  })

  test('while the smoke test scales down: its NodePool and its nodes go, all else stays', async () => {
    const seen = { deployment: false }
    const scalingDown = async (): Promise<boolean> => {
      const objects = await smokeTestObjects(sandbox)
      const deployment = objects.some((object) => object.startsWith('Deployment '))
      seen.deployment ||= deployment
      return seen.deployment && !deployment && objects.some((object) => object.startsWith('NodePool '))
    }
    const result = await stoppedWhen('the scale-down', scalingDown, {}, secondRollout)
    expect(result.post?.log).toMatch(/removed NodePool smoke-test-/)
    expect(await launchedByKarpenter(sandbox)).not.toEqual([])
  })

  test('the next run finishes the job', async () => {
    const result = succeeded(await sandbox.run(secondRollout))
    expect(result.outputs).toMatchObject({ 'nodes-before': '2', 'nodes-added': '1' })
    expect(conditions(await get(sandbox, `${paths.nodePools}/default`))['Ready']).toBe('True')
    const again = succeeded(await sandbox.run(secondRollout))
    expect(again.outputs['changed']).toBe('false')
    await checkIsClean(sandbox, secondRollout)
  })
})
