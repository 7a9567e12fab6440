import { mayMutate, mutatorsFor, mutatorsOf } from '../../src/kubernetes/mutators.js'
import { deployments, namespaces } from '../../src/kubernetes/kinds.js'
import { ApiServer, status } from './api-server.js'

const root = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations'
const rule = {
  apiGroups: ['apps'],
  apiVersions: ['v1'],
  operations: ['CREATE', 'UPDATE'],
  resources: ['deployments']
}

let server: ApiServer
beforeEach(async () => {
  server = await ApiServer.start()
  server.put('/api/v1/namespaces/karpenter', {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { labels: { team: 'platform' } }
  })
})
afterEach(async () => server.stop())

function configure(name: string, webhook: object): void {
  server.put(`${root}/${name}`, {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    webhooks: [{ name: 'mutate.example.com', rules: [rule], ...webhook }]
  })
}

async function named(
  kind = deployments as { readonly apiVersion: string; readonly resource: string },
  namespace: string | undefined = 'karpenter'
): Promise<readonly string[]> {
  const mutators = (await mutatorsOf(server.kubernetes)) ?? []
  return mutatorsFor(server.kubernetes, mutators, {
    kind,
    name: 'karpenter',
    namespace,
    labels: { app: 'karpenter' }
  })
}

const said = ['MutatingWebhookConfiguration mirror']

it.each([
  ['no selectors', {}, said],
  [
    'a wildcard',
    { rules: [{ ...rule, apiGroups: ['*'], apiVersions: ['*'], operations: ['*'], resources: ['*/*'] }] },
    said
  ],
  ['another resource', { rules: [{ ...rule, resources: ['pods'] }] }, []],
  ['the status alone', { rules: [{ ...rule, resources: ['deployments/status'] }] }, []],
  ['another group', { rules: [{ ...rule, apiGroups: [''] }] }, []],
  ['another version', { rules: [{ ...rule, apiVersions: ['v1beta1'] }] }, []],
  ['only deletes', { rules: [{ ...rule, operations: ['DELETE'] }] }, []],
  ['the namespace by its label', { namespaceSelector: { matchLabels: { team: 'platform' } } }, said],
  ['another namespace', { namespaceSelector: { matchLabels: { team: 'web' } } }, []],
  [
    'the namespace left out by its name',
    {
      namespaceSelector: {
        matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: ['karpenter'] }]
      }
    },
    []
  ],
  [
    'the object by its label',
    { objectSelector: { matchExpressions: [{ key: 'app', operator: 'Exists' }] } },
    said
  ],
  [
    'an object without the label',
    { objectSelector: { matchExpressions: [{ key: 'app', operator: 'DoesNotExist' }] } },
    []
  ],
  [
    'an object of other labels',
    { objectSelector: { matchExpressions: [{ key: 'app', operator: 'In', values: ['x'] }] } },
    []
  ]
])('a webhook whose rules have %s', async (_, webhook, expected) => {
  configure('mirror', webhook)
  expect(await named()).toEqual(expected)
})

it('a configuration is named once, and others beside it', async () => {
  configure('mirror', {})
  server.put(`${root}/limits`, {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    webhooks: [{ rules: [rule] }, { rules: [rule] }]
  })
  expect((await named()).toSorted()).toEqual(['MutatingWebhookConfiguration limits', ...said])
})

it('a namespace is matched by its own labels, and what is in none by no namespace', async () => {
  const ofNamespaces = { ...rule, apiGroups: [''], resources: ['namespaces'] }
  configure('mirror', { rules: [ofNamespaces], namespaceSelector: { matchLabels: { app: 'other' } } })
  expect(await named(namespaces, undefined)).toEqual([])
  configure('mirror', { rules: [ofNamespaces], namespaceSelector: { matchLabels: { app: 'karpenter' } } })
  expect(await named(namespaces, undefined)).toEqual(said)
})

it('a policy is read where the cluster serves it', async () => {
  const v1beta1 = '/apis/admissionregistration.k8s.io/v1beta1'
  const { intercept } = server
  server.intercept = (call, response) => {
    if (call.path !== v1beta1) return intercept(call, response)
    const kind = { name: 'mutatingadmissionpolicies', kind: 'MutatingAdmissionPolicy', namespaced: false }
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify({ kind: 'APIResourceList', resources: [kind] }))
    return true
  }
  server.put(`${v1beta1}/mutatingadmissionpolicies/mirror`, {
    apiVersion: 'admissionregistration.k8s.io/v1beta1',
    kind: 'MutatingAdmissionPolicy',
    spec: { matchConstraints: { resourceRules: [rule] } }
  })
  expect(await named()).toEqual(['MutatingAdmissionPolicy mirror'])
})

it('where they may not be listed, nothing is known', async () => {
  server.intercept = (_call, response) => {
    status(response, 403, 'Forbidden', 'no')
    return true
  }
  expect(await mutatorsOf(server.kubernetes)).toBeUndefined()
})

it('rules are looked at by kind alone where that is enough', () => {
  const mutator = { name: 'x', rules: [rule], namespaceSelector: undefined, objectSelector: undefined }
  expect([deployments, namespaces].map((kind) => mayMutate(mutator, kind))).toEqual([true, false])
})
