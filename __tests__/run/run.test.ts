import { called, Trace } from '../../src/engine/calls.js'
import { Graph } from '../../src/engine/graph.js'
import { resource } from '../../src/engine/resource.js'
import { compare, ownershipOf, stage } from '../../src/run/run.js'
import { textResource } from '../engine/fake-resources.js'
import { type LocalRun, localRun } from '../local-run.js'

let local: LocalRun
beforeEach(() => {
  local = localRun()
})
afterEach(() => local.end())

/** The run by a clock that stands still but where a test moves it. */
function timed() {
  const time = { now: 0 }
  const ports = { ...local.run.ports, clock: { ...local.run.ports.clock, now: () => time.now } }
  return { run: { ...local.run, ports }, time }
}

const stages = () => local.report().stages

describe('a stage', () => {
  it('is a group of the log, its seconds are in the report, and it comes to what its work comes to', async () => {
    const { run, time } = timed()
    const came = await stage(run, 'Discover', async (step) => {
      time.now += 2_500
      step.note('cluster blue')
      return Promise.resolve('found')
    })
    expect(came).toBe('found')
    expect(stages()).toEqual([{ name: 'Discover', seconds: 2.5 }])
    expect(local.log).toEqual([
      expect.stringMatching(/^::group::Discover \(/),
      'cluster blue',
      '::endgroup::'
    ])
  })

  it('that fails has its seconds in the report as well', async () => {
    const { run, time } = timed()
    const failing = stage(run, 'Decide', async () => {
      time.now += 1_000
      return Promise.reject(new Error('no such version'))
    })
    await expect(failing).rejects.toThrow('no such version')
    expect(stages()).toEqual([{ name: 'Decide', seconds: 1 }])
  })

  it('is named on the chain of calls that the run waited for', async () => {
    const calls = new Trace(() => 0)
    await calls.run(async () =>
      stage(local.run, 'Discover', async () => {
        await called('eks DescribeCluster', async () => Promise.resolve())
      })
    )
    expect(calls.path().steps.map(({ unit }) => unit)).toEqual(['Discover'])
  })
})

describe('a comparison', () => {
  const world = new Map([['one', 'other than wanted']])
  const graph = new Graph([
    textResource('one', [], world),
    resource<string, string>(
      {
        id: 'two',
        layer: 'kubernetes',
        title: 'Text two',
        dependsOn: [],
        wanted: 'two',
        read: async () => ({ state: 'present', value: 'two' }),
        compare: () => [],
        absent: () => [],
        notes: (live) => [`${live} is somebody else's as well`],
        apply: async () => undefined,
        sign: { by: 'record' },
        remove: async () => ({ outcome: 'absent' })
      },
      (value) => typeof value === 'string'
    )
  ])

  it('says what it is told to say, then what there is to say of a resource, under its title', async () => {
    const found = await compare(local.run, graph, (all) => [`${all.size} compared`])
    expect([...found].map(([id, { state }]) => [id, state])).toEqual([
      ['one', 'differs'],
      ['two', 'as wanted']
    ])
    expect(local.log).toEqual([
      expect.stringMatching(/^::group::Compare \(/),
      '2 compared',
      "Text two: two is somebody else's as well",
      '::endgroup::'
    ])
  })

  it('comes to what is settled, which is what the log is told as well', async () => {
    const found = await compare(
      local.run,
      graph,
      (all) => [`differ: ${[...all.keys()].join(', ')}`],
      async (all, signal) => {
        signal.throwIfAborted()
        return Promise.resolve(new Map([...all].filter(([, { state }]) => state === 'differs')))
      }
    )
    expect([...found.keys()]).toEqual(['one'])
    expect(local.log.slice(1, -1)).toEqual(['differ: one'])
  })
})

test('what a run creates says who has made it, and in which run', () => {
  expect(ownershipOf(local.run)).toEqual({
    owner: 'setup-karpenter',
    run: 'https://github.com/org/repo/actions/runs/7'
  })
})
