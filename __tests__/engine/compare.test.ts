import fc from 'fast-check'
import { sameScalar, subsetDifferences } from '../../src/engine/compare.js'
import { duration, quantity } from '../../src/engine/quantity.js'

describe('subsetDifferences', () => {
  it('finds nothing when live has more than wanted', () => {
    expect(subsetDifferences({ a: { b: 1 } }, { a: { b: 1, c: 2 }, d: 3 })).toEqual([])
  })

  it('names the path of a field that differs', () => {
    expect(
      subsetDifferences({ spec: { limits: { cpu: '1000' } } }, { spec: { limits: { cpu: '900' } } })
    ).toEqual([{ path: 'spec.limits.cpu', wanted: '1000', live: '900' }])
  })

  it('names a field that is missing', () => {
    expect(subsetDifferences({ spec: { weight: 5 } }, { spec: {} })).toEqual([
      { path: 'spec.weight', wanted: 5, live: undefined }
    ])
  })

  it.each([
    ['cpu', '1', '1000m'],
    ['memory', '1Gi', '1073741824'],
    ['expireAfter', '720h', '720h0m0s'],
    ['consolidateAfter', '60s', '1m'],
    ['port', 8080, '8080'],
    ['absent and empty list', [], undefined],
    ['absent and empty map', {}, undefined]
  ])('takes %s in another spelling as the same', (_name, wanted, live) => {
    expect(subsetDifferences({ field: wanted }, { field: live })).toEqual([])
  })

  it.each([
    ['labels', { metadata: { labels: { version: '1.10' } } }, { metadata: { labels: { version: '1.1' } } }],
    ['tags', { spec: { tags: { account: '012' } } }, { spec: { tags: { account: '12' } } }],
    ['values', { requirements: [{ values: ['1'] }] }, { requirements: [{ values: ['1000m'] }] }]
  ])('compares %s as text', (_name, wanted, live) => {
    expect(subsetDifferences(wanted, live)).toHaveLength(1)
  })

  it('compares requirement values as a set', () => {
    const wanted = { requirements: [{ key: 'zone', operator: 'In', values: ['a', 'b'] }] }
    const live = { requirements: [{ key: 'zone', operator: 'In', values: ['b', 'a'] }] }
    expect(subsetDifferences(wanted, live)).toEqual([])
    expect(
      subsetDifferences(wanted, { requirements: [{ key: 'zone', operator: 'In', values: ['a'] }] })
    ).toHaveLength(1)
  })

  it('finds a requirement that somebody added', () => {
    const own = { key: 'arch', operator: 'In', values: ['amd64'] }
    const added = { key: 'zone', operator: 'In', values: ['a'] }
    expect(subsetDifferences({ requirements: [own] }, { requirements: [own, added] })).toHaveLength(1)
  })

  it('leaves injected containers and environment alone', () => {
    const wanted = { containers: [{ name: 'controller', env: [{ name: 'A', value: '1' }] }] }
    const live = {
      containers: [
        { name: 'sidecar', image: 'x' },
        {
          name: 'controller',
          env: [
            { name: 'AWS_REGION', value: 'r' },
            { name: 'A', value: '1' }
          ]
        }
      ]
    }
    expect(subsetDifferences(wanted, live)).toEqual([])
  })

  it('knows entries of a list by their name, and mounts by their path', () => {
    const wanted = {
      env: [{ name: 'A', value: '1' }],
      volumeMounts: [
        { name: 'data', mountPath: '/a' },
        { name: 'data', mountPath: '/b', readOnly: true }
      ]
    }
    const live = {
      env: [
        { name: 'B', value: '1' },
        { name: 'A', value: '2' }
      ],
      volumeMounts: [
        { name: 'data', mountPath: '/b', readOnly: false },
        { name: 'data', mountPath: '/a' }
      ]
    }
    expect(subsetDifferences({ spec: wanted }, { spec: live })).toEqual([
      { path: 'spec.env[A].value', wanted: '1', live: '2' },
      { path: 'spec.volumeMounts[/b].readOnly', wanted: true, live: false }
    ])
  })

  it('finds any value equal to itself', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => subsetDifferences(value, value).length === 0))
  })

  it('finds any two different plain texts different', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        fc.pre(a !== b && quantity(a) === undefined && duration(a) === undefined)
        return !sameScalar(a, b)
      })
    )
  })
})

describe('quantity and duration', () => {
  it('reads a decimal the same in every spelling', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e9 }), (thousandths) => {
        const whole = `${Math.floor(thousandths / 1000)}.${String(thousandths % 1000).padStart(3, '0')}`
        return quantity(`${thousandths}m`) === quantity(whole)
      })
    )
  })

  it.each([
    ['100m', 0.1],
    ['1k', 1000],
    ['1Ki', 1024],
    ['1e3', 1000],
    ['1E', 1e18],
    ['1e-3', 0.001],
    ['1E+10', 1e10],
    ['-2', -2],
    ['+2k', 2000],
    ['.25', 0.25],
    ['2.', 2],
    ['a1', undefined],
    ['1a', undefined],
    ['', undefined],
    ['one', undefined]
  ])('reads quantity %s', (text, value) => {
    expect(quantity(text)).toBe(value)
  })

  it.each([
    ['1h30m', 5400],
    ['0s', 0],
    ['Never', undefined],
    ['30', undefined]
  ])('reads duration %s', (text, value) => {
    expect(duration(text)).toBe(value)
  })
})
