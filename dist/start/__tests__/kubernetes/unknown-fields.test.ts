import { unknownFields } from '../../src/kubernetes/unknown-fields.js'
import { crdOf } from '../upgrade/crds.js'

const open = { 'x-kubernetes-preserve-unknown-fields': true }
const text = { type: 'string' }
const object = (properties: object, more: object = {}): object => ({ type: 'object', properties, ...more })
const unknown = (schema: object, spec: object): readonly string[] =>
  unknownFields(
    { apiVersion: 'karpenter.k8s.aws/v1', kind: 'EC2NodeClass', metadata: { name: 'a' }, spec },
    crdOf('EC2NodeClass', schema)
  )

// What an API server drops: pkg/apiserver/schema/pruning of k8s.io/apiextensions-apiserver.
describe('unknownFields', () => {
  it('are those that the schema does not name, in maps and in lists', () => {
    const terms = { type: 'array', items: object({ id: text }) }
    expect(unknown(object({ terms, role: text }), { terms: [{ id: 'a', nam: 'b' }], rol: 'c' })).toEqual([
      'spec.terms[0].nam',
      'spec.rol'
    ])
  })

  it.each([
    ['an open map', { type: 'object', ...open }],
    [
      'an open map by a schema for all, as spec.kubelet of 1.15',
      { type: 'object', ...open, additionalProperties: open }
    ],
    ['an open list', { type: 'array', ...open }]
  ])('are none inside %s', (_what, kubelet) => {
    const value = { maxPods: 1, evictionHard: { 'memory.available': '5%' }, list: [{ any: { thing: 1 } }] }
    expect(unknown(object({ kubelet }), { kubelet: 'items' in kubelet ? [value] : value })).toEqual([])
  })

  it('are found again in what an open map names', () => {
    const kubelet = object({ named: object({ a: text }) }, open)
    expect(unknown(object({ kubelet }), { kubelet: { free: { b: 1 }, named: { a: 'x', b: 1 } } })).toEqual([
      'spec.kubelet.named.b'
    ])
  })

  it('are none in the items of an open list, whatever these name', () => {
    const list = { type: 'array', ...open, items: object({ a: object({}) }) }
    expect(unknown(object({ list }), { list: [{ b: 1, a: { c: 1 } }] })).toEqual(['spec.list[0].a.c'])
  })

  it('are none by name in a map of one kind, and are judged by that kind', () => {
    const tags = { type: 'object', additionalProperties: object({ a: text }) }
    expect(unknown(object({ tags }), { tags: { any: { a: 'x' }, other: { b: 1 } } })).toEqual([
      'spec.tags.other.b'
    ])
  })

  it('are all of a map that names none', () => {
    expect(unknown(object({ empty: { type: 'object' } }), { empty: { a: 1 } })).toEqual(['spec.empty.a'])
  })
})
