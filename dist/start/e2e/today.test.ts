import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { newest, startSandbox, type ActionResult, type Sandbox } from '../sandbox/index.js'
import { preflightOf } from './failed-run.js'
import { list, record } from '../sandbox/values.js'
import { checkIsClean } from './clean-check.js'
import {
  at,
  callsOf,
  conditions,
  denied,
  documentOf,
  find,
  get,
  launchedByKarpenter,
  listed,
  paths,
  reportOf,
  smokeTestObjects,
  succeeded,
  writes
} from './scenario.js'

const account = '111122223333'
const inputs = {
  'karpenter-version': newest,
  'controller-identity': 'pod-identity',
  'smoke-test-one-per-node': 'true',
  'smoke-test-replicas': '3'
}
/** Six policies since 1.12; every one must be on the controller role. */
const policies = [
  'EKSIntegration',
  'IAMIntegration',
  'Interruption',
  'NodeLifecycle',
  'ResourceDiscovery',
  'ZonalShift'
]

describe(`today: Kubernetes 1.35, authentication mode API, Karpenter ${newest} by Pod Identity`, () => {
  let sandbox: Sandbox
  let result: ActionResult

  beforeAll(async () => {
    sandbox = await startSandbox({
      name: 'today',
      region: 'eu-central-1',
      kubernetesVersion: '1.35',
      authenticationMode: 'API'
    })
    result = succeeded(await sandbox.run(inputs))
  })
  afterAll(async () => sandbox.stop())

  test('the published policy is enough: no call of the action is refused', () => {
    expect(denied(callsOf(sandbox))).toEqual([])
    expect(result.leaks).toEqual([])
  })

  test('preflight finds nothing on a good cluster, and the role can do all that is planned', () => {
    expect(preflightOf(result)).toEqual([])
  })

  test('three pods run on three new nodes, and all three instances have ended', async () => {
    const launched = await launchedByKarpenter(sandbox)
    expect(launched).toHaveLength(3)
    expect(launched.map(({ state }) => state)).toEqual(['terminated', 'terminated', 'terminated'])
    expect(result.outputs).toMatchObject({
      'karpenter-version': newest,
      'kubernetes-version': '1.35',
      'nodes-before': '2',
      'nodes-after': '5',
      'nodes-added': '3'
    })
    const names = result.outputs['node-names']?.split(',') ?? []
    expect([...names].sort()).toEqual(launched.map(({ privateDnsName }) => privateDnsName).sort())
    const nodes = list(at(reportOf(result), 'smokeTests', 0, 'nodes')).map(record)
    expect(nodes.map(({ instanceId }) => instanceId).sort()).toEqual(launched.map(({ id }) => id).sort())
    expect(await listed(sandbox, paths.nodes)).toHaveLength(2)
    expect(await smokeTestObjects(sandbox)).toEqual([])
  })

  test('the controller has its role by Pod Identity, with the agent, and no OIDC provider is made', async () => {
    const associations = sandbox.cloud.eks.associations.values()
    expect(associations).toHaveLength(1)
    expect(associations[0]).toMatchObject({
      clusterName: 'today',
      namespace: 'karpenter',
      serviceAccount: 'karpenter',
      roleArn: `arn:aws:iam::${account}:role/today-karpenter`
    })
    const addons = sandbox.cloud.eks.addons.values()
    expect(addons.map(({ addonName, status }) => `${addonName} ${status}`)).toEqual([
      'eks-pod-identity-agent ACTIVE'
    ])
    const issuer = sandbox.cloud.eks.cluster('today').issuer.replace('https://', '')
    const providers = sandbox.cloud.iam.oidcProviders.values().map(({ url }) => url)
    expect(providers).not.toContain(issuer)
    const serviceAccount = await get(sandbox, '/api/v1/namespaces/karpenter/serviceaccounts/karpenter')
    expect(at(serviceAccount, 'metadata', 'annotations', 'eks.amazonaws.com/role-arn')).toBeUndefined()
  })

  test('the controller role trusts Pod Identity and has all six policies', () => {
    const role = sandbox.cloud.iam.role('today-karpenter')
    expect(documentOf(role.trust)).toMatchObject({
      Statement: [
        {
          Effect: 'Allow',
          Principal: { Service: 'pods.eks.amazonaws.com' },
          Action: expect.arrayContaining(['sts:AssumeRole', 'sts:TagSession'])
        }
      ]
    })
    expect([...role.attached].sort()).toEqual(
      policies.map((name) => `arn:aws:iam::${account}:policy/KarpenterController${name}Policy-today`)
    )
  })

  test('nodes join by an access entry of type EC2_LINUX, and aws-auth is not made', async () => {
    const entry = sandbox.cloud.eks.accessEntries
      .values()
      .find(({ principalArn }) => principalArn.endsWith('role/KarpenterNodeRole-today'))
    expect(entry).toMatchObject({
      type: 'EC2_LINUX',
      principalArn: `arn:aws:iam::${account}:role/KarpenterNodeRole-today`,
      kubernetesGroups: ['system:nodes']
    })
    expect(await find(sandbox, paths.awsAuth)).toBeUndefined()
  })

  test('the default NodePool and EC2NodeClass are Ready', async () => {
    const pool = await get(sandbox, `${paths.nodePools}/default`)
    const nodeClass = await get(sandbox, `${paths.nodeClasses}/default`)
    expect([conditions(pool)['Ready'], conditions(nodeClass)['Ready']]).toEqual(['True', 'True'])
    expect(at(pool, 'spec', 'limits')).toMatchObject({ memory: '1000Gi' })
    expect(Number(at(pool, 'spec', 'limits', 'cpu'))).toBe(1000)
  })

  test('a check finds nothing, and writes nothing', async () => {
    await checkIsClean(sandbox, inputs)
  })

  test('a second run makes no write call, asks nothing twice, and changes nothing', async () => {
    sandbox.cloud.clearCalls()
    const again = succeeded(await sandbox.run(inputs))
    expect(writes(callsOf(sandbox))).toEqual([])
    expect(again.outputs['changed']).toBe('false')
    const requests = record(reportOf(again)['requests'])
    expect(requests).toMatchObject({ writes: 0, repeated: [] })
    expect(requests['total']).toBeLessThanOrEqual(70)
  })
})
