import type { Owner } from '../../src/engine/owner.js'
import {
  type Claim,
  judge,
  type Judged,
  ofMark,
  ownerBySign,
  reasonsText,
  type Sign
} from '../../src/engine/standing.js'

const ours: Owner = { kind: 'ours' }
const other: Owner = { kind: 'other', who: 'eksctl', evidence: [] }
const unmarked: Owner = { kind: 'unmarked', evidence: [] }

const none: Claim = { removeAdopted: false }
const made: Claim = { ...none, recorded: { before: [], wanted: 1 } }
const before: Claim = { ...none, recorded: { before: ['x'], wanted: 1 } }
const adopted: Claim = { ...none, recorded: { before: ['x'], adopted: true, wanted: 1 } }
const asked: Claim = { ...adopted, removeAdopted: true }
const goingWhole = { title: 'Stack', standing: 'adopted', stays: undefined } as const
const stayingWhole = { title: 'Stack', standing: 'found', stays: 'there before us' } as const

const takenOver = 'it was taken over, and goes only when that is asked for (`remove-adopted: true`)'

function standing(sign: Sign<string>, claim: Claim): unknown {
  return judge(sign, 'live', ['x'], claim)
}

describe('whose a marked thing is', () => {
  it.each<[string, Owner, Claim, Omit<Judged, 'name'>]>([
    ['ours, whatever the record says', ours, before, { standing: 'made', stays: undefined }],
    ["somebody else's", other, made, { standing: 'other', stays: 'kept by eksctl' }],
    ["nobody's", unmarked, none, { standing: 'found', stays: 'it bears no mark of ours' }],
    [
      "nobody's, and recorded as ours",
      unmarked,
      made,
      { standing: 'found', stays: 'it bears no mark of ours' }
    ],
    ["nobody's, and there before", unmarked, before, { standing: 'found', stays: 'there before us' }],
    ['taken over', other, adopted, { standing: 'adopted', stays: takenOver }],
    ['taken over, and asked for', other, asked, { standing: 'adopted', stays: undefined }]
  ])('%s', (_what, owner, claim, expected) => {
    expect(ofMark(owner, 'x', claim)).toEqual(expected)
    expect(standing({ by: 'mark', mark: () => owner }, claim)).toEqual([{ name: 'x', ...expected }])
  })

  it('stays where others may rely on it, but for what we made', () => {
    const sign: Sign<string> = { by: 'mark', mark: () => unmarked, shared: true }
    const stays = 'there before us, and others may have come to rely on it'
    for (const claim of [none, before, asked])
      expect(standing(sign, claim)).toEqual([{ name: 'x', standing: 'found', stays }])
    expect(standing({ ...sign, mark: () => ours }, asked)).toMatchObject([{ standing: 'made' }])
  })

  it('is asked name by name', () => {
    const mark = (live: string, name: string): Owner => (`${live} ${name}` === 'live x' ? ours : other)
    expect(judge({ by: 'mark', mark }, 'live', ['x', 'y'], none)).toMatchObject([
      { name: 'x', standing: 'made' },
      { name: 'y', standing: 'other' }
    ])
  })
})

describe('whose a thing is that the record alone tells of', () => {
  it.each<[string, Claim, Omit<Judged, 'name'>]>([
    ['unknown', none, { standing: 'found', stays: 'no record says that we made it' }],
    ['made', made, { standing: 'made', stays: undefined }],
    ['there before', before, { standing: 'found', stays: 'there before us' }],
    ['taken over', adopted, { standing: 'adopted', stays: takenOver }],
    ['taken over, and asked for', asked, { standing: 'adopted', stays: undefined }],
    [
      'gone with what cannot go without it',
      { ...before, whole: goingWhole },
      { standing: 'made', stays: undefined }
    ],
    [
      'there before, beside what stays',
      { ...before, whole: stayingWhole },
      { standing: 'found', stays: 'there before us' }
    ]
  ])('%s', (_what, claim, expected) => {
    expect(standing({ by: 'record', goesWith: 'stack' }, claim)).toEqual([{ name: 'x', ...expected }])
  })
})

describe('whose a part is', () => {
  const part: Sign<string> = { by: 'whole', whole: 'stack' }
  it.each<[string, Claim, Omit<Judged, 'name'>]>([
    [
      "the whole's, and goes with it",
      { ...before, whole: goingWhole },
      { standing: 'adopted', stays: undefined }
    ],
    [
      "the whole's, and stays with it",
      { ...made, whole: stayingWhole },
      { standing: 'found', stays: 'part of Stack, which stays' }
    ],
    ['by the record where there is no whole any more', made, { standing: 'made', stays: undefined }],
    ['by the record too where it was there before', before, { standing: 'found', stays: 'there before us' }]
  ])('%s', (_what, claim, expected) => {
    expect(standing(part, claim)).toEqual([{ name: 'x', ...expected }])
  })
})

it('what is never ours stays, with the reason', () => {
  expect(standing({ by: 'nobody', reason: 'AWS makes it' }, made)).toEqual([
    { name: 'x', standing: 'other', stays: 'AWS makes it' }
  ])
})

it('the owner can be seen where there is a mark, and something that bears it', () => {
  const sign: Sign<string> = { by: 'mark', mark: (_live, name) => (name === 'x' ? ours : other) }
  expect(ownerBySign(sign, 'live', ['x'])).toEqual(ours)
  expect(ownerBySign(sign, 'live', ['x', 'y'])).toEqual(other)
  expect(ownerBySign(sign, 'live', [])).toBeUndefined()
  expect(ownerBySign({ by: 'record' }, 'live', ['x'])).toBeUndefined()
})

it('reasons are told with the names they are of, but for the name of the resource itself', () => {
  const one = (name: string, stays: string): Judged => ({ name, standing: 'found', stays })
  expect(reasonsText('Tags', [one('a', 'kept'), one('b', 'found'), one('c', 'kept')])).toBe(
    'kept: a, c; found: b'
  )
  expect(reasonsText('Tags', [one('Tags', 'kept')])).toBe('kept')
})
