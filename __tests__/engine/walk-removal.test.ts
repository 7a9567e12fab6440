import { Graph } from '../../src/engine/graph.js'
import { removeAll } from '../../src/engine/walk.js'
import { MemoryJournal, textResource } from './fake-resources.js'

const now = (): number => 0

describe('removeAll', () => {
  it('removes dependants first', async () => {
    const world = new Map([
      ['a', 'wanted a'],
      ['b', 'wanted b']
    ])
    const graph = new Graph([textResource('a', [], world), textResource('b', ['a'], world)])
    const journal = new MemoryJournal()
    const outcomes = await removeAll(graph, new Map(), journal, now)
    expect(journal.order).toEqual(['begin b', 'end b', 'begin a', 'end a'])
    expect(outcomes.map((outcome) => outcome.removal.outcome)).toEqual(['removed', 'removed'])
    expect(world.size).toBe(0)
  })

  it('leaves what a failure still needs, and removes the rest', async () => {
    const world = new Map(['a', 'b', 'c'].map((name) => [name, `wanted ${name}`]))
    const graph = new Graph([
      textResource('a', [], world),
      textResource('b', ['a'], world, { remove: async () => Promise.reject(new Error('held')) }),
      textResource('c', [], world)
    ])
    const outcomes = await removeAll(graph, new Map(), new MemoryJournal(), now)
    expect(Object.fromEntries(outcomes.map(({ id, removal }) => [id, removal.outcome]))).toEqual({
      a: 'not tried',
      b: 'failed',
      c: 'removed'
    })
    expect([...world.keys()]).toEqual(['a', 'b'])
  })

  it('leaves all that a failure needs, however far below', async () => {
    const world = new Map(['a', 'b', 'c'].map((name) => [name, `wanted ${name}`]))
    const graph = new Graph([
      textResource('a', [], world),
      textResource('b', ['a'], world),
      textResource('c', ['b'], world, { remove: async () => Promise.reject(new Error('held')) })
    ])
    const outcomes = await removeAll(graph, new Map(), new MemoryJournal(), now)
    expect(outcomes.map(({ id, removal }) => [id, removal.outcome])).toEqual([
      ['c', 'failed'],
      ['b', 'not tried'],
      ['a', 'not tried']
    ])
    expect(world.size).toBe(3)
  })

  it('removes nothing after a cancel', async () => {
    const world = new Map([['a', 'wanted a']])
    const graph = new Graph([textResource('a', [], world)])
    const cancelled = new MemoryJournal(AbortSignal.abort(new Error('cancelled')))
    const outcomes = await removeAll(graph, new Map(), cancelled, now)
    expect(outcomes[0]?.removal.outcome).toBe('failed')
    expect(world.has('a')).toBe(true)
  })

  it('keeps what a kept resource works with, and says for whom', async () => {
    const world = new Map(['a', 'b'].map((name) => [name, `wanted ${name}`]))
    const unmarked = { kind: 'unmarked', evidence: [] } as const
    const graph = new Graph([
      textResource('a', [], world),
      textResource('b', ['a'], world, { sign: { by: 'mark', mark: () => unmarked }, works: true })
    ])
    const journal = new MemoryJournal()
    const outcomes = await removeAll(graph, new Map(), journal, now)
    expect(outcomes.find(({ id }) => id === 'a')?.removal).toEqual({
      outcome: 'kept',
      reason: 'Text b needs it'
    })
    expect(journal.notes).toEqual(['kept: it bears no mark of ours'])
    expect(world.has('a')).toBe(true)
  })

  it('keeps all that a kept resource works with, however far below', async () => {
    const world = new Map(['a', 'b', 'c'].map((name) => [name, `wanted ${name}`]))
    const unmarked = { kind: 'unmarked', evidence: [] } as const
    const graph = new Graph([
      textResource('a', [], world),
      textResource('b', ['a'], world),
      textResource('c', ['b'], world, { sign: { by: 'mark', mark: () => unmarked }, works: true })
    ])
    const outcomes = await removeAll(graph, new Map(), new MemoryJournal(), now)
    expect(outcomes.map(({ id, removal }) => [id, removal.outcome])).toEqual([
      ['c', 'kept'],
      ['b', 'kept'],
      ['a', 'kept']
    ])
    expect(world.size).toBe(3)
  })

  it('tells the journal what was changed, what was there no more, and what has failed', async () => {
    const world = new Map(['a', 'b', 'c'].map((name) => [name, `wanted ${name}`]))
    const held = new Error('held')
    const graph = new Graph([
      textResource('a', [], world, {
        remove: async (step) => {
          step.changed('removed a')
          return Promise.resolve({ outcome: 'removed' })
        }
      }),
      textResource('b', [], world, { remove: async () => Promise.resolve({ outcome: 'absent' }) }),
      textResource('c', [], world, { remove: async () => Promise.reject(held) })
    ])
    const journal = new MemoryJournal()
    await removeAll(graph, new Map(), journal, now)
    expect(
      Object.fromEntries(journal.outcomes.map(({ id, result, error }) => [id, [result, error]]))
    ).toEqual({
      a: ['applied', undefined],
      b: ['as wanted', undefined],
      c: ['failed', held]
    })
    expect(journal.notes).toEqual([])
  })

  it('takes what a resource works with once that has gone itself', async () => {
    const world = new Map(['a', 'b'].map((name) => [name, `wanted ${name}`]))
    const graph = new Graph([textResource('a', [], world), textResource('b', ['a'], world, { works: true })])
    const outcomes = await removeAll(graph, new Map(), new MemoryJournal(), now)
    expect(outcomes.map(({ removal }) => removal.outcome)).toEqual(['removed', 'removed'])
  })
})
