import { Graph } from '../../src/engine/graph.js'
import { applyAll, inspectAll, removeAll } from '../../src/engine/walk.js'
import { MemoryJournal, textResource } from './fake-resources.js'

const signal = new AbortController().signal
const now = (): number => 0

describe('Graph', () => {
  it('refuses an id that stands twice', () => {
    const world = new Map<string, string>()
    expect(() => new Graph([textResource('a', [], world), textResource('a', [], world)])).toThrow('same id')
  })

  it('refuses a circle and names it', () => {
    const world = new Map<string, string>()
    const resources = [textResource('a', ['b'], world), textResource('b', ['a'], world)]
    expect(() => new Graph(resources)).toThrow(/: a -> b -> a$/)
  })

  it('refuses a dependency that is not in the model', () => {
    expect(() => new Graph([textResource('a', ['b'], new Map())])).toThrow('no resource b')
  })
})

it('knows what depends on a resource directly', () => {
  const world = new Map<string, string>()
  const graph = new Graph([
    textResource('a', [], world),
    textResource('b', ['a'], world),
    textResource('c', ['b'], world)
  ])
  expect(['a', 'b', 'c'].map((id) => graph.dependants(id))).toEqual([['b'], ['c'], []])
})

describe('applyAll', () => {
  it('does not try what nobody looked at, nor what depends on it', async () => {
    const world = new Map<string, string>()
    const graph = new Graph([
      textResource('a', [], world),
      textResource('b', ['a'], world),
      textResource('c', [], world)
    ])
    const looked = [...(await inspectAll(graph, signal))].filter(([id]) => id !== 'a')
    const outcomes = await applyAll(graph, new Map(looked), new MemoryJournal(), () => 7)
    expect(outcomes.map(({ id, result }) => [id, result])).toEqual([
      ['a', 'not tried'],
      ['b', 'not tried'],
      ['c', 'applied']
    ])
    expect(outcomes[0]).toEqual({ id: 'a', result: 'not tried', changes: [], startedAt: 7, endedAt: 7 })
    expect(outcomes[2]).not.toHaveProperty('error')
  })

  it('says why what was written does not do its work, and that nothing was tried of what works with it', async () => {
    const world = new Map([['pool', 'wanted pool']])
    const error = new Error('not Ready')
    const graph = new Graph([
      textResource('class', [], world, { settle: async () => Promise.reject(error) }),
      textResource('pool', ['class'], world, { onceWritten: ['class'] })
    ])
    const outcomes = await applyAll(graph, await inspectAll(graph, signal), new MemoryJournal(), now)
    expect(outcomes).toMatchObject([
      { id: 'class', result: 'failed', error },
      { id: 'pool', result: 'not tried' }
    ])
  })

  it('applies what differs, dependencies first', async () => {
    const world = new Map<string, string>()
    const graph = new Graph([textResource('b', ['a'], world), textResource('a', [], world)])
    const journal = new MemoryJournal()
    const outcomes = await applyAll(graph, await inspectAll(graph, signal), journal, now)
    expect(journal.order).toEqual(['begin a', 'end a', 'begin b', 'end b'])
    expect(outcomes.map((outcome) => outcome.result)).toEqual(['applied', 'applied'])
  })

  it('changes nothing in a second run', async () => {
    const world = new Map<string, string>()
    const graph = new Graph([textResource('a', [], world), textResource('b', ['a'], world)])
    await applyAll(graph, await inspectAll(graph, signal), new MemoryJournal(), now)
    const outcomes = await applyAll(graph, await inspectAll(graph, signal), new MemoryJournal(), now)
    expect(outcomes.map((outcome) => [outcome.result, outcome.changes])).toEqual([
      ['as wanted', []],
      ['as wanted', []]
    ])
  })

  it('sees that each does its work, applied or as wanted, before what depends on it; one that does not has failed', async () => {
    const world = new Map([['a', 'wanted a']])
    const settled: string[] = []
    const settle = (id: string) => ({
      settle: async () => void settled.push(`${id}: ${world.get(id) ?? ''}`)
    })
    const graph = new Graph([
      textResource('a', [], world, settle('a')),
      textResource('b', ['a'], world, settle('b')),
      textResource('c', ['b'], world, { settle: async () => Promise.reject(new Error('not ready')) }),
      textResource('d', ['c'], world)
    ])
    const outcomes = await applyAll(graph, await inspectAll(graph, signal), new MemoryJournal(), now)
    expect(settled).toEqual(['a: wanted a', 'b: wanted b'])
    expect(outcomes.map(({ result }) => result)).toEqual(['as wanted', 'applied', 'failed', 'not tried'])
  })

  it('runs resources side by side when they do not depend on each other', async () => {
    const world = new Map<string, string>()
    const meeting = Promise.withResolvers<undefined>()
    const graph = new Graph([
      textResource('a', [], world, { apply: async () => meeting.promise }),
      textResource('b', [], world, { apply: async () => meeting.resolve(undefined) })
    ])
    const outcomes = await applyAll(graph, await inspectAll(graph, signal), new MemoryJournal(), now)
    expect(outcomes.map((outcome) => outcome.result)).toEqual(['applied', 'applied'])
  })

  it('writes beside the work of what need only be written, and waits for that before its own', async () => {
    const world = new Map<string, string>()
    const written = Promise.withResolvers<undefined>()
    const order: string[] = []
    const graph = new Graph([
      textResource('class', [], world, {
        // It comes to work only once the other is written.
        settle: async () => {
          await written.promise
          order.push('class works')
        }
      }),
      textResource('pool', ['class'], world, {
        onceWritten: ['class'],
        apply: async () => {
          expect(world.has('class')).toBe(true)
          written.resolve(undefined)
        },
        settle: async () => void order.push('pool works')
      })
    ])
    const outcomes = await applyAll(graph, await inspectAll(graph, signal), new MemoryJournal(), now)
    expect(outcomes.map(({ result }) => result)).toEqual(['applied', 'applied'])
    expect(order).toEqual(['class works', 'pool works'])
  })

  it('does not wait for the work of what was written beside a failure, and says what was written', async () => {
    const world = new Map<string, string>()
    const written = Promise.withResolvers<undefined>()
    const settled: string[] = []
    const pool = (id: string, onceWritten: readonly string[], written?: () => void) =>
      textResource(id, ['class'], world, {
        onceWritten,
        apply: async () => written?.(),
        settle: async () => void settled.push(id)
      })
    const graph = new Graph([
      textResource('class', [], world, {
        settle: async () => {
          await written.promise
          throw new Error('not Ready')
        }
      }),
      pool('early', ['class'], () => written.resolve(undefined)),
      pool('late', [])
    ])
    const outcomes = await applyAll(graph, await inspectAll(graph, signal), new MemoryJournal(), now)
    expect(outcomes.map(({ id, result, changes }) => [id, result, changes])).toEqual([
      ['class', 'failed', ['wrote class']],
      ['early', 'applied', ['wrote early']],
      ['late', 'not tried', []]
    ])
    expect(settled).toEqual([])
  })

  it('does not try what depends on a failure, and finishes what is under way', async () => {
    const world = new Map<string, string>()
    const failed = Promise.withResolvers<undefined>()
    const graph = new Graph([
      textResource('a', [], world, { apply: async () => Promise.reject(new Error('no')) }),
      textResource('b', ['a'], world),
      textResource('c', [], world, { apply: async () => failed.promise })
    ])
    const walk = applyAll(graph, await inspectAll(graph, signal), new MemoryJournal(), now)
    failed.resolve(undefined)
    expect((await walk).map((outcome) => [outcome.id, outcome.result])).toEqual([
      ['a', 'failed'],
      ['b', 'not tried'],
      ['c', 'applied']
    ])
    expect(world.has('b')).toBe(false)
  })

  it('begins nothing more after a failure, even what does not depend on it', async () => {
    const world = new Map<string, string>()
    const failed = Promise.withResolvers<undefined>()
    const graph = new Graph([
      textResource('a', [], world, { apply: async () => Promise.reject(new Error('no')) }),
      textResource('b', [], world, { apply: async () => failed.promise }),
      textResource('c', ['b'], world)
    ])
    const journal = new MemoryJournal()
    const walk = applyAll(graph, await inspectAll(graph, signal), journal, now)
    failed.resolve(undefined)
    expect((await walk).map((outcome) => [outcome.id, outcome.result])).toEqual([
      ['a', 'failed'],
      ['b', 'applied'],
      ['c', 'not tried']
    ])
    expect(journal.order).not.toContain('begin c')
  })

  it('begins nothing more after what was written has failed to do its work', async () => {
    const world = new Map<string, string>()
    const failed = Promise.withResolvers<undefined>()
    const graph = new Graph([
      textResource('a', [], world, { settle: async () => Promise.reject(new Error('not ready')) }),
      textResource('b', [], world, { apply: async () => failed.promise }),
      textResource('c', ['b'], world)
    ])
    const walk = applyAll(graph, await inspectAll(graph, signal), new MemoryJournal(), now)
    failed.resolve(undefined)
    expect((await walk).map((outcome) => [outcome.id, outcome.result])).toEqual([
      ['a', 'failed'],
      ['b', 'applied'],
      ['c', 'not tried']
    ])
  })

  it('writes nothing to what could not be read, and says which permission is missing', async () => {
    const world = new Map<string, string>()
    const graph = new Graph([textResource('a', [], world, { unreadable: 'access denied' })])
    const [outcome] = await applyAll(graph, await inspectAll(graph, signal), new MemoryJournal(), now)
    expect(world.size).toBe(0)
    expect(outcome).toMatchObject({
      result: 'failed',
      error: {
        message: 'Text a: could not be read: access denied',
        state: 'It was left as it is.',
        fix: "Allow the run's role get texts; docs/permissions has what each mode needs, in AWS and in the cluster."
      }
    })
  })

  it('applies nothing after a cancel', async () => {
    const world = new Map<string, string>()
    const graph = new Graph([textResource('a', [], world)])
    const inspections = await inspectAll(graph, signal)
    const outcomes = await applyAll(
      graph,
      inspections,
      new MemoryJournal(AbortSignal.abort(new Error('cancelled'))),
      now
    )
    expect(outcomes[0]?.result).toBe('failed')
    expect(world.size).toBe(0)
  })
})

describe('what is waited for', () => {
  const waits = async (step: { waiting(what: string): void }): Promise<never> => {
    step.waiting('pods to start')
    return Promise.reject(new Error('no'))
  }

  it('is over when an install has failed at it', async () => {
    const graph = new Graph([textResource('a', [], new Map(), { apply: waits })])
    const journal = new MemoryJournal()
    await applyAll(graph, await inspectAll(graph, signal), journal, now)
    expect([journal.outcomes, journal.waits.size]).toMatchObject([[{ result: 'failed' }], 0])
  })

  it('is over when what was written has failed to do its work', async () => {
    const graph = new Graph([textResource('a', [], new Map(), { settle: waits })])
    const journal = new MemoryJournal()
    await applyAll(graph, await inspectAll(graph, signal), journal, now)
    expect([journal.outcomes, journal.waits.size]).toMatchObject([[{ result: 'failed' }], 0])
  })

  it('is over when a removal has failed at it', async () => {
    const graph = new Graph([textResource('a', [], new Map([['a', '']]), { remove: waits })])
    const journal = new MemoryJournal()
    await removeAll(graph, new Map(), journal, now)
    expect([journal.outcomes, journal.waits.size]).toMatchObject([[{ result: 'failed' }], 0])
  })
})

describe('inspectAll', () => {
  it('tells unreadable from absent', async () => {
    const graph = new Graph([
      textResource('a', [], new Map(), { unreadable: 'access denied' }),
      textResource('b', [], new Map())
    ])
    const inspections = await inspectAll(graph, signal)
    expect(inspections.get('a')?.state).toBe('unreadable')
    expect(inspections.get('b')?.state).toBe('absent')
  })

  it('compares the live state with another wanted state', async () => {
    const graph = new Graph([textResource('a', [], new Map([['a', 'recorded']]))])
    const inspection = (await inspectAll(graph, signal)).get('a')
    expect(inspection?.state).toBe('differs')
    expect(inspection?.against('recorded')).toEqual([])
  })
})

describe('titleOf', () => {
  it("is a resource's title, and a stage's own name", () => {
    const graph = new Graph([textResource('a', [], new Map())])
    expect([graph.titleOf('a'), graph.titleOf('Smoke test')]).toEqual(['Text a', 'Smoke test'])
  })
})
