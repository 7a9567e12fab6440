import { isMap } from '../../src/engine/json.js'
import fc from 'fast-check'
import { ListReader } from '../../src/kubernetes/list-items.js'

/** The text in pieces of so many characters, as the network gives it. */
function read(text: string, size = text.length + 1): ReturnType<ListReader<unknown>['end']> {
  const reader = new ListReader((item) => item)
  for (let at = 0; at < text.length; at += size) reader.push(text.slice(at, at + size))
  return reader.end()
}

const json = fc.jsonValue({ maxDepth: 4 })
const objects = fc.array(fc.dictionary(fc.string(), json), { maxLength: 5 })

test('reads whatever list is there as JSON.parse does', () => {
  fc.assert(
    fc.property(
      objects,
      fc.dictionary(fc.string(), json),
      fc.integer({ min: 1, max: 40 }),
      (items, metadata, size) => {
        const list = { kind: 'List', metadata, items }
        const found = read(JSON.stringify(list), size)
        expect(JSON.stringify(found.items)).toBe(JSON.stringify(items))
        expect(JSON.stringify(found.rest)).toBe(JSON.stringify({ ...list, items: [] }))
      }
    )
  )
})

test('reads a string with quotes and backslashes in whatever pieces it comes', () => {
  const items = ['\\', '\\\\"', '"', '\\"\\', '{[\\\\]}', ''].map((text) => ({ [text]: text }))
  const text = JSON.stringify({ items })
  for (let size = 1; size <= 12; size++) expect(read(text, size).items).toEqual(items)
})

test('takes for the items what is called so at the top and not elsewhere', () => {
  const list = {
    metadata: { items: [{ a: 1 }], 'a"items': [{}], text: '"items":[{}] \\" {' },
    items: [{ items: [{ b: '}]' }] }]
  }
  expect(read(JSON.stringify(list))).toEqual({
    items: [{ items: [{ b: '}]' }] }],
    rest: { ...list, items: [] }
  })
})

test('text that is no list is as it is, and no JSON is an error', () => {
  expect(read('{"kind":"Status"}')).toEqual({ items: [], rest: { kind: 'Status' } })
  expect(() => read('{"items":[{"a":1}')).toThrow(SyntaxError)
  expect(() => read('')).toThrow(SyntaxError)
})

test('white space around the items is none of the matter', () => {
  expect(read('{ "items" : [ {"a":1} , {"b":2} ] , "kind" : "List" }')).toEqual({
    items: [{ a: 1 }, { b: 2 }],
    rest: { items: [], kind: 'List' }
  })
})

test('an answer that comes anew is read from its start', () => {
  const reader = new ListReader((item) => item)
  reader.push('{"items":[{"a":1},{"b":"')
  reader.restart()
  reader.push('{"items":[{"a":1}]}')
  expect(reader.end().items).toEqual([{ a: 1 }])
})

test("a Table's items are its rows, beside the columns that it has", () => {
  const table = {
    kind: 'Table',
    columnDefinitions: [{ name: 'Name' }, { name: 'Images' }],
    rows: [{ cells: ['a', 'x,y'], object: { metadata: { name: 'a' } } }]
  }
  const reader = new ListReader((row) => row, 'rows')
  for (const part of JSON.stringify(table).match(/.{1,7}/gs) ?? []) reader.push(part)
  expect(reader.end()).toEqual({ items: table.rows, rest: { ...table, rows: [] } })
})

describe('what is passed over', () => {
  const named = ['managedFields', 'images']

  function without(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(without)
    if (!isMap(value)) return value
    return Object.fromEntries(
      Object.entries(value).map(([name, one]) => [
        name,
        named.includes(name) && typeof one === 'object' && one !== null ? null : without(one)
      ])
    )
  }

  test('is null in its place, wherever it stands, and nothing else is touched', () => {
    const item = {
      metadata: { managedFields: [{ fieldsV1: { 'f:spec': {}, text: ']}' } }], labels: { images: 'a' } },
      status: { images: [{ names: ['a', 'b'] }], nested: [{ images: { a: [1] } }, { managedFields: [] }] },
      text: '"managedFields":[',
      images: 7
    }
    const list = { metadata: { managedFields: [1] }, items: [item, { images: [] }, item] }
    const reader = new ListReader((one) => one, 'items', named)
    reader.push(JSON.stringify(list))
    expect(reader.end()).toEqual({ items: list.items.map(without), rest: { ...list, items: [] } })
  })

  test('is there or null where the text comes in pieces, and all else is whole', () => {
    fc.assert(
      fc.property(
        fc.array(fc.dictionary(fc.constantFrom('a', ...named), json), { minLength: 1 }),
        fc.integer({ min: 1, max: 40 }),
        (items, size) => {
          const reader = new ListReader((one) => one, 'items', named)
          const text = JSON.stringify({ items })
          for (let at = 0; at < text.length; at += size) reader.push(text.slice(at, at + size))
          expect(JSON.stringify(reader.end().items.map(without))).toBe(JSON.stringify(items.map(without)))
        }
      )
    )
  })
})
