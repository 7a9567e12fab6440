import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { startSandbox, type Sandbox } from '../sandbox/index.js'
import { list, record, text } from '../sandbox/values.js'
import { at, conditions, denied, get, launchedByKarpenter, listed, paths } from './scenario.js'
import { shapes } from './shapes/index.js'
import { installedVersion, type Made } from './shapes/shape.js'
import { podsOf, startWorkload } from './workload.js'

describe.each(shapes.map((shape) => [shape.name, shape] as const))('%s', (_name, shape) => {
  let sandbox: Sandbox
  let made: Made
  beforeAll(async () => {
    sandbox = await startSandbox({ ...shape.spec, karpenter: [installedVersion] })
    made = await shape.make(sandbox)
    await startWorkload(sandbox, { name: 'web', replicas: 2, nodePool: made.nodePools[0] ?? '' })
  })
  afterAll(async () => sandbox.stop())

  test('the controller is Ready, with its role and nothing refused to it', async () => {
    const path = `/apis/apps/v1/namespaces/${made.namespace}/deployments/${made.release}`
    const deployment = await get(sandbox, path)
    expect(at(deployment, 'status', 'readyReplicas')).toBe(at(deployment, 'spec', 'replicas'))
    const calls = sandbox.cloud
      .calls()
      .filter(({ callerArn }) => callerArn.includes(`:assumed-role/${made.controllerRole}/`))
    expect(calls.map(({ action }) => action)).toContain('CreateFleet')
    expect(denied(calls)).toEqual([])
  })

  test('the workload runs on nodes that Karpenter launched, with the node role', async () => {
    const nodes = await listed(sandbox, `${paths.nodes}?labelSelector=karpenter.sh%2Fnodepool`)
    expect(nodes.map((node) => conditions(node)['Ready'])).toEqual(['True', 'True'])
    const pods = await podsOf(sandbox, 'web')
    expect(pods.map((pod) => at(pod, 'spec', 'nodeName')).toSorted()).toEqual(
      nodes.map((node) => at(node, 'metadata', 'name')).toSorted()
    )
    const launched = await launchedByKarpenter(sandbox)
    expect(launched).toHaveLength(2)
    const profiles = sandbox.cloud.iam.profilesOf(made.nodeRole).map(({ name }) => name)
    expect(profiles).toEqual(expect.arrayContaining(launched.map(({ profile }) => profile)))
  })

  test('names, identity, node access and queue are what the shape says', async () => {
    const { iam, eks } = sandbox.cloud
    const nodeRole = iam.role(made.nodeRole)
    const access = {
      'access-entry': eks.accessEntries.values().some(({ principalArn }) => principalArn === nodeRole.arn),
      'aws-auth': JSON.stringify(await get(sandbox, paths.awsAuth).catch(() => ({}))).includes(nodeRole.arn)
    }
    expect(access).toEqual({
      'access-entry': made.nodeAccess === 'access-entry',
      'aws-auth': made.nodeAccess === 'aws-auth'
    })
    const account = await get(sandbox, `/api/v1/namespaces/${made.namespace}/serviceaccounts/${made.release}`)
    const annotated = text(at(account, 'metadata', 'annotations', 'eks.amazonaws.com/role-arn'))
    const associated = eks.associations
      .values()
      .filter(({ namespace }) => namespace === made.namespace)
      .map(({ roleArn }) => roleArn)
    const controllerRole = iam.role(made.controllerRole).arn
    expect({ annotated, associated: [...associated] }).toEqual(
      made.identity === 'irsa'
        ? { annotated: controllerRole, associated: [] }
        : { annotated: undefined, associated: [controllerRole] }
    )
    // A call is on record when it has been answered, and one that waits for messages is not for a while.
    const looked = sandbox.cloud
      .calls()
      .filter(({ action, callerArn }) => action === 'GetQueueUrl' && callerArn.includes(made.controllerRole))
    const heard = made.queue !== undefined && made.queueUnheard !== true
    expect([...new Set(looked.map(({ outcome }) => outcome))]).toEqual(heard ? ['ok'] : [])
  })

  test('NodePools and EC2NodeClasses bear the mark of whoever wrote them', async () => {
    const { nodePools, nodeClasses, objectsBy = 'kubectl-client-side-apply' } = made
    for (const path of [
      ...nodePools.map((name) => `${paths.nodePools}/${name}`),
      ...nodeClasses.map((name) => `${paths.nodeClasses}/${name}`)
    ]) {
      const object = await get(sandbox, path)
      const managers = list(at(object, 'metadata', 'managedFields')).map((entry) => record(entry)['manager'])
      expect(managers).toContain(objectsBy)
      expect(JSON.stringify(object).includes('kubectl.kubernetes.io/last-applied-configuration')).toBe(
        objectsBy === 'kubectl-client-side-apply'
      )
    }
  })
})
