import { lean } from '../../src/kubernetes/lean.js'

const object = {
  apiVersion: 'karpenter.sh/v1',
  kind: 'NodePool',
  metadata: { name: 'a', labels: { team: 'a' }, managedFields: [{ manager: 'kubectl' }] },
  spec: { weight: 1 },
  status: {
    conditions: [{ type: 'Ready', status: 'True' }],
    resources: { cpu: '8' },
    subnets: [{ id: 'subnet-1' }]
  }
}

test('of an object only who wrote its fields and what its controller has found are left out', () => {
  expect(lean(object)).toEqual({
    ...object,
    metadata: { name: 'a', labels: { team: 'a' } },
    status: { conditions: object.status.conditions, resources: object.status.resources }
  })
  expect(object.metadata.managedFields).toHaveLength(1)
})

test('an object without a status has none', () => {
  const { apiVersion, kind, metadata, spec } = object
  expect(lean({ apiVersion, kind, metadata, spec })).not.toHaveProperty('status')
})
