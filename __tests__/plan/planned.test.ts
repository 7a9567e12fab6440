import { termsOf } from '../../src/adoption/terms.js'
import { Graph } from '../../src/engine/graph.js'
import type { Inspection } from '../../src/engine/resource.js'
import { plannedChanges } from '../../src/plan/planned.js'
import { factsOf } from '../adoption/found.js'
import { awsWith } from '../aws/stand-in.js'
import { textResource } from '../engine/fake-resources.js'
import { ApiServer } from '../kubernetes/api-server.js'
import { checkedOf } from '../preflight/checked.js'
import { lookedAt, recordWith } from './inspections.js'

type Found = Parameters<typeof plannedChanges>[2]

let cluster: Found['cluster']
beforeAll(async () => {
  const [server, { aws, close }] = await Promise.all([ApiServer.start(), awsWith({})])
  cluster = checkedOf({ aws, kubernetes: server.kubernetes }, { cluster: { kubernetesVersion: '1.35' } })
    .found.cluster
  await Promise.all([server.stop(), close()])
})

const planned = async (
  states: Readonly<Record<string, Inspection['state']>>,
  found: Partial<Found>
): Promise<ReturnType<typeof plannedChanges>> => {
  const { graph, inspections } = await lookedAt(states)
  return plannedChanges(graph, inspections, { record: undefined, denied: [], cluster, ...found }, '1.14.1')
}

test('what is not there is made, what differs is changed, and nothing is done to the rest', async () => {
  const changes = await planned(
    { stack: 'absent', queue: 'as wanted', namespace: 'differs', crds: 'unreadable' },
    // The record is written with them, and no change of its own.
    { record: recordWith(['stack'], { karpenterVersion: '1.13.1' }) }
  )
  expect(changes).toEqual([
    { id: 'stack', title: 'Text stack', layer: 'kubernetes', action: 'create', differences: [] },
    {
      id: 'namespace',
      title: 'Text namespace',
      layer: 'kubernetes',
      action: 'change',
      differences: [
        {
          path: 'text',
          wanted: 'wanted namespace',
          live: 'other',
          reason: 'text differs',
          severity: 'cosmetic'
        }
      ]
    }
  ])
})

test('a plan shows no secret', async () => {
  const secret = textResource('helm-release', [], new Map([['helm-release', 'other']]), {
    differences: [
      {
        path: 'values.password',
        wanted: 'hunter2',
        live: 'hunter3',
        reason: 'values.password is "hunter3", not "hunter2"',
        severity: 'cosmetic'
      }
    ]
  })
  const inspection = await secret.inspect(new AbortController().signal)
  const found = { record: undefined, denied: [], cluster }
  const changes = plannedChanges(
    new Graph([secret]),
    new Map([['helm-release', inspection]]),
    found,
    '1.14.1'
  )
  expect(changes.map(({ id }) => id)).toEqual(['helm-release'])
  expect(JSON.stringify(changes)).not.toMatch(/hunter/)
})

function adopted(): NonNullable<Found['adopted']> {
  const terms = termsOf(factsOf({}))
  if (terms.kind !== 'compatible') throw new Error(JSON.stringify(terms.objections))
  return terms.adopted
}

const ids = ['stack', 'helm-release']
const taken = { adoption: { namespace: 'karpenter' } }

test.each<[string, () => Partial<Found>, string, string | undefined]>([
  ['says what stands', () => ({ record: recordWith(ids) }), '', undefined],
  [
    'does not say what is taken over',
    () => ({ record: recordWith(ids), adopted: adopted() }),
    'change',
    'the record of what is taken over is to be written'
  ],
  [
    'is not there, of what is taken over',
    () => ({ adopted: adopted() }),
    'create',
    'the record of what is taken over is to be written'
  ],
  ['says what was taken over', () => ({ record: recordWith(ids, taken), adopted: adopted() }), '', undefined],
  ['is not there', () => ({}), 'create', 'the record of the install is to be written anew'],
  [
    'has another Kubernetes',
    () => ({ record: recordWith(ids, { kubernetesVersion: '1.34' }) }),
    'change',
    'the cluster runs Kubernetes 1.35, and the record says 1.34'
  ],
  [
    'has another version',
    () => ({ record: recordWith(ids, { karpenterVersion: '1.13.1' }) }),
    'change',
    'the record says otherwise than what stands, which is as wanted, and is to be written'
  ],
  [
    'has its values in clear',
    () => ({ record: recordWith(ids), recordValues: 'in clear' }),
    'change',
    'helm-values of the record belong into the Secret beside it'
  ]
])(
  'where all is as wanted and the record %s, it is all that is written, if at all',
  async (_what, found, action, reason) => {
    const changes = await planned({ stack: 'as wanted', 'helm-release': 'as wanted' }, found())
    const record = {
      id: 'record',
      title: 'ConfigMap kube-system/setup-karpenter',
      layer: 'kubernetes',
      action,
      differences: [{ path: '', wanted: undefined, live: undefined, reason, severity: 'cosmetic' }]
    }
    expect(changes).toEqual(reason === undefined ? [] : [record])
  }
)
