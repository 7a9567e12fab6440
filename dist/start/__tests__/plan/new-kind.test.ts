import { resource, type AnyResource } from '../../src/engine/resource.js'
import { disruptionBudgets } from '../../src/kubernetes/kinds.js'
import { isManifest } from '../../src/kubernetes/manifest.js'
import { mutatorsOf } from '../../src/kubernetes/mutators.js'
import { mutatorsOfDrift, readBack } from '../../src/plan/mutations.js'
import { factsOf } from '../../src/preflight/facts.js'
import { manifestResource } from '../../src/resources/kubernetes-object.js'
import { awsWith } from '../aws/stand-in.js'
import { ApiServer, status } from '../kubernetes/api-server.js'
import { checkedOf } from '../preflight/checked.js'
import { ownership } from '../resources/walk-one.js'

const path = '/apis/policy/v1/namespaces/karpenter/poddisruptionbudgets/own'
const { signal } = new AbortController()

let server: ApiServer
beforeEach(async () => {
  server = await ApiServer.start()
})
afterEach(async () => server.stop())

/** A kind that no resource of the model has today. */
function budget(): AnyResource {
  return resource(
    manifestResource({
      id: 'disruption-budget',
      layer: 'kubernetes',
      kind: disruptionBudgets,
      kubernetes: server.kubernetes,
      ownership,
      dependsOn: [],
      manifest: {
        apiVersion: 'policy/v1',
        kind: 'PodDisruptionBudget',
        metadata: { name: 'own', namespace: 'karpenter' },
        spec: { minAvailable: 1 }
      },
      severity: () => ({ severity: 'changes behaviour' }),
      settle: async () => undefined,
      remove: async () => ({ outcome: 'removed' })
    }),
    isManifest
  )
}

test('what a policy changes of a new kind of object is told by install and check, without another line for it', async () => {
  const { kubernetes } = server
  server.put('/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/budgets', {
    webhooks: [
      { rules: [{ apiGroups: ['policy'], apiVersions: ['*'], operations: ['*'], resources: ['*'] }] }
    ]
  })
  server.put(path, {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: {
      name: 'own',
      namespace: 'karpenter',
      labels: { 'app.kubernetes.io/managed-by': 'setup-karpenter' }
    },
    spec: { minAvailable: 2 }
  })
  const own = budget()
  const mutators = (await mutatorsOf(kubernetes)) ?? []
  const { mutated, warnings } = await readBack([own], { kubernetes, mutators, signal })
  const by = 'MutatingWebhookConfiguration budgets'
  expect(mutated.get(own.id)).toMatchObject([{ path: 'spec.minAvailable', by: [by] }])
  expect(warnings).toEqual([expect.stringContaining(by)])
  const inspections = new Map([[own.id, await own.inspect(signal)]])
  expect([...(await mutatorsOfDrift(inspections, kubernetes, signal)).values()]).toEqual([[by]])
})

test('a new kind of object is tried before the first write, without another line for it', async () => {
  const { aws, close } = await awsWith({})
  try {
    server.put('/api/v1/namespaces/karpenter', {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'karpenter' }
    })
    server.intercept = ({ method, path: asked }, response) => {
      if (method !== 'PATCH' || asked !== path) return false
      status(response, 403, 'Forbidden', 'admission webhook "budgets.example.com" denied the request: no')
      return true
    }
    const inspections = [await budget().inspect(signal)]
    const facts = factsOf(checkedOf({ aws, kubernetes: server.kubernetes }, { inspections }))
    expect(await facts.admissionRefusals()).toMatchObject([{ titles: ['PodDisruptionBudget own'] }])
  } finally {
    await close()
  }
})
