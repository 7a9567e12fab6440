import fc from 'fast-check'
import { pickItems } from '../../src/kubernetes/list-items.js'

const json = fc.jsonValue({ maxDepth: 4 })
const objects = fc.array(fc.dictionary(fc.string(), json), { maxLength: 5 })

test('reads whatever list is there as JSON.parse does', () => {
  fc.assert(
    fc.property(objects, fc.dictionary(fc.string(), json), (items, metadata) => {
      const list = { kind: 'List', metadata, items }
      const read = pickItems(JSON.stringify(list), (item) => item)
      expect(JSON.stringify(read.items)).toBe(JSON.stringify(items))
      expect(JSON.stringify(read.rest)).toBe(JSON.stringify({ ...list, items: [] }))
    })
  )
})

test('takes for the items what is called so at the top and not elsewhere', () => {
  const list = {
    metadata: { items: [{ a: 1 }], text: '"items":[{}] \\" {' },
    items: [{ items: [{ b: '}]' }] }]
  }
  expect(pickItems(JSON.stringify(list), (item) => item)).toEqual({
    items: [{ items: [{ b: '}]' }] }],
    rest: { ...list, items: [] }
  })
})

test('text that is no list is as it is, and no JSON is an error', () => {
  expect(pickItems('{"kind":"Status"}', (item) => item)).toEqual({ items: [], rest: { kind: 'Status' } })
  expect(() => pickItems('{"items":[{"a":1}', (item) => item)).toThrow(SyntaxError)
  expect(() => pickItems('', (item) => item)).toThrow(SyntaxError)
})
