import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { hold, publishedStatements } from '../sandbox/cluster/deployer-policy.js'
import { newest, startSandbox, type ActionResult, type Sandbox } from '../sandbox/index.js'
import { text } from '../sandbox/values.js'
import { checkIsClean } from './clean-check.js'
import { refusedBeforeWriting } from './failed-run.js'
import {
  at,
  callsOf,
  denied,
  launchedByKarpenter,
  listed,
  paths,
  succeeded,
  until,
  writes
} from './scenario.js'
import { startWorkload, stopWorkload } from './workload.js'
import { compared } from './removal.js'

const version = { 'karpenter-version': newest }
const irsa = { ...version, 'controller-identity': 'irsa' }
const controllers = '/api/v1/namespaces/karpenter/pods?labelSelector=app.kubernetes.io%2Fname%3Dkarpenter'

describe('a cluster that has a Fargate profile for the controller, and not one node', () => {
  let sandbox: Sandbox
  let result: ActionResult

  beforeAll(async () => {
    sandbox = await startSandbox({
      name: 'nodeless',
      region: 'eu-central-1',
      nodeGroup: { name: 'none', count: 0, instanceType: 'm5.large', zones: 2 },
      fargateProfiles: { karpenter: [{ namespace: 'karpenter', labels: {} }] }
    })
  })
  afterAll(async () => sandbox.stop())

  test.each([
    ['as it is by default there', {}],
    ['by Pod Identity', { 'controller-identity': 'pod-identity' }]
  ])('refuses a controller that would get no credentials: %s', async (_what, inputs) => {
    await refusedBeforeWriting(sandbox, await sandbox.run({ ...version, ...inputs }), [
      /^setup-karpenter: controller-identity: pod-identity does not serve Fargate/,
      'Fargate profile karpenter takes in its pods in namespace karpenter',
      'Pass `controller-identity: irsa`'
    ])
  })

  test("refuses the host's network, which Fargate does not give", async () => {
    const inputs = { ...irsa, 'helm-values': 'hostNetwork: true' }
    await refusedBeforeWriting(sandbox, await sandbox.run(inputs), [
      'hostNetwork: true is not possible on Fargate',
      'Leave hostNetwork out of helm-values'
    ])
  })

  test('is installed on with IRSA: each replica has a node of its own, and Karpenter makes EC2 nodes', async () => {
    sandbox.cloud.clearCalls()
    result = succeeded(await sandbox.run(irsa))
    expect(denied(callsOf(sandbox))).toEqual([])
    expect(result.outputs['nodes-added']).toBe('1')
    expect((await launchedByKarpenter(sandbox)).map(({ state }) => state)).toEqual(['terminated'])
    const pods = await listed(sandbox, controllers)
    const nodes = await listed(sandbox, paths.nodes)
    expect(pods.map((pod) => at(pod, 'spec', 'schedulerName'))).toEqual([
      'fargate-scheduler',
      'fargate-scheduler'
    ])
    expect(pods.map((pod) => text(at(pod, 'spec', 'nodeName'))).toSorted()).toEqual(
      nodes.map((node) => text(at(node, 'metadata', 'name'))).toSorted()
    )
  })

  test('is as wanted, also where Karpenter has made the only other node', async () => {
    await startWorkload(sandbox, { name: 'web', replicas: 1 })
    await checkIsClean(sandbox, irsa)
    sandbox.cloud.clearCalls()
    const again = succeeded(await sandbox.run({ ...irsa, 'smoke-test': 'false' }))
    expect(again.outputs['changed']).toBe('false')
    expect(writes(callsOf(sandbox))).toEqual([])
    await stopWorkload(sandbox, 'web')
  })

  test("is rid of it, and of the controller's nodes; the profile stays", async () => {
    hold(sandbox, await publishedStatements(sandbox, 'uninstall'))
    succeeded(await compared(sandbox, await sandbox.run({ mode: 'uninstall', 'remove-crds': 'true' })))
    await until("Fargate's nodes to go", async () =>
      (await listed(sandbox, paths.nodes)).length === 0 ? true : undefined
    )
    expect(sandbox.cloud.eks.fargateProfiles.values().map(({ status }) => status)).toEqual(['ACTIVE'])
  })
})
