import { SharedValues } from '../../src/kubernetes/shared-values.js'
import { field, listField, type Manifest } from '../../src/kubernetes/manifest.js'

const nodePool = (name: string): Manifest => ({
  apiVersion: 'karpenter.sh/v1',
  kind: 'NodePool',
  metadata: { name, managedFields: [{ manager: 'karpenter', fieldsV1: { 'f:spec': { name: {} } } }] },
  spec: { weight: 1, template: { spec: { requirements: [{ key: 'a' }] } } },
  status: { conditions: [{ type: 'Ready', status: 'True' }], resources: { cpu: '1' } }
})

test('equal values of objects are the same ones, and each object is what it was', () => {
  const values = new SharedValues()
  const [a, b] = [values.object(nodePool('a')), values.object(nodePool('b'))]
  expect([a, b]).toEqual([nodePool('a'), nodePool('b')])
  expect(field(a, 'spec', 'template')).toBe(field(b, 'spec', 'template'))
  expect(listField(a, 'status', 'conditions')[0]).toBe(listField(b, 'status', 'conditions')[0])
  const [writers, others] = [a, b].map((one) => listField(one, 'metadata', 'managedFields')[0])
  expect(field(writers, 'fieldsV1')).toBe(field(others, 'fieldsV1'))
  const bare = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' }, data: { a: 'b' } }
  expect(values.object(bare)).toEqual(bare)
  expect(values.texts({ zone: 'a', arch: 'amd64' })).toEqual({ zone: 'a', arch: 'amd64' })
})
