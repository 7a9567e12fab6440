import { fits } from '../../src/upgrade/requirements-fit.js'

describe('fits', () => {
  const labels = { arch: 'amd64', cpu: '4' }
  it.each([
    ['In', 'arch', ['amd64', 'arm64'], true],
    ['In', 'arch', ['arm64'], false],
    ['In', 'zone', ['a'], false],
    ['NotIn', 'arch', ['arm64'], true],
    ['NotIn', 'arch', ['amd64'], false],
    ['NotIn', 'zone', ['a'], true],
    ['Exists', 'arch', [], true],
    ['Exists', 'zone', [], false],
    ['DoesNotExist', 'arch', [], false],
    ['DoesNotExist', 'zone', [], true],
    ['Gt', 'cpu', ['3'], true],
    ['Gt', 'cpu', ['4'], false],
    ['Lt', 'cpu', ['5'], true],
    ['Lt', 'cpu', ['4'], false],
    ['Gte', 'cpu', ['4'], true],
    ['Gte', 'cpu', ['5'], false],
    ['Lte', 'cpu', ['4'], true],
    ['Lte', 'cpu', ['3'], false]
  ])('%s %s %j: %s', (operator, key, values, met) => {
    expect(fits([{ key, operator, values }], labels)).toBe(met)
  })

  it('asks for every requirement', () => {
    const amd = { key: 'arch', operator: 'In', values: ['amd64'] }
    expect(fits([], labels)).toBe(true)
    expect(fits([amd, { key: 'zone', operator: 'Exists' }], labels)).toBe(false)
  })
})
