import { Graph } from '../../src/engine/graph.js'
import { listingOf, type RemovalListing } from '../../src/engine/removal-listing.js'
import type { Removal } from '../../src/engine/resource.js'
import type { RecordedResource } from '../../src/engine/record.js'
import { claimsOf } from '../../src/engine/claims.js'
import type { Sign } from '../../src/engine/standing.js'
import { inspectAll, removeAll } from '../../src/engine/walk.js'
import { MemoryJournal, textResource } from './fake-resources.js'

const signal = new AbortController().signal
const unmarked: Sign<string> = { by: 'mark', mark: () => ({ kind: 'unmarked', evidence: [] }) }

interface Options {
  readonly remove?: () => Promise<Removal>
  readonly unreadable?: string
  readonly sign?: Sign<string>
  readonly works?: true
  readonly present?: (live: string) => readonly string[]
}

/** Removes `b`, which depends on `a`, and lists what is left. */
async function removed(
  of: { readonly a?: Options; readonly b?: Options },
  record: Readonly<Record<string, RecordedResource>> = {},
  removeAdopted = false
): Promise<RemovalListing> {
  const world = new Map(['a', 'b'].map((name) => [name, name]))
  const graph = new Graph([
    textResource('a', [], world, of.a ?? {}),
    textResource('b', ['a'], world, of.b ?? {})
  ])
  const before = await inspectAll(graph, signal)
  const claims = claimsOf(graph, { record: { ...recordFacts, resources: record }, removeAdopted }, before)
  const outcomes = await removeAll(graph, claims, new MemoryJournal(), () => 0)
  return listingOf(graph, claims, outcomes, await inspectAll(graph, signal))
}

const recordFacts = {
  schema: 1,
  karpenterVersion: '1.14.0',
  run: 'local',
  time: '2026-11-29T00:00:00Z'
} as const

describe('listingOf', () => {
  it('lists what was removed and reads as gone, dependants first', async () => {
    expect(await removed({})).toEqual({
      removed: [
        { id: 'b', title: 'Text b' },
        { id: 'a', title: 'Text a' }
      ],
      kept: [],
      leftovers: [],
      proof: [
        { what: 'Text b', found: [] },
        { what: 'Text a', found: [] }
      ],
      lagging: []
    })
  })

  it('does not call removed what still shows', async () => {
    const listing = await removed({ b: { remove: async () => Promise.resolve({ outcome: 'removed' }) } })
    expect(listing.removed).toEqual([{ id: 'a', title: 'Text a' }])
    expect(listing.leftovers).toEqual([
      { kind: 'kubernetes', name: 'Text b', reason: 'was removed and still shows' }
    ])
    expect(listing.lagging).toEqual(['b'])
  })

  it('lists what the resource itself kept, with the reason', async () => {
    const kept = { outcome: 'kept', reason: 'others use it' } as const
    const listing = await removed({ a: { remove: async () => Promise.resolve(kept) } })
    expect(listing.kept).toEqual([{ id: 'a', title: 'Text a', reason: 'others use it' }])
    expect(listing.leftovers).toEqual([])
  })

  it.each([
    ['there before us', { before: ['Text b'], wanted: 'b' }],
    ['it bears no mark of ours', { before: [], wanted: 'b' }],
    [
      'it was taken over, and goes only when that is asked for (`remove-adopted: true`)',
      { before: ['Text b'], adopted: true, wanted: 'b' }
    ]
  ] as const)('keeps what bears no mark: %s', async (reason, recorded) => {
    const listing = await removed({ b: { sign: unmarked } }, { b: recorded })
    expect(listing.kept).toEqual([{ id: 'b', title: 'Text b', reason }])
    expect(listing.removed).toEqual([{ id: 'a', title: 'Text a' }])
    expect(listing.leftovers).toEqual([])
  })

  it('says who keeps it', async () => {
    const mark = { kind: 'other', who: 'eksctl', evidence: [] } as const
    const listing = await removed({ b: { sign: { by: 'mark', mark: () => mark } } })
    expect(listing.kept).toEqual([{ id: 'b', title: 'Text b', reason: 'kept by eksctl' }])
  })

  it('takes what was taken over when that is asked for, but for what others may rely on', async () => {
    const recorded = { before: ['Text b'], adopted: true, wanted: 'b' } as const
    expect((await removed({ b: { sign: unmarked } }, { b: recorded }, true)).kept).toEqual([])
    const shared = await removed({ b: { sign: { ...unmarked, shared: true } } }, { b: recorded }, true)
    expect(shared.kept).toMatchObject([{ reason: 'there before us, and others may have come to rely on it' }])
  })

  it('goes by the record, name by name, where nothing can bear a mark', async () => {
    let live = ['one', 'two']
    const tags: Options = {
      sign: { by: 'record' },
      present: () => live,
      remove: async () => {
        live = ['one']
        return Promise.resolve({ outcome: 'removed' })
      }
    }
    const listing = await removed({ b: tags }, { b: { before: ['one'], wanted: 'b' } })
    expect(listing.kept).toEqual([{ id: 'b', title: 'Text b', reason: 'there before us: one' }])
    expect(listing.removed).toContainEqual({ id: 'b', title: 'Text b' })
    expect([listing.leftovers, listing.lagging]).toEqual([[], []])
  })

  it('leaves what no record says that we made, where nothing can bear a mark', async () => {
    expect((await removed({ b: { sign: { by: 'record' } } })).kept).toEqual([
      { id: 'b', title: 'Text b', reason: 'no record says that we made it' }
    ])
  })

  it('keeps the parts of what is kept, and what cannot outlive it goes', async () => {
    const part: Options = { sign: { by: 'whole', whole: 'a' } }
    const listing = await removed({ a: { sign: unmarked }, b: part })
    expect(listing.kept).toContainEqual({
      id: 'b',
      title: 'Text b',
      reason: 'part of Text a, which stays'
    })
    expect((await removed({ b: part })).removed).toHaveLength(2)
    const goesWith = await removed(
      { b: { sign: { by: 'record', goesWith: 'a' } } },
      { b: { before: ['Text b'], wanted: 'b' } }
    )
    expect(goesWith.removed).toHaveLength(2)
  })

  it('keeps the parts of what goes only in part', async () => {
    const mark = (_live: string, name: string) =>
      name === 'one' ? ({ kind: 'ours' } as const) : ({ kind: 'unmarked', evidence: [] } as const)
    const listing = await removed({
      a: { sign: { by: 'mark', mark }, present: () => ['one', 'two'] },
      b: { sign: { by: 'whole', whole: 'a' } }
    })
    expect(listing.kept).toContainEqual({ id: 'b', title: 'Text b', reason: 'part of Text a, which stays' })
  })

  it('keeps what a kept resource works with', async () => {
    const listing = await removed({ b: { sign: unmarked, works: true } })
    expect(listing.kept).toEqual([
      { id: 'b', title: 'Text b', reason: 'it bears no mark of ours' },
      { id: 'a', title: 'Text a', reason: 'Text b needs it' }
    ])
  })

  it('lists what a failure left behind, and what was not tried because of it', async () => {
    const remove = async (): Promise<Removal> => Promise.reject(new Error('held by a finalizer'))
    const listing = await removed({ b: { remove } })
    expect(listing.leftovers).toEqual([
      { kind: 'kubernetes', name: 'Text b', reason: 'held by a finalizer' },
      {
        kind: 'kubernetes',
        name: 'Text a',
        reason: 'not tried, because what works with it could not be removed'
      }
    ])
    const before = await removed({ a: { sign: unmarked }, b: { remove } })
    expect(before.leftovers).toHaveLength(1)
    expect(before.kept).toMatchObject([{ id: 'a' }])
  })

  it('takes what is there though nothing was found to remove for a leftover', async () => {
    const listing = await removed({ b: { remove: async () => Promise.resolve({ outcome: 'absent' }) } })
    expect(listing.leftovers).toMatchObject([{ name: 'Text b' }])
  })

  it('names what failed once, though its error begins with it', async () => {
    const remove = async (): Promise<Removal> => Promise.reject(new Error('Text b: held'))
    expect((await removed({ b: { remove } })).leftovers).toMatchObject([{ reason: 'held' }, {}])
  })

  it('lists what is there again as left over, whatever was read before, and not as kept', async () => {
    const world = new Map([['a', 'x']])
    const graph = new Graph([textResource('a', [], world)])
    const removal = (outcome: Removal) => [
      { id: 'a', removal: outcome, inUse: false, changes: [], startedAt: 0, endedAt: 0 }
    ]
    const listed = async (outcome: Removal) =>
      listingOf(graph, new Map(), removal(outcome), await inspectAll(graph, signal))
    expect(await listed({ outcome: 'absent' })).toMatchObject({
      removed: [],
      kept: [],
      leftovers: [{ reason: 'is there again, or was made by somebody else meanwhile' }],
      lagging: []
    })
    expect(await listed({ outcome: 'removed' })).toMatchObject({
      kept: [],
      leftovers: [{ reason: 'was removed and still shows' }]
    })
  })

  it('lists what no removal came to, and what was taken over, as it stands', async () => {
    const adopted: Options = { sign: { by: 'record' } }
    const graph = new Graph([
      textResource('a', [], new Map([['a', 'x']]), adopted),
      textResource('b', [], new Map())
    ])
    const inspections = await inspectAll(graph, signal)
    expect(listingOf(graph, new Map(), [], new Map([...inspections].slice(0, 1)))).toEqual({
      removed: [],
      kept: [{ id: 'a', title: 'Text a', reason: 'no record says that we made it' }],
      leftovers: [
        {
          kind: 'kubernetes',
          name: 'Text b',
          reason: 'not tried, because what works with it could not be removed'
        }
      ],
      proof: [
        { what: 'Text b', found: [] },
        { what: 'Text a', found: ['Text a'] }
      ],
      lagging: []
    })
  })

  it('proves nothing of what it cannot read', async () => {
    const listing = await removed({ b: { unreadable: 'access denied' } })
    expect(listing.leftovers).toMatchObject([
      { kind: 'kubernetes', name: 'Text b', reason: 'could not be read, so nobody knows: access denied' },
      { name: 'Text a' }
    ])
  })
})
