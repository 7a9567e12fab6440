import { subsetDifferences } from '../../src/engine/compare.js'
import { leftAsLive } from '../../src/kubernetes/left-as-live.js'

const wanted = {
  apiVersion: 'karpenter.sh/v1',
  kind: 'NodePool',
  metadata: { name: 'default', labels: { 'team.example/owner': 'a' } },
  spec: {
    limits: { cpu: '1000' },
    weight: 3,
    template: { spec: { taints: [{ key: 'x', effect: 'NoSchedule' }], expireAfter: '720h' } }
  }
}
const live = {
  ...wanted,
  metadata: { name: 'default', labels: { 'team.example/owner': 'b', 'team.example': 'c' } },
  spec: {
    limits: { cpu: '5', memory: '9Gi' },
    template: { spec: { taints: [{ key: 'y', effect: 'NoSchedule' }], expireAfter: '720h' } }
  }
}

test.each([
  ['spec.limits.cpu', { spec: { limits: { cpu: '5' }, weight: 3 } }],
  // What others added stays.
  ['spec.limits.memory', { spec: { limits: { cpu: '1000', memory: '9Gi' } } }],
  // What others took out stays out.
  ['spec.weight', { spec: { limits: { cpu: '1000' } } }],
  // A list is left as a whole.
  ['spec.template.spec.taints', { spec: { template: { spec: { taints: [{ key: 'y' }] } } } }],
  ['spec.template.spec.taints[0].key', { spec: { template: { spec: { taints: [{ key: 'y' }] } } } }],
  // Dots of a key are no separators.
  ['metadata.labels.team.example/owner', { metadata: { labels: { 'team.example/owner': 'b' } } }]
])('%s is left as it is', (path, expected) => {
  const left = leftAsLive(wanted, live, [path])
  expect(left).toMatchObject(expected)
  expect(subsetDifferences(left, live).map((one) => one.path)).not.toContain(path)
})

test('nothing else is touched, nor the manifest itself', () => {
  const before = structuredClone(wanted)
  const left = leftAsLive(wanted, live, ['spec.limits.cpu', 'spec.weight'])
  expect(left).toEqual({
    ...wanted,
    spec: { limits: { cpu: '5' }, template: wanted.spec.template }
  })
  expect(wanted).toEqual(before)
  expect(leftAsLive(wanted, live, [])).toEqual(wanted)
})
