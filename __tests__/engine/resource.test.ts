import { resource, type AnyResource, type Live, type Removed, type Step } from '../../src/engine/resource.js'
import type { Owner } from '../../src/engine/owner.js'

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
    fix: 'Run again when it can be read.'
  })
  expect([taken, ended]).toEqual([[], []])
})
