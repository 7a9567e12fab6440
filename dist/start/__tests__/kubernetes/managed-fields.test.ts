import { removerOf, writerOf } from '../../src/kubernetes/managed-fields.js'

const entry = (manager: string, time: string, fieldsV1: unknown) => ({
  manager,
  operation: 'Update',
  time,
  fieldsV1
})
const live = {
  metadata: {
    managedFields: [
      entry('setup-karpenter', '1', {
        'f:metadata': { 'f:labels': { '.': {}, 'f:a.b/c': {}, 'f:a': {} } },
        'f:spec': { 'f:limits': { 'f:cpu': {} }, 'f:list': {} },
        'f:data': { 'f:mapRoles': {} }
      }),
      entry('early', '2', { 'f:spec': { 'f:limits': { 'f:cpu': {} } } }),
      entry('late', '3', { 'f:spec': { 'f:limits': { '.': {}, 'f:cpu': {} } } }),
      entry('labels', '4', { 'f:metadata': { 'f:labels': { '.': {} } } }),
      entry('ports', '5', {
        'f:ports': { 'k:{"containerPort":8080,"protocol":"TCP"}': { '.': {}, 'f:hostPort': {} } },
        'f:mounts': { 'k:{"mountPath":"/x"}': { 'f:readOnly': {} } },
        'f:finalizers': { 'v:"f"': {} }
      })
    ]
  },
  ports: [{ name: 'http', containerPort: 8080, protocol: 'TCP' }],
  mounts: [{ mountPath: '/x' }],
  finalizers: ['f']
}
const own = ({ manager }: { readonly manager: string }): boolean => manager === 'setup-karpenter'

test.each([
  ['the latest of several owners, ours only if it is nobody else', 'spec.limits.cpu', 'late'],
  ['our own field', 'data.mapRoles', 'setup-karpenter'],
  ['a label whose name holds dots', 'metadata.labels.a.b/c', 'setup-karpenter'],
  ['a label, not its map', 'metadata.labels.a', 'setup-karpenter'],
  ['what is in a list that is one value', 'spec.list[3].x', 'setup-karpenter'],
  ['an entry by another key than its name', 'ports[http].hostPort', 'ports'],
  ['an entry by its index', 'ports[0].hostPort', 'ports'],
  ['an entry by its mount path', 'mounts[/x].readOnly', 'ports'],
  ['an entry of a set', 'finalizers[f]', 'ports'],
  ['nobody', 'spec.weight', undefined],
  ['nobody for an entry that is not owned', 'ports[other].hostPort', undefined]
])('the writer of %s', (_name, path, manager) => {
  expect(writerOf(live, path, own)?.manager).toBe(manager)
})

test('an object without managedFields has no writers', () => {
  expect(writerOf({ metadata: {} }, 'spec.a', own)).toBeUndefined()
  expect(removerOf(undefined, 'spec.a', own, () => false)).toBeUndefined()
})

test('managers that are passed over took nothing away', () => {
  expect(removerOf(live, 'spec.limits.memory', own, () => false)?.manager).toBe('late')
  expect(removerOf(live, 'spec.limits.memory', own, ({ manager }) => manager === 'late')?.manager).toBe(
    'early'
  )
  expect(removerOf(live, 'spec.limits.memory', own, () => true)).toBeUndefined()
})
