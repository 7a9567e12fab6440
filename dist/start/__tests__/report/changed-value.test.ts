import { changedValue } from '../../src/report/changed-value.js'

function told(was: unknown, is: unknown): readonly string[] {
  return changedValue(was, is).map(({ markdown }) => markdown)
}

const long = 'x'.repeat(200)

it('has both values where they are short, their keys in order', () => {
  expect(told('1000', '4')).toEqual(['was `1000` → is `4`'])
  expect(told({ b: 1, a: 2 }, undefined)).toEqual(['was `{"a":2,"b":1}` → is not there'])
  expect(told(undefined, undefined)).toEqual([])
})

it('says of long ones where they differ, entries with a name compared by it, others in any order', () => {
  const pod = (image: string, args: readonly string[]): unknown => ({
    note: long,
    containers: [{ name: 'sidecar' }, { name: 'main', image, args }]
  })
  const turned = {
    containers: [{ args: ['b', 'a'], image: '2', name: 'main' }, { name: 'sidecar' }],
    note: long
  }
  expect(told(pod('1', ['a', 'b']), turned)).toEqual(['`containers[main].image`: was `1` → is `2`'])
  expect(told(pod('1', ['a', 'b']), pod('1', ['b', 'c']))).toEqual([
    '`containers[main].args` lacks `a`',
    '`containers[main].args` has `c` besides'
  ])
})

it('tells two long texts from where they part', () => {
  expect(told(`${long} old`, `${long} new`)).toEqual([
    `was \`...${'x'.repeat(29)} old\` → is \`...${'x'.repeat(29)} new\``
  ])
})

it('counts the places that it leaves out', () => {
  const many = (value: string): unknown =>
    Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`key-${index}`, value]))
  expect(told(many('a'), many('b'))).toHaveLength(7)
  expect(told(many('a'), many('b')).at(-1)).toBe('and in 34 more places (see the report)')
})
