import type { Report, TimelineBar } from '../../src/report/report.js'
import { timelineText } from '../../src/report/timeline.js'
import { timelineOf } from '../../src/report/timeline-bars.js'
import { Graph } from '../../src/engine/graph.js'

const report: Report = {
  schema: 'setup-karpenter/report/v1',
  mode: 'install',
  result: 'succeeded',
  headline: 'installed',
  run: 'local',
  startedAt: '2026-01-01T00:00:00Z',
  seconds: 61,
  cluster: { name: 'blue', region: 'eu-west-1' },
  changed: true,
  choices: {},
  resources: [],
  stages: [],
  smokeTests: [],
  requests: { total: 0, writes: 0, repeated: [], byService: {} },
  warnings: [],
  kept: {}
}

function bar(title: string, of: Partial<TimelineBar> = {}): TimelineBar {
  return { part: 'stages', title, from: 0, to: 1, critical: false, failed: false, ...of }
}

const bars = [
  bar('Discover', { to: 2.5, critical: true }),
  bar('Apply', { from: 2.5, to: 75 }),
  bar('NodePool default', { part: 'resources', from: 70, to: 75, critical: true }),
  bar('Controller role', { part: 'resources', from: 3, to: 3, failed: true }),
  bar('ip-10-0-0-1.eu-west-1.compute.internal comes', { part: 'nodes', from: 76, to: 100 })
]

it('draws stages, resources and nodes on one scale, the critical path marked', () => {
  expect(timelineText({ ...report, timeline: bars }).split('\n')).toEqual([
    '```mermaid',
    'gantt',
    'dateFormat YYYY-MM-DD HH:mm:ss.SSS',
    'axisFormat %M:%S',
    'section Stages',
    'Discover :crit, 2000-01-01 00:00:00.000, 2000-01-01 00:00:02.500',
    'Apply :2000-01-01 00:00:02.500, 2000-01-01 00:01:15.000',
    'section Resources',
    'NodePool default :crit, 2000-01-01 00:01:10.000, 2000-01-01 00:01:15.000',
    'Controller role failed :crit, 2000-01-01 00:00:03.000, 2000-01-01 00:00:03.100',
    'section Nodes',
    'Node ip-10-0-0-1.eu-west-1.compute.internal comes :2000-01-01 00:01:16.000, 2000-01-01 00:01:40.000',
    '```'
  ])
})

it('draws nothing where it says nothing', () => {
  expect(timelineText({ ...report, timeline: bars.slice(0, 3) })).toBe('')
  expect(timelineText({ ...report, changed: false, timeline: bars })).toBe('')
  expect(timelineText({ ...report, mode: 'check', timeline: bars })).toBe('')
  expect(timelineText(report)).toBe('')
})

it('leaves nothing in a name that is syntax', () => {
  const evil = ['a:b;c#d%%e\nf', '`x` ```', 'click here', 'section 1', '2026-01-01', '']
  const text = timelineText({ ...report, timeline: evil.map((title) => bar(title)) })
  expect(text.split('\n').filter((line) => line.includes(' :'))).toEqual(
    ['a b c d e f', 'x', 'the click here', 'the section 1', 'the 2026-01-01', 'unnamed'].map(
      (name) => `${name} :2000-01-01 00:00:00.000, 2000-01-01 00:00:01.000`
    )
  )
})

it("keeps what took longest where there is too much of it, far within Mermaid's 50,000 characters", () => {
  const parts = ['stages', 'resources', 'nodes'] as const
  const timeline = Array.from({ length: 3000 }, (_, index) =>
    bar(`${'x'.repeat(500)} ${index}`, { part: parts[index % 3] ?? 'nodes', to: index })
  )
  const text = timelineText({ ...report, timeline })
  expect(text.split('\n').filter((line) => line.includes(' :'))).toHaveLength(90)
  expect(text.length).toBeLessThan(20_000)
  expect(text).toContain('axisFormat %M:%S')
  expect(timelineText({ ...report, timeline: bars.map((one) => ({ ...one, to: 3700 })) })).toContain(
    'axisFormat %H:%M:%S'
  )
})

it('has the times of a run since its beginning', () => {
  const span = { startedAt: 1_000, endedAt: 3_500 }
  const times = { startedAt: 1_000, stages: [{ name: 'Discover', ...span }], walked: undefined, critical: [] }
  const nodes = [{ name: 'n', does: 'goes' as const, startedAt: 4_000, endedAt: 6_000 }]
  expect(timelineOf({ ...times, walked: { graph: new Graph([]), outcomes: [] }, nodes })).toEqual([
    { part: 'stages', title: 'Discover', from: 0, to: 2.5, critical: false, failed: false },
    { part: 'nodes', title: 'n goes', from: 3, to: 5, critical: false, failed: false }
  ])
})
