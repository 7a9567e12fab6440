import { crdChanges } from '../../src/upgrade/crd-changes.js'
import { crdOf } from './crds.js'

const text = { type: 'string' }
const object = (properties: Record<string, unknown>, more: object = {}): object => ({
  type: 'object',
  properties,
  ...more
})
const change = (before: unknown, after: unknown): unknown =>
  crdChanges([crdOf('EC2NodeClass', before)], [crdOf('EC2NodeClass', after)])[0]

describe('crdChanges', () => {
  it('leaves out a CRD that is the same, whatever its descriptions and status say', () => {
    const described = object({ role: { ...text, description: 'of the nodes' } }, { description: 'old' })
    expect(change(described, object({ role: text }))).toBeUndefined()
  })

  it('says of a CRD that the cluster has not that it is new', () => {
    expect(crdChanges([], [crdOf('NodePool', object({}))])).toEqual([
      {
        crd: 'nodepools.karpenter.sh',
        change: 'new',
        versions: { added: ['v1'], gone: [] },
        added: [],
        gone: [],
        changed: []
      }
    ])
  })

  it('names a field that comes or goes once, and not all that is below it', () => {
    const old = { kubelet: object({ maxPods: { type: 'integer' } }), role: text }
    const now = {
      role: text,
      networkInterfaces: { type: 'array', items: object({ deviceIndex: { type: 'integer' } }) },
      tags: { type: 'object', additionalProperties: text }
    }
    expect(change(object(old), object(now))).toMatchObject({
      added: ['spec.networkInterfaces', 'spec.tags'],
      gone: ['spec.kubelet'],
      changed: []
    })
  })

  it('finds fields inside lists and maps', () => {
    const terms = (fields: Record<string, unknown>): object =>
      object({ amiSelectorTerms: { type: 'array', items: object(fields) } })
    expect(change(terms({ alias: text }), terms({ alias: text, ssmParameter: text }))).toMatchObject({
      added: ['spec.amiSelectorTerms[].ssmParameter']
    })
  })

  it('says what else a field takes, needs and falls back to', () => {
    const rule = (text: string): object => ({ rule: text, message: text })
    const before = object(
      {
        policy: { ...text, enum: ['WhenEmpty', 'Old'], default: 'WhenEmpty' },
        after: { ...text, pattern: 'a' },
        group: { ...text, 'x-kubernetes-validations': [rule('a'), rule('b')] },
        free: text
      },
      { required: ['after'] }
    )
    const after = object(
      {
        policy: { ...text, enum: ['WhenEmpty', 'Balanced'], default: 'Balanced' },
        after: { ...text, pattern: 'b', maxLength: 9 },
        group: { ...text, 'x-kubernetes-validations': [rule('b'), rule('c'), rule('d')] },
        free: { ...text, enum: ['one', 'two'] }
      },
      { required: ['group'] }
    )
    expect(change(before, after)).toMatchObject({
      added: [],
      gone: [],
      changed: [
        { path: 'spec.policy', change: 'also takes Balanced' },
        { path: 'spec.policy', change: 'no longer takes Old' },
        { path: 'spec.policy', change: 'default "WhenEmpty" becomes "Balanced"' },
        { path: 'spec.after', change: 'is optional now' },
        { path: 'spec.after', change: 'pattern "a" becomes "b"' },
        { path: 'spec.after', change: 'maxLength none becomes 9' },
        { path: 'spec.group', change: 'is required now' },
        { path: 'spec.group', change: 'CEL rules: 2 new (c; d), 1 gone' },
        { path: 'spec.free', change: 'takes only one, two now' }
      ]
    })
  })

  const open = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }
  const any = { additionalProperties: { 'x-kubernetes-preserve-unknown-fields': true } }
  const named = object({
    maxPods: { type: 'integer' },
    evictionHard: { type: 'object', additionalProperties: text }
  })
  const kubelet = (schema: object): object => object({ kubelet: schema })

  it.each([
    ['an open map', open],
    ['an open map by a schema for all, as in 1.15', { ...open, ...any }],
    ['an open map that names some', { ...object({ maxPods: text }), ...open }]
  ])(
    'says of fields that become %s that they are taken, and none of them that it is gone',
    (_what, after) => {
      const [only] = crdChanges(
        [crdOf('EC2NodeClass', kubelet(named))],
        [crdOf('EC2NodeClass', kubelet(after))]
      )
      expect(only).toMatchObject({ added: [], gone: [] })
      expect(only?.changed[0]).toEqual({
        path: 'spec.kubelet',
        change:
          'is open now: the API server takes any field in it, and what is wrong with one shows in the status alone'
      })
    }
  )

  it('says of an open map that is closed which fields it takes', () => {
    expect(change(kubelet(open), kubelet(named))).toMatchObject({
      added: [],
      gone: [],
      changed: [{ path: 'spec.kubelet', change: 'takes only the fields maxPods, evictionHard now' }]
    })
    expect(change(kubelet({ ...open, ...any }), kubelet({ type: 'object' }))).toMatchObject({
      gone: [],
      changed: [{ path: 'spec.kubelet', change: 'takes no fields now' }]
    })
  })

  it('tells a map of one kind from one with names', () => {
    const map = { type: 'object', additionalProperties: object({ a: text }) }
    expect(change(kubelet(named), kubelet(map))).toMatchObject({
      added: [],
      gone: [],
      changed: [{ path: 'spec.kubelet', change: 'takes fields of any name now, all of one kind' }]
    })
    const wider = { type: 'object', additionalProperties: object({ a: text, b: text }) }
    expect(change(kubelet(map), kubelet(wider))).toMatchObject({ added: ['spec.kubelet.*.b'], changed: [] })
  })

  it('names what comes and goes beside an open map', () => {
    const before = object({ kubelet: open, role: text })
    expect(change(before, object({ kubelet: open, tags: open }))).toMatchObject({
      added: ['spec.tags'],
      gone: ['spec.role'],
      changed: []
    })
  })

  it('says which versions of the API are no longer served', () => {
    const crds = crdChanges(
      [crdOf('NodePool', object({}), ['v1beta1', 'v1'])],
      [crdOf('NodePool', object({}), ['v1'])]
    )
    expect(crds).toMatchObject([{ versions: { added: [], gone: ['v1beta1'] } }])
  })
})
