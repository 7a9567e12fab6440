import { awaitEstablished } from '../../../src/resources/controller/crd-established.js'
import { ApiServer } from '../../kubernetes/api-server.js'
import { recordedStep } from '../step.js'

const name = 'nodepools.karpenter.sh'
const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${name}`

let server: ApiServer
beforeEach(async () => {
  server = await ApiServer.start()
})
afterEach(async () => server.stop())

function crdWith(conditions: readonly unknown[], metadata: object = {}): void {
  server.put(path, {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name, ...metadata },
    status: { conditions }
  })
}

/** Each look is half a minute later than the one before. */
async function awaited(): Promise<ReturnType<typeof recordedStep>> {
  let now = 0
  const step = recordedStep(() => (now += 30_000))
  await awaitEstablished(server.kubernetes, name, step)
  return step
}

const conflict = {
  type: 'NamesAccepted',
  status: 'False',
  reason: 'PluralConflict',
  message: '"nodepools" is already in use'
}

test('a CRD is awaited until the server serves it', async () => {
  crdWith([{ type: 'Established', status: 'True' }])
  expect((await awaited()).waits).toEqual([])
})

test.each<[string, readonly unknown[], object, RegExp]>([
  [
    'whose names another has',
    [
      conflict,
      { type: 'Established', status: 'False', reason: 'NotAccepted', message: 'not all names are accepted' }
    ],
    {},
    /^CRD nodepools\.karpenter\.sh: is not served a minute after it was written: NamesAccepted=False \(PluralConflict\): "nodepools" is already in use$/
  ],
  ['of which nothing is said', [], {}, /is not served a minute after it was written: Established/],
  ['that is being deleted', [], { deletionTimestamp: '2026-11-30T08:00:00Z' }, /: is being deleted/]
])('one %s ends the wait after a minute', async (_what, conditions, metadata, said) => {
  crdWith(conditions, metadata)
  await expect(awaited()).rejects.toThrow(said)
})
