import { canonical, isMap, mapAt, overlay, picked } from '../../src/engine/json.js'

it.each<[unknown, boolean]>([
  [{}, true],
  [{ a: 1 }, true],
  [[], false],
  [null, false],
  [undefined, false],
  ['text', false]
])('isMap of %j: %s', (value, expected) => {
  expect(isMap(value)).toBe(expected)
})

it('overlay merges maps key by key, as helm does, and changes neither of the two', () => {
  const base = { a: { b: 1, c: { d: 2 } }, list: [1, 2], text: 'x', map: { e: 1 } }
  const over = { a: { c: { f: 3 } }, list: [3], text: { now: 'a map' }, map: 'a text' }
  expect(overlay(base, over)).toEqual({
    a: { b: 1, c: { d: 2, f: 3 } },
    list: [3],
    text: { now: 'a map' },
    map: 'a text'
  })
  expect(base.a).toEqual({ b: 1, c: { d: 2 } })
})

it('canonical is the same text for the same value, whatever the order of keys at any depth', () => {
  expect(canonical({ b: [{ d: 1, c: 2 }], a: null })).toBe('{"a":null,"b":[{"c":2,"d":1}]}')
  expect(canonical([2, 1])).toBe('[2,1]')
})

it('mapAt is an empty map where there is none', () => {
  expect(mapAt({ a: { b: 1 } }, 'a')).toEqual({ b: 1 })
  expect([mapAt({ a: [1] }, 'a'), mapAt({}, 'a'), mapAt('a', 'a'), mapAt(undefined, 'a')]).toEqual([
    {},
    {},
    {},
    {}
  ])
})

it('picked has the given keys that are there, and no others', () => {
  expect(Object.keys(picked({ a: 1, b: undefined, c: null, d: 4 }, ['a', 'b', 'c', 'e']))).toEqual(['a', 'c'])
})
