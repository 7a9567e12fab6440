import type { CustomResourceDefinition } from 'kubernetes-types/apiextensions/v1.js'
import { objectNames, olderWebhooks } from '../../../src/preflight/reads/older-karpenter-reads.js'
import { fargateProfiles } from '../../../src/preflight/controller/fargate-profiles.js'
import { networkReads } from '../../../src/preflight/reads/network-reads.js'
import { controllerNodes, podsOn } from '../../../src/preflight/controller/node-room.js'
import { podIdentityAgentNodes, publishedParameters } from '../../../src/preflight/reads/reads.js'
import { awsWith, Refusal } from '../../aws/stand-in.js'
import { ApiServer } from '../../kubernetes/api-server.js'

let server: ApiServer
beforeEach(async () => {
  server = await ApiServer.start()
})
afterEach(async () => server.stop())

/** Answers listings by path; everything else is not there. */
function listings(items: Readonly<Record<string, readonly object[]>>): void {
  server.intercept = (call, response) => {
    const found = items[call.path]
    if (found === undefined) return undefined
    response.end(JSON.stringify({ metadata: {}, items: found }))
    return true
  }
}

test('objects of a CRD are listed by the version that is served', async () => {
  listings({
    '/apis/karpenter.sh/v1alpha5/provisioners': [
      { metadata: { name: 'default' } },
      { metadata: { name: 'gpu' } }
    ]
  })
  const crd: CustomResourceDefinition = {
    spec: {
      group: 'karpenter.sh',
      names: { kind: 'Provisioner', plural: 'provisioners' },
      scope: 'Cluster',
      versions: [
        { name: 'v1alpha4', served: false, storage: false },
        { name: 'v1alpha5', served: true, storage: true }
      ]
    }
  }
  expect(await objectNames(server.kubernetes, crd)).toEqual(['default', 'gpu'])
})

test("webhooks of Karpenter are told from others', and whether their service is there", async () => {
  const webhook = (name: string, service: string) => ({
    metadata: { name },
    webhooks: [{ clientConfig: { service: { name: service, namespace: 'kube-system' } } }]
  })
  listings({
    '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations': [
      webhook('validation.webhook.config.karpenter.sh', 'karpenter'),
      webhook('vpc-resource-validating-webhook', 'vpc')
    ],
    '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations': []
  })
  expect(await olderWebhooks(server.kubernetes)).toEqual([
    {
      kind: 'ValidatingWebhookConfiguration',
      name: 'validation.webhook.config.karpenter.sh',
      service: 'kube-system/karpenter',
      serviceThere: false,
      failurePolicy: 'Fail'
    }
  ])
})

test('only nodes whose agent is Ready count', async () => {
  const pod = (nodeName: string, status: string) => ({
    metadata: { name: nodeName },
    spec: { nodeName },
    status: { conditions: [{ type: 'Ready', status }] }
  })
  listings({ '/api/v1/namespaces/kube-system/pods': [pod('ip-1', 'True'), pod('ip-2', 'False')] })
  expect(await podIdentityAgentNodes(server.kubernetes)()).toEqual(['ip-1'])
})

test('parameters that are there are told from those that may not be read', async () => {
  const there = await awsWith({
    GetParameters: () => ({ Parameters: [{ Name: '/a' }], InvalidParameters: ['/b'] })
  })
  expect(await publishedParameters(there.aws)(['/a', '/b'])).toEqual(['/a'])
  await there.close()
  const denied = await awsWith({
    GetParameters: () => {
      throw new Refusal('AccessDeniedException', 'User: x is not authorized to perform: ssm:GetParameters')
    }
  })
  expect(await publishedParameters(denied.aws)(['/a'])).toBe('denied')
  await denied.close()
})

test('pods of a node are read by one list, with what each takes of it', async () => {
  const container = (cpu: string, memory: string) => ({ resources: { requests: { cpu, memory } } })
  const labels = { 'app.kubernetes.io/name': 'karpenter', 'app.kubernetes.io/instance': 'karpenter' }
  listings({
    '/api/v1/pods': [
      {
        metadata: { namespace: 'default' },
        spec: {
          priority: 7,
          containers: [container('100m', '1Gi'), { resources: {} }],
          initContainers: [container('2', '1Mi'), { ...container('50m', '1Gi'), restartPolicy: 'Always' }],
          overhead: { cpu: '10m' }
        }
      },
      { metadata: { namespace: 'karpenter', labels }, spec: {} }
    ]
  })
  const read = podsOn(server.kubernetes, { namespace: 'karpenter', releaseName: 'karpenter' })
  expect(await read('ip-1')).toEqual({
    state: 'read',
    items: [
      { cpu: 2.01, memory: 2 ** 31, priority: 7, isController: false },
      { cpu: 0, memory: 0, priority: 0, isController: true }
    ]
  })
  expect(server.calls.map(({ query }) => query.get('fieldSelector'))).toEqual([
    'spec.nodeName=ip-1,status.phase!=Succeeded,status.phase!=Failed'
  ])
})

test("the controller's pods say on which nodes they run", async () => {
  listings({
    '/api/v1/namespaces/karpenter/pods': [
      { metadata: {}, spec: { nodeName: 'fargate-ip-1' } },
      { metadata: {}, spec: {} }
    ]
  })
  const read = controllerNodes(server.kubernetes, { namespace: 'karpenter', releaseName: 'karpenter' })
  expect(await read()).toEqual({ state: 'read', items: ['fargate-ip-1', ''] })
  expect(server.calls.map(({ query }) => query.get('labelSelector'))).toEqual([
    'app.kubernetes.io/name=karpenter,app.kubernetes.io/instance=karpenter'
  ])
})

test('pods that may not be read are no failure', async () => {
  server.intercept = (_call, response) => {
    response.statusCode = 403
    response.end(
      JSON.stringify({ kind: 'Status', reason: 'Forbidden', message: 'pods is forbidden', code: 403 })
    )
    return true
  }
  const read = podsOn(server.kubernetes, { namespace: 'karpenter', releaseName: 'karpenter' })
  const pods: unknown = expect.stringContaining('pods')
  expect(await read('ip-1')).toMatchObject({ state: 'denied', action: pods })
})

test('Fargate profiles that are ACTIVE are read with their selectors', async () => {
  const profile = (status: string) => ({
    fargateProfile: {
      fargateProfileName: status.toLowerCase(),
      status,
      selectors: [{ namespace: 'karpenter' }, { namespace: 'a', labels: { b: 'c' } }]
    }
  })
  const statuses = ['ACTIVE', 'DELETING']
  const aws = await awsWith({
    ListFargateProfiles: () => ({ fargateProfileNames: ['active', 'deleting'] }),
    DescribeFargateProfile: () => profile(statuses.shift() ?? '')
  })
  const read = await fargateProfiles(aws.aws, 'blue')()
  await aws.close()
  expect(read).toMatchObject({
    state: 'read',
    items: [
      {
        selectors: [
          { namespace: 'karpenter', labels: {} },
          { namespace: 'a', labels: { b: 'c' } }
        ]
      }
    ]
  })
})

test("the network's reads say which action is denied, and throw other errors", async () => {
  const aws = await awsWith({
    DescribeVpcEndpoints: () => {
      throw new Refusal(
        'UnauthorizedOperation',
        'User: x is not authorized to perform: ec2:DescribeVpcEndpoints',
        403
      )
    },
    DescribeRouteTables: () => {
      throw new Refusal('InvalidParameterValue', 'no')
    }
  })
  const reads = networkReads(aws.aws, { name: 'blue', vpcId: 'vpc-1' })
  expect(await reads.endpoints()).toEqual({ state: 'denied', action: 'ec2:DescribeVpcEndpoints' })
  await expect(reads.routeTables()).rejects.toThrow(
    'subnets: the route tables of their VPC could not be read: InvalidParameterValue: no'
  )
  await aws.close()
})
