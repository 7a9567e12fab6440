import fc from 'fast-check'
import {
  defaultListRule,
  isEmpty,
  sameAmount,
  sameValue,
  setDifference,
  subsetDifferences
} from '../../src/engine/compare.js'
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

  it.each<[string, unknown, unknown]>([
    ['cpu', '1', '1000m'],
    ['memory', '1Gi', '1073741824'],
    ['expireAfter', '720h', '720h0m0s'],
    ['consolidateAfter', '60s', '1m'],
    ['port', 8080, '8080'],
    ['switch', true, 'true'],
    ['imageMinimumGCAge', '120s', '2m'],
    ['absent and empty list', [], undefined],
    ['absent and empty map', {}, undefined],
    ['absent and null', null, undefined],
    ['not asked for', undefined, 'theirs']
  ])('takes %s in another spelling as the same', (name, wanted, live) => {
    expect(subsetDifferences({ [name]: wanted }, { [name]: live })).toEqual([])
  })

  it.each<[string, unknown, unknown]>([
    ['a map for a text', 'x', { x: 1 }],
    ['a text for a map', { x: 1 }, 'x'],
    ['nothing for a map', { x: { y: 1 } }, undefined],
    ['a list for a text', 'x', ['x']],
    ['a switch', true, 'false'],
    ['another duration', '1h', '2h'],
    ['another quantity', '1Gi', '1G'],
    ['a quantity for a duration', '60s', '60']
  ])('finds %s different', (_name, wanted, live) => {
    expect(subsetDifferences(wanted, live, 'a.b')).toEqual([{ path: 'a.b', wanted, live }])
  })

  it('tells of a list in which order counts as a whole when it is longer, and by its entry when one differs', () => {
    const [wanted, live] = [
      ['-a', '-b'],
      ['-a', '-c', '-d']
    ]
    expect(subsetDifferences({ args: wanted }, { args: live })).toEqual([{ path: 'args', wanted, live }])
    expect(subsetDifferences({ args: wanted }, {})).toEqual([{ path: 'args', wanted, live: undefined }])
    expect(subsetDifferences({ args: wanted }, { args: ['-a', '-c'] })).toEqual([
      { path: 'args[1]', wanted: '-b', live: '-c' }
    ])
  })

  it('tells of a set as a whole', () => {
    const [wanted, live] = [['a', 'b'], ['a']]
    expect(subsetDifferences({ verbs: wanted }, { verbs: live })).toEqual([{ path: 'verbs', wanted, live }])
  })

  it('wants each of two entries with one name to be as wanted, as the later one counts', () => {
    const [right, wrong] = [
      { name: 'A', value: '1' },
      { name: 'A', value: '2' }
    ]
    for (const env of [
      [right, wrong],
      [wrong, right]
    ]) {
      expect(subsetDifferences({ env: [right] }, { env })).toEqual([
        { path: 'env[A].value', wanted: '1', live: '2' }
      ])
    }
  })

  it('takes an entry without a name for any that says the same, and for the nearest where none does', () => {
    const live = {
      ports: [
        { containerPort: 9000, protocol: 'UDP' },
        { containerPort: 8080, protocol: 'TCP' }
      ]
    }
    const port = (containerPort: number) => ({ ports: [{ containerPort, protocol: 'TCP' }] })
    expect(subsetDifferences(port(8080), live)).toEqual([])
    expect(subsetDifferences(port(8081), live)).toMatchObject([{ wanted: 8081, live: 8080 }])
  })

  it('names the entry that is missing', () => {
    expect(subsetDifferences({ env: [{ name: 'A', value: '1' }] }, { env: [] })).toEqual([
      { path: 'env[A]', wanted: { name: 'A', value: '1' }, live: undefined }
    ])
  })

  it.each([
    ['labels', { metadata: { labels: { version: '1.10' } } }, { metadata: { labels: { version: '1.1' } } }],
    ['tags', { spec: { tags: { account: '012' } } }, { spec: { tags: { account: '12' } } }],
    ['values', { requirements: [{ values: ['1'] }] }, { requirements: [{ values: ['1000m'] }] }],
    ['data of a ConfigMap', { data: { size: '1' } }, { data: { size: '1000m' } }],
    ['a name', { name: '1' }, { name: '1.0' }],
    ['a variable', { env: [{ name: 'SIZE', value: '1' }] }, { env: [{ name: 'SIZE', value: '1000m' }] }]
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
        return !sameAmount(a, b)
      })
    )
  })
})

describe('defaultListRule', () => {
  it.each([
    ['rules', 'set'],
    ['spec.template.spec.requirements', 'set'],
    ['spec.rules[0].http.paths', 'ordered'],
    ['spec.resources.claims', 'ordered'],
    ['spec.containers[controller].envFrom', 'ordered'],
    ['spec.containers[controller].env', { key: 'name' }],
    ['spec.containers[controller].volumeMounts', { key: 'mountPath' }]
  ])('reads the list at %s as Kubernetes does', (path, rule) => {
    expect(defaultListRule(path)).toEqual(rule)
  })
})

test.each<[unknown, boolean]>([
  [undefined, true],
  [null, true],
  [[], true],
  [{}, true],
  ['', false],
  [0, false],
  [false, false],
  [[null], false],
  [{ a: undefined }, false]
])('isEmpty of %j: %s', (value, expected) => {
  expect(isEmpty(value)).toBe(expected)
})

test('setDifference tells what is lacking and what is there besides', () => {
  expect(setDifference([{ a: 1 }, { b: 2 }], [{ b: 2, more: 3 }, { c: 3 }])).toEqual({
    lacking: [{ a: 1 }],
    surplus: [{ c: 3 }]
  })
})

test('sameValue goes by the values, not by the order of their keys', () => {
  expect(sameValue({ a: 1, b: { c: 2, d: [3] } }, { b: { d: [3], c: 2 }, a: 1 })).toBe(true)
  expect(sameValue({ a: [1, 2] }, { a: [2, 1] })).toBe(false)
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
    ['5u', 0.000_005],
    ['5n', 0.000_000_005],
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
    ['0', 0],
    ['1.25h', 4500],
    ['2m0.5s', 120.5],
    ['x1h', undefined],
    ['1hx', undefined],
    ['1.h', undefined],
    ['Never', undefined],
    ['30', undefined]
  ])('reads duration %s', (text, value) => {
    expect(duration(text)).toBe(value)
  })
})
