import type { Aws } from '../../../src/aws/clients.js'
import type { AnyResource } from '../../../src/engine/resource.js'
import { crds } from '../../../src/resources/controller/crds.js'
import { ec2NodeClass } from '../../../src/resources/nodes/ec2-node-class.js'
import { flowSchemas } from '../../../src/resources/controller/flow-schemas.js'
import { namespace } from '../../../src/resources/controller/namespace.js'
import { nodePool, type NodeObjectPorts } from '../../../src/resources/nodes/node-pool.js'
import { refusals } from '../../../src/resources/dry-run.js'
import { RemovalView } from '../../../src/resources/removal/removal-view.js'
import { awsWith } from '../../aws/stand-in.js'
import { ApiServer, status } from '../../kubernetes/api-server.js'
import { recordedStep } from '../step.js'
import { unrecorded } from '../walk-one.js'

let server: ApiServer
let ports: NodeObjectPorts
let aws: Aws
let closeAws: () => Promise<void>
beforeAll(async () => {
  ;({ aws, close: closeAws } = await awsWith({}))
})
afterAll(async () => closeAws())
beforeEach(async () => {
  server = await ApiServer.start()
  ports = {
    kubernetes: server.kubernetes,
    ownership: { owner: 'setup-karpenter', run: 'https://run/1' },
    dependsOn: [],
    removal: { aws, forceDrain: false, view: new RemovalView(server.kubernetes) }
  }
})
afterEach(async () => server.stop())
const inspect = (one: AnyResource) => one.inspect(new AbortController().signal)
const ready = { conditions: [{ type: 'Ready', status: 'True' }] }
const poolPath = '/apis/karpenter.sh/v1/nodepools/default'
const pool = {
  apiVersion: 'karpenter.sh/v1',
  kind: 'NodePool',
  metadata: { name: 'default' },
  spec: {
    limits: { cpu: 1000, memory: '1000Gi' },
    template: { spec: { expireAfter: '720h', requirements: [] } }
  }
}

describe('namespace', () => {
  const path = '/api/v1/namespaces/karpenter'

  test('is made with our name on it, and removed again', async () => {
    const found = await inspect(namespace({ name: 'karpenter' }, ports))
    expect(found.state).toBe('absent')
    const step = recordedStep()
    await found.apply(step)
    expect(step.lines).toEqual(['created Namespace karpenter'])
    expect(server.at(path)).toMatchObject({
      metadata: {
        labels: { 'app.kubernetes.io/managed-by': 'setup-karpenter' },
        annotations: { 'setup-karpenter/run': 'https://run/1' }
      }
    })
    expect(await namespace({ name: 'karpenter' }, ports).remove(step, unrecorded)).toEqual({
      outcome: 'removed'
    })
    expect(server.at(path)).toBeUndefined()
  })

  test('that was there before is as wanted, and stays', async () => {
    server.put(path, { apiVersion: 'v1', kind: 'Namespace' })
    const one = namespace({ name: 'karpenter' }, ports)
    expect((await inspect(one)).state).toBe('as wanted')
    expect(await one.remove(recordedStep(), unrecorded)).toMatchObject({ outcome: 'kept' })
    expect(server.writes()).toEqual([])
  })

  test('that may not be read is unreadable, not absent', async () => {
    server.intercept = (_call, response) => {
      status(response, 403, 'Forbidden', 'no')
      return true
    }
    expect(await inspect(namespace({ name: 'karpenter' }, ports))).toMatchObject({
      state: 'unreadable',
      unreadable: { missingPermission: 'get namespaces' }
    })
  })

  test('that is being deleted is awaited and made again', async () => {
    server.put(path, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: ['kubernetes'] }
    })
    const found = await inspect(namespace({ name: 'karpenter' }, ports))
    expect(found.state).toBe('differs')
    const step = recordedStep()
    const applied = found.apply(step)
    while (server.watching === 0) await new Promise((resolve) => setImmediate(resolve))
    server.remove(path)
    await applied
    expect(step.waits).toEqual(['Namespace karpenter to go, held by finalizer kubernetes'])
    expect(server.at(path)?.metadata['deletionTimestamp']).toBeUndefined()
  })
})

describe('FlowSchemas', () => {
  test('are not needed in kube-system', () => {
    expect(flowSchemas({ namespace: 'kube-system', serviceAccount: 'karpenter' }, ports)).toBeUndefined()
  })

  test('let the service account of any other namespace through, read with one request', async () => {
    const one = flowSchemas({ namespace: 'karpenter', serviceAccount: 'karpenter' }, ports)
    if (one === undefined) throw new Error('none')
    await (await inspect(one)).apply(recordedStep())
    server.calls.length = 0
    expect((await inspect(one)).state).toBe('as wanted')
    expect(server.calls).toHaveLength(1)
    const path = '/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas/karpenter-workload'
    server.put(path, { ...server.at(path), spec: { matchingPrecedence: 9000 } })
    const drifted = await inspect(one)
    expect(drifted.differences.map((each) => each.path)).toContain(
      'karpenter-workload.spec.matchingPrecedence'
    )
    const step = recordedStep()
    await drifted.apply(step)
    expect(step.lines).toEqual(['corrected FlowSchema karpenter-workload'])
  })
})

describe('CRDs', () => {
  const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/nodepools.karpenter.sh'
  const crd = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'nodepools.karpenter.sh' },
    spec: {
      group: 'karpenter.sh',
      names: { kind: 'NodePool', plural: 'nodepools' },
      versions: [{ name: 'v1', storage: true }]
    }
  }
  const established = { conditions: [{ type: 'Established', status: 'True' }] }
  const one = (removable = true) => crds({ version: '1.2.1', crds: [crd] }, { ...ports, removable })

  test('are applied, and awaited until they are served', async () => {
    const found = await inspect(one())
    const step = recordedStep()
    const applied = found.apply(step)
    while (server.watching === 0) await new Promise((resolve) => setImmediate(resolve))
    server.put(path, { ...server.at(path), status: established })
    await applied
    expect(step.lines).toEqual(['created CRD nodepools.karpenter.sh (1.2.1)'])
    expect((await inspect(one())).state).toBe('as wanted')
  })

  test('of another version are one difference each', async () => {
    const versions = [{ name: 'v1beta1', storage: true }]
    server.put(path, { ...crd, spec: { ...crd.spec, versions, scope: 'Cluster' } })
    const found = await inspect(one())
    expect(found.differences.map((each) => each.reason)).toEqual([
      'CRD nodepools.karpenter.sh is not that of 1.2.1: 1 fields differ, first spec.versions[0].name'
    ])
  })

  test('with a field in their schema that somebody added are not as wanted', async () => {
    server.put(path, {
      ...crd,
      spec: {
        ...crd.spec,
        versions: crd.spec.versions.map((version) => ({ ...version, schema: { extra: true } })),
        scope: 'Cluster'
      },
      metadata: {
        managedFields: [{ manager: 'kubectl-edit', fieldsV1: { 'f:spec': { 'f:versions': {} } } }]
      }
    })
    const found = await inspect(one())
    expect(found.differences).toMatchObject([
      {
        reason: expect.stringContaining('first spec.versions[0].schema') as unknown,
        by: { manager: 'kubectl-edit' }
      }
    ])
  })

  test('of a record that has more of them are compared as far as they were read', async () => {
    server.put(path, { ...crd, status: established })
    const other = { ...crd, metadata: { name: 'nodeoverlays.karpenter.sh' } }
    expect((await inspect(one())).against({ version: '1.14.0', crds: [crd, other] })).toEqual([])
  })

  test('lose the conversion webhook of 1.0, behind which nobody is left', async () => {
    server.put(path, {
      ...crd,
      status: established,
      spec: { ...crd.spec, conversion: { strategy: 'Webhook', webhook: { clientConfig: {} } } }
    })
    const found = await inspect(one())
    expect(found.differences[0]?.reason).toContain('still converts by a webhook')
    await found.apply(recordedStep())
    expect(server.writes().map((call) => call.body)[0]).toEqual({
      spec: { conversion: { strategy: 'None', webhook: null } }
    })
  })

  test('stay when their removal was not asked for, or NodePools would go with them', async () => {
    server.put(path, { ...crd, metadata: { labels: { 'app.kubernetes.io/managed-by': 'setup-karpenter' } } })
    expect(await one(false).remove(recordedStep(), unrecorded)).toMatchObject({ outcome: 'kept' })
    server.put(poolPath, pool)
    expect(await one().remove(recordedStep(), unrecorded)).toMatchObject({
      outcome: 'kept',
      reason: 'NodePools default are still there and would go with them'
    })
    server.remove(poolPath)
    expect(await one().remove(recordedStep(), unrecorded)).toEqual({ outcome: 'removed' })
  })
})

describe('NodePool', () => {
  test('as wanted costs one request, its settling none', async () => {
    server.put(poolPath, {
      ...pool,
      status: ready,
      spec: {
        limits: { cpu: '1k', memory: '1000Gi' },
        weight: 1,
        template: { spec: { expireAfter: '720h0m0s' } }
      }
    })
    const found = await inspect(nodePool(pool, ports))
    expect(found.differences).toEqual([])
    await found.settle(recordedStep())
    expect(server.calls).toHaveLength(1)
  })

  test('is applied by server-side apply, what differs named field by field', async () => {
    server.put(poolPath, { ...pool, spec: { ...pool.spec, limits: { cpu: 500, memory: '1000Gi' } } })
    const found = await inspect(nodePool(pool, ports))
    const step = recordedStep()
    await found.apply(step)
    expect(step.lines).toEqual(['NodePool default: set spec.limits.cpu to 1000 (was 500)'])
    expect(server.writes()[0]?.contentType).toBe('application/apply-patch+yaml')
    expect(server.at(poolPath)?.metadata['labels']).toBeUndefined()
  })

  test('what an earlier run set and is no longer wanted is a difference', async () => {
    server.put(poolPath, {
      ...pool,
      spec: { ...pool.spec, weight: 10 },
      metadata: {
        managedFields: [
          {
            manager: 'setup-karpenter',
            operation: 'Apply',
            fieldsV1: { 'f:spec': { 'f:weight': {}, 'f:limits': { 'f:cpu': {} } } }
          },
          { manager: 'karpenter', operation: 'Update', fieldsV1: { 'f:spec': { 'f:other': {} } } }
        ]
      }
    })
    const found = await inspect(nodePool(pool, ports))
    expect(found.differences.map((each) => each.reason)).toEqual([
      'spec.weight was set by an earlier run and is no longer wanted'
    ])
  })

  test('of ours to which somebody added something has it taken out before it is applied', async () => {
    server.put(poolPath, {
      ...pool,
      spec: { ...pool.spec, weight: 10 },
      metadata: {
        annotations: { 'setup-karpenter/run': 'https://run/0' },
        managedFields: [
          {
            manager: 'kubectl-edit',
            operation: 'Update',
            time: '2026-01-01T00:00:00Z',
            fieldsV1: { 'f:spec': { 'f:weight': {} } }
          }
        ]
      }
    })
    const found = await inspect(nodePool(pool, ports))
    expect(found.differences).toMatchObject([{ path: 'spec.weight', by: { manager: 'kubectl-edit' } }])
    server.intercept = (call, response) => {
      if (call.contentType !== 'application/json-patch+json') return false
      response.end(JSON.stringify(server.at(poolPath)))
      return true
    }
    const step = recordedStep()
    await found.apply(step)
    expect(step.lines).toEqual(['NodePool default: removed spec.weight'])
    expect(server.writes().map(({ contentType }) => contentType)).toEqual([
      'application/json-patch+json',
      'application/apply-patch+yaml'
    ])
    expect(server.writes()[0]?.body).toMatchObject([
      { op: 'test' },
      { op: 'add', path: '/metadata/labels' },
      { op: 'add', path: '/spec', value: { limits: pool.spec.limits } }
    ])
  })

  test('that stays not Ready is an error with the message of the failing condition', async () => {
    server.put(poolPath, {
      ...pool,
      status: {
        conditions: [
          { type: 'Ready', status: 'False', reason: 'UnhealthyDependents', message: 'NodeClassReady=False' },
          {
            type: 'NodeClassReady',
            status: 'False',
            reason: 'NodeClassNotFound',
            message: 'NodeClass not found on cluster'
          }
        ]
      }
    })
    let now = 0
    const found = await inspect(nodePool(pool, ports))
    await expect(found.settle(recordedStep(() => (now += 50_000)))).rejects.toThrow(
      'NodePool default: is not Ready: NodeClassReady=False (NodeClassNotFound): NodeClass not found on cluster'
    )
  })

  test('is removed with its NodeClaims awaited, and who blocks is said', async () => {
    const claim = '/apis/karpenter.sh/v1/nodeclaims/default-x'
    server.put(poolPath, { ...pool, metadata: { annotations: { 'setup-karpenter/run': 'https://run/0' } } })
    server.put(claim, {
      apiVersion: 'karpenter.sh/v1',
      kind: 'NodeClaim',
      metadata: { labels: { 'karpenter.sh/nodepool': 'default' } },
      status: {
        conditions: [
          { type: 'Drained', status: 'Unknown', reason: 'Draining', message: '2 pods are waiting' }
        ]
      }
    })
    server.put('/apis/apps/v1/namespaces/karpenter/deployments/karpenter', {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { labels: { 'app.kubernetes.io/name': 'karpenter' } },
      status: { readyReplicas: 2 }
    })
    const step = recordedStep()
    const removed = nodePool(pool, ports).remove(step, unrecorded)
    while (step.waits.length === 0) await new Promise((resolve) => setImmediate(resolve))
    server.remove(claim)
    expect(await removed).toEqual({ outcome: 'removed' })
    expect(step.waits).toEqual([
      '1 NodeClaims of NodePool default to go: default-x (Drained=Unknown (Draining): 2 pods are waiting)'
    ])
  })

  test('that somebody else made is kept', async () => {
    server.put(poolPath, pool)
    expect(await nodePool(pool, ports).remove(recordedStep(), unrecorded)).toMatchObject({ outcome: 'kept' })
    expect(server.writes()).toEqual([])
  })
})

test('an EC2NodeClass without subnets says which tag to set', async () => {
  const nodeClass = {
    apiVersion: 'karpenter.k8s.aws/v1',
    kind: 'EC2NodeClass',
    metadata: { name: 'default' },
    spec: {}
  }
  server.put('/apis/karpenter.k8s.aws/v1/ec2nodeclasses/default', {
    ...nodeClass,
    status: {
      conditions: [
        {
          type: 'SubnetsReady',
          status: 'False',
          reason: 'SubnetsNotFound',
          message: 'SubnetSelector did not match any Subnets'
        }
      ]
    }
  })
  let now = 0
  const found = await inspect(ec2NodeClass(nodeClass, ports))
  await expect(found.settle(recordedStep(() => (now += 50_000)))).rejects.toMatchObject({
    message:
      'EC2NodeClass default: is not Ready: SubnetsReady=False (SubnetsNotFound): SubnetSelector did not match any Subnets',
    fix: expect.stringContaining('Tag the subnets with karpenter.sh/discovery=<cluster>') as unknown
  })
})

test('manifests are shown to the API server without being written; kinds it does not serve are passed over', async () => {
  server.intercept = (call, response) => {
    if (call.path !== poolPath || call.method === 'GET') return false
    status(response, 422, 'Invalid', 'spec.limits.cpu: must be a quantity')
    return true
  }
  const unknown = { apiVersion: 'example.com/v1', kind: 'Thing', metadata: { name: 'x' } }
  expect(await refusals(server.kubernetes, [pool, unknown])).toEqual([
    { title: 'NodePool default', message: expect.stringContaining('must be a quantity') as unknown }
  ])
  expect(server.writes().every((call) => call.query.get('dryRun') === 'All')).toBe(true)
})
