import { load } from 'js-yaml'
import { boundedText, boundedValue } from '../../src/engine/bounded-yaml.js'

/** Nine aliases of the line before, on each of so many lines. */
function bomb(lines: number): string {
  const line = (index: number): string =>
    `a${index}: &a${index} [${Array.from({ length: 9 }, () => (index === 0 ? 'x' : `*a${index - 1}`)).join(', ')}]`
  return Array.from({ length: lines }, (_, index) => line(index)).join('\n')
}

it('lets through what is small once its aliases are written out', () => {
  const value = load(bomb(3))
  expect(boundedValue(value)).toBe(value)
  expect(boundedText('a: 1')).toBe('a: 1')
})

it('refuses aliases that come to a billion values, without walking them', () => {
  expect(() => boundedValue(load(bomb(40)))).toThrow('its aliases come to more than 100000 values')
})

it('refuses a value that is part of itself', () => {
  expect(() => boundedValue(load('a: &a [*a]'))).toThrow('an alias in it stands for what it is part of')
})

it('takes 100000 values, itself among them, and no more', () => {
  const values = (count: number): unknown => Array.from({ length: count }, () => 'x')
  expect(() => boundedValue(values(99_999))).not.toThrow()
  expect(() => boundedValue(values(100_000))).toThrow('more than 100000 values')
  expect(() => boundedValue([values(60_000), { a: values(60_000) }])).toThrow('more than 100000 values')
})

it('refuses a text that no API would take', () => {
  expect(boundedText('x'.repeat(2_000_000))).toHaveLength(2_000_000)
  expect(() => boundedText('x'.repeat(2_000_001))).toThrow('it has 2000001 characters')
})
