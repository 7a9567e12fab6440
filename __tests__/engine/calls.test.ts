import {
  apart,
  begun,
  called,
  type CallPath,
  heardOf,
  here,
  joined,
  notReady,
  Trace
} from '../../src/engine/calls.js'
import { Graph } from '../../src/engine/graph.js'
import { once, sharedRead } from '../../src/engine/once.js'
import { applyAll, inspectAll, removeAll } from '../../src/engine/walk.js'
import { MemoryJournal, textResource } from './fake-resources.js'
import { PlayedTime } from './played-time.js'

const signal = new AbortController().signal

interface Played {
  readonly path: CallPath
  /** What the run took by what it could not be quicker than. */
  readonly ratio: number
  readonly steps: readonly string[]
  readonly lost: readonly string[]
}

type Call = (name: string, milliseconds: number) => Promise<void>

async function played(work: (call: Call, time: PlayedTime) => Promise<unknown>): Promise<Played> {
  const time = new PlayedTime()
  const trace = new Trace(() => time.now())
  const call: Call = async (name, milliseconds) => called(name, async () => time.pass(milliseconds))
  await time.play(async () => trace.run(async () => work(call, time)))
  const path = trace.path()
  return {
    path,
    ratio: path.total / path.took,
    steps: path.steps.map(({ name, times, took }) => `${name}${times > 1 ? ` x${times}` : ''} ${took}`),
    lost: path.gaps.map(({ from, to, before = 'end' }) => `${to - from} before ${before}`)
  }
}

describe('Trace', () => {
  it('scores 1.00 where a call follows on each other, and what is side by side is the longest', async () => {
    const { ratio, steps, lost } = await played(async (call) => {
      await call('a', 50)
      await Promise.all([call('b', 10), call('c', 70), call('d', 20)])
      await call('e', 50)
    })
    expect({ ratio, steps, lost }).toEqual({ ratio: 1, steps: ['a 50', 'c 70', 'e 50'], lost: [] })
  })

  it('counts as lost a pause between two calls, and says before which', async () => {
    const { ratio, lost } = await played(async (call, time) => {
      await call('a', 50)
      await time.pass(30)
      await call('b', 50)
    })
    expect(ratio).toBeCloseTo(1.3)
    expect(lost).toEqual(['30 before b'])
  })

  it('counts as lost what was done before the first call and after the last', async () => {
    const { lost } = await played(async (call, time) => {
      await time.pass(5)
      await call('a', 50)
      await time.pass(7)
    })
    expect(lost).toEqual(['5 before a', '7 before end'])
  })

  it('counts as lost what independent work takes one after another, and nothing side by side', async () => {
    const work = async (call: Call, one: Promise<void> | undefined, needs: ReturnType<typeof here>) => {
      await one
      return begun(async () => call('second', 50), { needs })
    }
    const serial = await played(async (call) => {
      const needs = here()
      await apart(async () => call('first', 50), { needs })
      await work(call, undefined, needs)
    })
    const side = await played(async (call) => {
      const needs = here()
      await Promise.all([apart(async () => call('first', 50), { needs }), work(call, undefined, needs)])
    })
    expect([serial.ratio, side.ratio]).toEqual([2, 1])
  })

  it('joins a shared read to each who asked, whoever asked first', async () => {
    const { ratio, steps } = await played(async (call) => {
      const cluster = once(async () => call('cluster', 100))
      const list = sharedRead(async () => call('list', 10))
      await Promise.all([
        apart(async () => {
          await cluster()
          await list()
        }),
        apart(async () => {
          await call('quick', 5)
          await cluster()
          await call('needs both', 50)
        })
      ])
    })
    expect({ ratio, steps }).toEqual({ ratio: 1, steps: ['cluster 100', 'needs both 50'] })
  })

  it('takes what was begun in the background only where somebody waits for it', async () => {
    const { steps, path } = await played(async (call) => {
      const helm = begun(async () => call('download', 80))
      await call('a', 100)
      await call('b', 10)
      await joined(helm)
      await call('helm', 10)
    })
    expect(steps).toEqual(['a 100', 'b 10', 'helm 10'])
    expect(path.gaps).toEqual([])
  })

  it('takes a failure for an end as well', async () => {
    const { ratio } = await played(async (call) => {
      const failing = apart(async () => {
        await call('a', 50)
        throw new Error('refused')
      })
      await expect(failing).rejects.toThrow('refused')
      await call('b', 50)
    })
    expect(ratio).toBe(1)
  })

  it('counts a poll as long as the thing was not ready, and the last pause as lost', async () => {
    const { steps, lost } = await played(async (call, time) => {
      await call('Create', 50)
      for (let tries = 1; tries < 4; tries++) {
        await call('Describe', 50)
        notReady('the stack')
        await time.pass(1_000)
      }
      await call('Describe', 50)
      notReady(undefined)
    })
    expect(steps).toEqual(['Create 50', 'Describe 50', 'the stack 2100', 'Describe 50'])
    expect(lost).toEqual(['1000 before Describe'])
  })

  it('takes what a watch tells for the moment until when it was not ready', async () => {
    const { ratio, steps } = await played(async (call, time) => {
      await call('PATCH', 10)
      notReady('Deployment')
      await time.pass(3_700)
      heardOf()
      notReady(undefined)
      await call('GET', 10)
    })
    expect({ ratio, steps }).toEqual({ ratio: 1, steps: ['PATCH 10', 'Deployment 3700', 'GET 10'] })
  })

  it('keeps no call that is on no path, and one link for a listing of any length', async () => {
    const { path, steps } = await played(async (call) => {
      for (let page = 0; page < 2_000; page++) await call('GET /api/v1/nodes', 1)
      for (let name = 0; name < 2_000; name++) await call(`GET /api/v1/nodes/${name}`, 1)
    })
    expect(path.took).toBe(4_000)
    expect(steps.length).toBeLessThanOrEqual(1_000)
    expect(steps[0]).toBe('GET /api/v1/nodes x2000 2000')
    expect(steps[1]).toBe('GET /api/v1/nodes/0 1')
    expect(steps.at(-1)).toBe('further calls x1002 1002')
  })

  it('costs nothing where nobody traces', async () => {
    notReady('anything')
    heardOf()
    expect(await called('a', async () => joined(begun(async () => 3)))).toBe(3)
  })
})

describe('the longest chain', () => {
  it('tells of pauses within calls of one name, and whose time they were', async () => {
    const { path } = await played(async (call, time) => {
      await time.pass(5)
      await begun(
        async () => {
          await call('List', 50)
          await time.pass(30)
          await call('List', 50)
        },
        { unit: 'nodes' }
      )
    })
    expect(path.steps).toMatchObject([
      { kind: 'call', name: 'List', unit: 'nodes', times: 2, from: 5, took: 100 }
    ])
    const joinedPath = await played(async (call, time) =>
      apart(
        async () => {
          await call('Get', 20)
          await call('List', 50)
          await time.pass(30)
          await call('List', 50)
          await time.pass(9)
        },
        { unit: 'nodes' }
      )
    )
    expect(joinedPath.path.gaps).toEqual([
      { from: 120, to: 150, unit: 'nodes', before: undefined },
      { from: 150, to: 159, unit: 'nodes', before: undefined }
    ])
  })

  it('is by the time since the run began, whenever that was', async () => {
    const time = new PlayedTime()
    await time.play(async () => time.pass(1_000))
    const trace = new Trace(() => time.now())
    await time.play(async () => trace.run(async () => called('a', async () => time.pass(50))))
    expect(trace.path()).toMatchObject({
      steps: [{ from: 0, to: 50, unit: '' }],
      took: 50,
      total: 50,
      gaps: []
    })
  })

  it('of a run without a call is empty, and all of it was lost', async () => {
    const { path } = await played(async (_call, time) => time.pass(7))
    expect(path).toEqual({
      steps: [],
      took: 0,
      total: 7,
      gaps: [{ from: 0, to: 7, unit: '', before: undefined }]
    })
  })

  it('has no wait for what was not ready at one look alone', async () => {
    const { path } = await played(async (call, time) => {
      await call('Describe', 50)
      notReady('the stack')
      await time.pass(20)
      notReady('the stack')
      heardOf()
      notReady(undefined)
      notReady('pods')
      notReady(undefined)
      heardOf()
    })
    expect(path.steps.map(({ kind, name, took }) => [kind, name, took])).toEqual([
      ['call', 'Describe', 50],
      ['wait', 'the stack', 20]
    ])
  })

  it('tells calls of one name apart that were made for different units, and from waits', async () => {
    const { path } = await played(async (call, time) => {
      await apart(async () => call('Get', 10), { unit: 'a' })
      await apart(
        async () => {
          await call('Get', 10)
          notReady('Get')
          await time.pass(5)
          heardOf()
        },
        { unit: 'b' }
      )
    })
    expect(path.steps.map(({ kind, unit, times }) => [kind, unit, times])).toEqual([
      ['call', 'a', 1],
      ['call', 'b', 1],
      ['wait', 'b', 1]
    ])
  })
})

describe('a walk', () => {
  const graphOf = (call: Call): Graph => {
    const world = new Map<string, string>()
    return new Graph([
      textResource('a', [], world, { apply: async () => call('write a', 300) }),
      textResource('b', ['a'], world, { apply: async () => call('write b', 200) }),
      textResource('c', [], world, { apply: async () => call('write c', 400) })
    ])
  }

  it('is its longest chain of dependencies', async () => {
    const { ratio, path } = await played(async (call, time) => {
      const graph = graphOf(call)
      await applyAll(graph, await inspectAll(graph, signal), new MemoryJournal(), () => time.now())
    })
    expect(ratio).toBe(1)
    expect(path.steps.map(({ name, unit }) => [name, unit])).toEqual([
      ['write a', 'a'],
      ['write b', 'b']
    ])
  })

  it('counts what is waited for, and what a removal calls, as the time of their resource', async () => {
    const world = new Map([['a', 'x']])
    const { path } = await played(async (call, time) => {
      const graph = new Graph([
        textResource('a', [], world, {
          settle: async () => call('wait', 10),
          remove: async () => {
            await call('delete', 20)
            return { outcome: 'removed' }
          }
        })
      ])
      await applyAll(graph, await inspectAll(graph, signal), new MemoryJournal(), () => time.now())
      await removeAll(graph, new Map(), new MemoryJournal(), () => time.now())
    })
    expect(path.steps.map(({ name, unit }) => [name, unit])).toEqual([
      ['wait', 'a'],
      ['delete', 'a']
    ])
  })

  it('has lost what it does one after another and could do side by side', async () => {
    const { ratio, lost } = await played(async (call, time) => {
      let queue = Promise.resolve()
      const one: Call = async (name, milliseconds) =>
        (queue = queue.then(async () => call(name, milliseconds)))
      const graph = graphOf(one)
      await applyAll(graph, await inspectAll(graph, signal), new MemoryJournal(), () => time.now())
    })
    expect(ratio).toBeGreaterThan(1.15)
    expect(lost).toEqual(['400 before write b'])
  })
})
