import { refusals } from '../../src/resources/dry-run.js'
import { admissionRefusals } from '../../src/resources/install-dry-run.js'
import { ApiServer, type Call, status } from '../kubernetes/api-server.js'

const ownership = { owner: 'setup-karpenter', run: 'local' }
const of = { namespace: 'karpenter', ownership }
const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'karpenter' } }
const deployment = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'karpenter', namespace: 'karpenter' },
  spec: { template: { metadata: { labels: { app: 'k' } }, spec: { serviceAccountName: 'karpenter' } } }
}
const service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'karpenter', namespace: 'karpenter' }
}

let server: ApiServer
beforeEach(async () => (server = await ApiServer.start()))
afterEach(async () => server.stop())

function refuse(path: RegExp, message: string): void {
  server.intercept = (call: Call, response) => {
    if (call.method !== 'PATCH' || !path.test(call.path)) return false
    status(response, 403, 'Forbidden', message)
    return true
  }
}

function there(): void {
  server.put('/api/v1/namespaces/karpenter', namespace)
}

it('asks about every object, and about a pod of the Deployment, and writes none', async () => {
  there()
  expect(await admissionRefusals(server.kubernetes, [deployment, service], of)).toEqual([])
  const asked = server.calls.filter(({ method }) => method === 'PATCH')
  expect(asked.map(({ path }) => path).toSorted()).toEqual([
    '/api/v1/namespaces/karpenter/pods/karpenter-dry-run',
    '/api/v1/namespaces/karpenter/services/karpenter',
    '/apis/apps/v1/namespaces/karpenter/deployments/karpenter'
  ])
  expect(asked.every(({ query }) => query.get('dryRun') === 'All')).toBe(true)
})

it('says who refuses, once for all that are refused alike', async () => {
  there()
  refuse(/deployments|services/, 'admission webhook "policy.example.com" denied the request: no team label')
  expect(await admissionRefusals(server.kubernetes, [deployment, service], of)).toEqual([
    {
      titles: ['Deployment karpenter', 'Service karpenter'],
      message: expect.stringContaining('was refused by admission webhook "policy.example.com"') as unknown,
      fix: expect.stringContaining('exception of its policy for namespace karpenter') as unknown,
      askedIn: undefined
    }
  ])
})

it('finds what Pod Security says to the pods', async () => {
  there()
  refuse(/pods/, 'pods "k" is forbidden: violates PodSecurity "restricted:latest": seccompProfile')
  const found = await admissionRefusals(server.kubernetes, [deployment], of)
  expect(found.map(({ titles }) => titles)).toEqual([['Pod karpenter-dry-run']])
})

it('asks in namespace default for one that is not there yet, and takes a policy at its word only', async () => {
  refuse(/deployments/, 'admission webhook "policy.example.com" denied the request: no team label')
  expect(await admissionRefusals(server.kubernetes, [deployment], of)).toEqual([
    expect.objectContaining({
      titles: ['Deployment karpenter'],
      askedIn: 'default',
      fix: expect.stringContaining('for namespace karpenter') as unknown
    })
  ])
  refuse(/pods|deployments/, 'pods "k" is forbidden: exceeded quota: q, requested: pods=1')
  expect(await admissionRefusals(server.kubernetes, [deployment], of)).toEqual([])
  refuse(/deployments/, 'admission webhook "p" denied the request: namespace default is not to be used')
  expect(await admissionRefusals(server.kubernetes, [deployment], of)).toEqual([])
})

it('holds no quota against the pods of a Deployment that runs, and no dry run against a webhook', async () => {
  there()
  server.put('/apis/apps/v1/namespaces/karpenter/deployments/karpenter', deployment)
  refuse(/pods/, 'pods "k" is forbidden: exceeded quota: q, requested: pods=1')
  expect(await admissionRefusals(server.kubernetes, [deployment], of)).toEqual([])
  refuse(/services/, 'admission webhook "w" does not support dry run')
  expect(await admissionRefusals(server.kubernetes, [service], of)).toEqual([])
})

it('every answer to a dry run of a manifest is one about it, with what else than it is at fault', async () => {
  const pool = { apiVersion: 'karpenter.sh/v1', kind: 'NodePool', metadata: { name: 'default' }, spec: {} }
  server.intercept = (call, response) => {
    if (call.method === 'GET') return false
    status(response, 409, 'Conflict', 'the object has been modified')
    return true
  }
  expect(await refusals(server.kubernetes, [pool])).toEqual([
    {
      title: 'NodePool default',
      message: expect.stringContaining('the object has been modified') as unknown,
      fix: expect.stringContaining('Another writer owns a field') as unknown
    }
  ])
})
