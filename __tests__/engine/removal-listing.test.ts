import { Graph } from '../../src/engine/graph.js'
import { listingOf, type RemovalListing } from '../../src/engine/removal-listing.js'
import type { Removal } from '../../src/engine/resource.js'
import { inspectAll, removeAll } from '../../src/engine/walk.js'
import { MemoryJournal, textResource } from './fake-resources.js'

const signal = new AbortController().signal

/** Removes `b`, which is part of `a`, and lists what is left. */
async function removed(options: {
  readonly a?: () => Promise<Removal>
  readonly b?: () => Promise<Removal>
  readonly unreadable?: string
}): Promise<RemovalListing> {
  const world = new Map(['a', 'b'].map((name) => [name, name]))
  const part = (remove?: () => Promise<Removal>): { remove?: () => Promise<Removal> } =>
    remove === undefined ? {} : { remove }
  const graph = new Graph([
    textResource('a', [], world, part(options.a)),
    textResource('b', ['a'], world, {
      ...part(options.b),
      ...(options.unreadable !== undefined && { unreadable: options.unreadable })
    })
  ])
  const outcomes = await removeAll(graph, new MemoryJournal(), () => 0)
  return listingOf(graph, outcomes, await inspectAll(graph, signal))
}

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
    const listing = await removed({ b: async () => Promise.resolve({ outcome: 'removed' }) })
    expect(listing.removed).toEqual([{ id: 'a', title: 'Text a' }])
    expect(listing.leftovers).toEqual([
      { kind: 'kubernetes', name: 'Text b', reason: 'was removed and still shows' }
    ])
    expect(listing.lagging).toEqual(['b'])
  })

  it('lists what was kept with the reason', async () => {
    const kept = { outcome: 'kept', reason: 'it was there before' } as const
    const listing = await removed({ a: async () => Promise.resolve(kept) })
    expect(listing.kept).toEqual([{ id: 'a', title: 'Text a', reason: 'it was there before' }])
    expect(listing.leftovers).toEqual([])
  })

  it('keeps the parts of what is kept', async () => {
    const listing = await removed({
      a: async () => Promise.resolve({ outcome: 'kept', reason: 'it is not ours' }),
      b: async () => Promise.resolve({ outcome: 'absent' })
    })
    expect(listing.kept).toContainEqual({ id: 'b', title: 'Text b', reason: 'Text a was kept' })
    expect(listing.leftovers).toEqual([])
  })

  it('lists what a failure left behind, and what was not tried because of it', async () => {
    const listing = await removed({ b: async () => Promise.reject(new Error('held by a finalizer')) })
    expect(listing.leftovers).toEqual([
      { kind: 'kubernetes', name: 'Text b', reason: 'held by a finalizer' },
      {
        kind: 'kubernetes',
        name: 'Text a',
        reason: 'not tried, because what works with it could not be removed'
      }
    ])
  })

  it('lists what was spared of it, and calls the rest removed', async () => {
    const listing = await removed({
      b: async () => Promise.resolve({ outcome: 'removed', spared: ['Text b'] })
    })
    expect(listing.removed).toContainEqual({ id: 'b', title: 'Text b' })
    expect(listing.kept).toEqual([{ id: 'b', title: 'Text b', reason: 'there before us: Text b' }])
    expect(listing.leftovers).toEqual([])
    expect(listing.lagging).toEqual([])
  })

  it('takes what is there though nothing was found to remove for a leftover', async () => {
    const listing = await removed({ b: async () => Promise.resolve({ outcome: 'absent' }) })
    expect(listing.leftovers).toMatchObject([{ name: 'Text b' }])
  })

  it('proves nothing of what it cannot read', async () => {
    const listing = await removed({ unreadable: 'access denied' })
    expect(listing.leftovers).toEqual([
      { kind: 'kubernetes', name: 'Text b', reason: 'could not be read, so nobody knows: access denied' }
    ])
  })
})
