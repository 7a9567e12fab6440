import { byText, compareText } from '../../src/engine/order.js'

test('by a text, equal ones stay in their order, and the same everywhere', () => {
  const given = [
    { id: 'i-b', at: 1 },
    { id: 'i-B', at: 2 },
    { id: 'i-a', at: 3 },
    { id: 'i-b', at: 4 }
  ]
  expect(given.toSorted(byText(({ id }) => id)).map(({ at }) => at)).toEqual([2, 3, 1, 4])
})

test.each([
  ['a', 'b', -1],
  ['b', 'a', 1],
  ['a', 'a', 0]
])('%s and %s: %i', (one, other, order) => {
  expect(compareText(one, other)).toBe(order)
})
