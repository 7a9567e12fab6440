import fc from 'fast-check'
import { hostile, hostileInputs, tryInputs } from './hostile.js'
import { table } from '../../src/inputs/table.js'

const seed = Date.now() % 1_000_000

it(`whatever is given, inputs are taken or one error lists what is wrong with them (seed ${seed})`, () => {
  const outcomes = fc.sample(hostileInputs, { numRuns: 300, seed }).map(tryInputs)
  expect(new Set(outcomes)).toContain('refused')
})

it.each(Object.values(table).map(({ name }) => name))(
  '%s takes or refuses each hostile value alone',
  (name) => {
    for (const value of hostile) expect(['taken', 'refused']).toContain(tryInputs({ [name]: value }))
  }
)
