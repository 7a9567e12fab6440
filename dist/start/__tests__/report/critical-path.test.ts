import type { CallPath } from '../../src/engine/calls.js'
import { criticalPathOf } from '../../src/report/critical-path.js'
import { criticalPathText } from '../../src/report/critical-path-text.js'

const of = { times: 1, kind: 'call' as const }
const path: CallPath = {
  steps: [
    { ...of, name: 'eks DescribeCluster blue', unit: 'Discover', from: 200, to: 300, took: 100 },
    { ...of, name: 'cloudformation ExecuteChangeSet', unit: 'stack', from: 300, to: 400, took: 100 },
    { ...of, kind: 'wait', name: 'the stack', unit: 'stack', from: 400, to: 10_400, took: 10_000 },
    {
      ...of,
      name: 'cloudformation DescribeStacks',
      unit: 'stack',
      from: 12_400,
      to: 12_450,
      took: 50,
      times: 2
    },
    { ...of, kind: 'wait', name: 'a|b', unit: 'helm-release', from: 12_450, to: 13_450, took: 1_000 }
  ],
  took: 11_250,
  total: 13_500,
  gaps: [
    { from: 0, to: 200, unit: 'Discover', before: 'eks DescribeCluster blue' },
    { from: 10_400, to: 12_400, unit: 'stack', before: 'cloudformation DescribeStacks' },
    { from: 13_450, to: 13_455, unit: 'helm-release', before: undefined }
  ]
}
const layers = { stack: 'cloudformation', 'helm-release': 'helm' } as const
const layerOf = (unit: string) => Object.entries(layers).find(([id]) => id === unit)?.[1]

it('reports the chain in seconds, whose time each wait was, and where most was lost', () => {
  expect(criticalPathOf(path, layerOf)).toEqual({
    seconds: 11.25,
    lost: 2.25,
    ids: ['Discover', 'stack', 'helm-release'],
    calls: [
      { name: 'eks DescribeCluster blue', in: 'Discover', from: 0.2, seconds: 0.1, times: 1 },
      { name: 'cloudformation ExecuteChangeSet', in: 'stack', from: 0.3, seconds: 0.1, times: 1 },
      { name: 'the stack', in: 'stack', from: 0.4, seconds: 10, times: 1, waitedFor: 'AWS' },
      { name: 'cloudformation DescribeStacks', in: 'stack', from: 12.4, seconds: 0.05, times: 2 },
      { name: 'a|b', in: 'helm-release', from: 12.45, seconds: 1, times: 1, waitedFor: 'Kubernetes' }
    ],
    losses: [
      { from: 0, seconds: 0.2, in: 'Discover', before: 'eks DescribeCluster blue' },
      { from: 10.4, seconds: 2, in: 'stack', before: 'cloudformation DescribeStacks' }
    ]
  })
})

it('has none where nothing was called', () => {
  expect(criticalPathOf({ steps: [], took: 0, total: 10, gaps: [] }, layerOf)).toBeUndefined()
})

it('keeps the longest of a long path, in their order', () => {
  const steps = Array.from({ length: 300 }, (_, at) => ({
    ...of,
    name: `call ${at}`,
    unit: '',
    from: at,
    to: at + 1,
    took: at < 100 ? 1 : 2
  }))
  const found = criticalPathOf({ steps, took: 500, total: 500, gaps: [] }, layerOf)
  expect(found?.calls.map(({ name }) => name)).toEqual(steps.slice(100).map(({ name }) => name))
  expect(found?.ids).toEqual([])
})

it('says the same in a paragraph, with nothing in it that could be taken for Markdown', () => {
  const found = criticalPathOf(path, layerOf)
  expect(found && criticalPathText(found)).toBe(
    [
      'Critical path, 11.3 s of calls that needed each other: `Discover` → `stack` → `helm-release`.',
      'In it waits: 10.0 s for AWS (`the stack`), 1.0 s for Kubernetes (<code>a&#124;b</code>).',
      'Lost beside it, 2.3 s: 2.0 s before `cloudformation DescribeStacks`, 0.2 s before `eks DescribeCluster blue`.'
    ].join(' ')
  )
})

it('says so where nothing was lost', () => {
  expect(criticalPathText({ seconds: 2, lost: 0.01, ids: ['Discover'], calls: [], losses: [] })).toBe(
    'Critical path, 2.0 s of calls that needed each other: `Discover`. Nothing was lost beside it.'
  )
})
