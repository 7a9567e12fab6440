import type { CustomResourceDefinition } from 'kubernetes-types/apiextensions/v1.js'
import { objectNames, olderCrds, olderWebhooks } from '../../src/preflight/older-karpenter-reads.js'
import { podIdentityAgentNodes, publishedParameters } from '../../src/preflight/reads.js'
import { awsWith, Refusal } from '../aws/stand-in.js'
import { ApiServer } from '../kubernetes/api-server.js'

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

test('of named CRDs those that are there are read', async () => {
  const name = 'provisioners.karpenter.sh'
  server.put(`/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${name}`, {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name },
    spec: {}
  })
  const found = await olderCrds(server.kubernetes, [name, 'machines.karpenter.sh'])
  expect(found.map(({ metadata }) => metadata?.name)).toEqual([name])
})

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
  expect(await objectNames(server.kubernetes)(crd)).toEqual(['default', 'gpu'])
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
