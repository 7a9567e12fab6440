import { holds, selects } from '../../src/kubernetes/selectors.js'

const labels = { app: 'web', size: '4' }

test.each([
  ['In', ['web', 'api'], true],
  ['In', ['api'], false],
  ['NotIn', ['api'], true],
  ['NotIn', ['web'], false],
  ['Exists', [], true],
  ['DoesNotExist', [], false]
])('%s %j of a label that is there: %s', (operator, values, held) => {
  expect(holds({ key: 'app', operator, values }, labels)).toBe(held)
})

test.each([
  ['In', ['web'], false],
  ['NotIn', ['web'], true],
  ['Exists', [], false],
  ['DoesNotExist', [], true],
  ['Gt', ['0'], false],
  ['Lt', ['9'], false]
])('%s %j of a label that is not there: %s', (operator, values, held) => {
  expect(holds({ key: 'tier', operator, values }, labels)).toBe(held)
})

test('Gt and Lt compare whole numbers, and neither takes the number itself', () => {
  const of = (operator: string, value: string): boolean =>
    holds({ key: 'size', operator, values: [value] }, labels)
  expect([of('Gt', '3'), of('Gt', '4'), of('Lt', '5'), of('Lt', '4')]).toEqual([true, false, true, false])
})

test('an empty selector takes in everything, one with labels and expressions only what holds both', () => {
  expect(selects({}, labels)).toBe(true)
  expect(selects({ matchLabels: { app: 'web' } }, labels)).toBe(true)
  expect(selects({ matchLabels: { app: 'api' } }, labels)).toBe(false)
  const large = { key: 'size', operator: 'In', values: ['8'] }
  expect(selects({ matchLabels: { app: 'web' }, matchExpressions: [large] }, labels)).toBe(false)
})
