import { UserError } from '../../src/engine/errors.js'
import type { JsonMap } from '../../src/engine/json.js'
import { resource, type AnyResource, type Live, type Removed, type Step } from '../../src/engine/resource.js'
import type { Owner } from '../../src/engine/owner.js'
import { fieldsResource, textResource } from './fake-resources.js'

type Names = Readonly<Record<string, Owner['kind']>>

const owners: Readonly<Record<Owner['kind'], Owner>> = {
  ours: { kind: 'ours' },
  other: { kind: 'other', who: 'Terraform', evidence: [] },
  unmarked: { kind: 'unmarked', evidence: [] }
}

let taken: (readonly string[])[]
let ended: Removed<Names>[]
beforeEach(() => {
  taken = []
  ended = []
})

/** Names with owners, of which a removal takes what is ours. */
function named(live: Live<Names>): AnyResource {
  return resource<string, Names>(
    {
      id: 'names',
      layer: 'iam',
      title: 'Names',
      dependsOn: [],
      wanted: '',
      read: async () => live,
      compare: () => [],
      absent: () => [],
      apply: async () => undefined,
      sign: { by: 'mark', mark: (all, name) => owners[all[name] ?? 'unmarked'] },
      present: (all) => Object.keys(all),
      remove: async (_live, _step, names) => {
        taken.push(names)
        return { outcome: 'removed' }
      },
      afterRemoval: async (removed) => void ended.push(removed)
    },
    (value): value is string => typeof value === 'string'
  )
}

const step: Step = {
  changed: () => undefined,
  note: () => undefined,
  warning: () => undefined,
  waiting: () => undefined,
  signal: new AbortController().signal,
  now: () => 0,
  pause: async () => undefined
}

const present = (value: Names): Live<Names> => ({ state: 'present', value })
const claim = { removeAdopted: false }

test('a removal takes the names that go, and no other', async () => {
  const removal = await named(present({ a: 'ours', b: 'other', c: 'unmarked', d: 'ours' })).remove(
    step,
    claim
  )
  expect(removal).toEqual({ outcome: 'removed' })
  expect(taken).toEqual([['a', 'd']])
})

test.each<[string, Live<Names>, readonly string[] | undefined, Partial<Removed<Names>>]>([
  ['has gone', present({ a: 'ours' }), undefined, { kept: false, ours: true }],
  ['stays', present({ a: 'other' }), undefined, { kept: true, ours: false }],
  ['was there before us, and stays', present({ a: 'unmarked' }), ['a'], { kept: true, ours: false }],
  ['is gone already, and was ours by the record', { state: 'absent' }, [], { kept: false, ours: true }],
  [
    'is gone already, and nobody knows whose it was',
    { state: 'absent' },
    undefined,
    { kept: false, ours: false }
  ]
])('the end of a removal is told of what %s', async (_what, live, before, told) => {
  const recorded = before && { before, wanted: '' }
  await named(live).remove(step, { ...claim, recorded })
  expect(ended).toEqual([{ live, ...told }])
})

test('what cannot be read is not removed, and nothing is told of an end', async () => {
  const denied: Live<Names> = { state: 'unreadable', reason: 'denied' }
  await expect(named(denied).remove(step, claim)).rejects.toMatchObject({
    message: 'Names: could not be read: denied',
    state: 'It was left as it is.',
    fix: 'Run again when it can be read.'
  })
  expect([taken, ended]).toEqual([[], []])
})

describe('an inspection', () => {
  const look = { signal: step.signal, now: () => 0, pause: async () => undefined }
  const inspect = async (live: Live<JsonMap>, options: Parameters<typeof fieldsResource>[2] = {}) =>
    fieldsResource({ a: 1, b: 2 }, live, options).inspect(step.signal)

  it('of what is there says what it is called, whose it is, and what is worth a line', async () => {
    const notes = ['somebody put c there']
    expect(await inspect({ state: 'present', value: { a: 1, b: 2, c: 3 } }, { notes })).toMatchObject({
      state: 'as wanted',
      differences: [],
      present: ['Fields fields'],
      owner: { kind: 'ours' },
      notes
    })
  })

  it.each<Live<JsonMap>>([{ state: 'absent' }, { state: 'unreadable', reason: 'denied' }])(
    'of what is $state has no owner, no names, no line and nothing that would be refused',
    async (live) => {
      const refusal = new UserError('Fields', 'no', 'Do it.')
      const inspection = await inspect(live, { notes: ['a line'], refusal })
      expect(inspection.present).toEqual([])
      expect(inspection.judged(claim)).toEqual([])
      for (const key of ['owner', 'notes', 'refusal']) expect(inspection).not.toHaveProperty(key)
    }
  )

  it('of what cannot be read says why, has no difference, and is well', async () => {
    const health = { ailments: [], unread: [{ reason: 'r', missingPermission: 'p' }] }
    const inspection = await inspect({ state: 'unreadable', reason: 'timed out' }, { health })
    expect(inspection.state).toBe('unreadable')
    expect(inspection.unreadable).toStrictEqual({ reason: 'timed out' })
    expect(inspection.differences).toEqual([])
    expect(inspection.against({ a: 9 })).toEqual([])
    expect(await inspection.health(look)).toEqual({ ailments: [], unread: [] })
    const denied = await inspect({ state: 'unreadable', reason: 'denied', missingPermission: 'get x' })
    expect(denied.unreadable).toEqual({ reason: 'denied', missingPermission: 'get x' })
  })

  it('says what is not well, of what is there alone', async () => {
    const health = { ailments: [], unread: [{ reason: 'r', missingPermission: 'p' }] }
    const present: Live<JsonMap> = { state: 'present', value: {} }
    expect(await (await inspect(present, { health })).health(look)).toEqual(health)
    expect(await (await inspect(present)).health(look)).toEqual({ ailments: [], unread: [] })
    expect(await (await inspect({ state: 'absent' }, { health })).health(look)).not.toEqual(health)
  })

  it('compares with another wanted state, and finds nothing against what is none', async () => {
    const inspection = await inspect({ state: 'present', value: { a: 1, b: 3 } })
    expect(inspection.against({ a: 2 })).toMatchObject([{ path: 'a', wanted: 2, live: 1 }])
    expect(inspection.against('no map')).toEqual([])
    expect((await inspect({ state: 'absent' })).against({ a: 2 })).toMatchObject([
      { path: '', wanted: { a: 2 } }
    ])
  })

  it('looks at what is there once, however often it is compared with what is wanted now', async () => {
    let looks = 0
    const value = {
      get a() {
        looks += 1
        return 3
      },
      b: 2
    }
    const inspection = await inspect({ state: 'present', value })
    const first = looks
    expect(inspection.against({ b: 2, a: 1 })).toEqual(inspection.differences)
    expect(looks).toBe(first)
    expect(inspection.against({ a: 3 })).toEqual([])
    expect(looks).toBeGreaterThan(first)
  })

  it('that leaves paths, again and again, leaves all of them, against the record too', async () => {
    const written: unknown[] = []
    const inspection = await inspect(
      { state: 'present', value: { a: 2, b: 3 } },
      { leavesFields: true, written: (...paths) => written.push(paths) }
    )
    const leaving = inspection.leaving((path) => path === 'a')
    expect(leaving.differences.map(({ path }) => path)).toEqual(['b'])
    expect(leaving.against({ a: 5, b: 5 }).map(({ path }) => path)).toEqual(['b'])
    const both = leaving.leaving((path) => path === 'b')
    expect(both.state).toBe('as wanted')
    await both.apply(step)
    expect(written).toEqual([[[], ['a', 'b']]])
  })

  it('writes nothing over what cannot be read', async () => {
    const written: unknown[] = []
    const inspection = await inspect(
      { state: 'unreadable', reason: 'denied' },
      { written: () => written.push('written') }
    )
    await expect(inspection.apply(step)).rejects.toThrow('Fields fields: could not be read: denied')
    expect(written).toEqual([])
  })
})

test('a removal of which every name stays says why, and removes nothing', async () => {
  expect(await named(present({ a: 'other', b: 'unmarked', c: 'unmarked' })).remove(step, claim)).toEqual({
    outcome: 'kept',
    reason: 'kept by Terraform: a; it bears no mark of ours: b, c'
  })
  expect(taken).toEqual([])
})

test('what is there without a name is taken for absent', async () => {
  expect(await named(present({})).remove(step, claim)).toEqual({ outcome: 'absent' })
  expect(taken).toEqual([])
})

test('a part whose whole is gone is for nobody to take away any more', async () => {
  const world = new Map([['part', 'x']])
  const part = textResource('part', [], world, { sign: { by: 'whole', whole: 'stack' } })
  const recorded = { before: [], wanted: 'x' }
  expect(await part.remove(step, { ...claim, recorded })).toEqual({ outcome: 'removed' })
  expect(world.has('part')).toBe(true)
  const whole = { title: 'Stack', standing: 'made', stays: undefined } as const
  expect(await part.remove(step, { ...claim, recorded, whole })).toEqual({ outcome: 'removed' })
  expect(world.has('part')).toBe(false)
})
