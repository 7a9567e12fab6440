import { clusterRows, needsALook } from '../../src/report/clusters.js'
import { clustersHeadline, clustersIssue, clustersText } from '../../src/report/clusters-summary.js'
import { mostCharacters } from '../../src/report/kept-issue.js'

const run = 'https://github.com/octo-org/octo-repo/actions/runs/7/attempts/1'

interface Given {
  readonly name: string
  readonly region?: string
  readonly mode?: string
  readonly result?: string
  readonly headline?: string
  readonly counts?: Readonly<Record<string, number>>
  readonly startedAt?: string
  readonly error?: string
  readonly plan?: { readonly changes: number }
  readonly nodesAdded?: readonly number[]
}

function report(given: Given): { readonly source: string; readonly text: string } {
  const { name, region = 'eu-west-1', nodesAdded = [], mode = 'check', ...rest } = given
  const text = JSON.stringify({
    schema: 'setup-karpenter/report/v1',
    mode,
    result: 'succeeded',
    headline: 'all as installed',
    startedAt: '2026-11-30T05:17:00.000Z',
    seconds: 2.5,
    run,
    cluster: { name, region, account: '111122223333', kubernetesVersion: '1.35' },
    karpenterVersion: '1.15.2',
    smokeTests: nodesAdded.map((count) => ({ nodePool: 'default', nodesAdded: count })),
    ...rest
  })
  return { source: `reports/${name}.json`, text }
}

const counts = { drift: 0, unhealthy: 0, pending: 0, unknown: 0 }

describe('clusterRows', () => {
  it('takes from each report what the table shows', () => {
    expect(clusterRows([report({ name: 'green', counts, nodesAdded: [2, 3] })], [])).toEqual([
      {
        name: 'green',
        region: 'eu-west-1',
        state: 'well',
        headline: 'all as installed',
        mode: 'check',
        karpenter: '1.15.2',
        kubernetes: '1.35',
        counts,
        nodesAdded: 5,
        seconds: 2.5,
        run
      }
    ])
  })

  it('puts the worst first, and of equals the first by name and region', () => {
    const rows = clusterRows(
      [
        report({ name: 'well', counts }),
        report({ name: 'pending', counts: { ...counts, pending: 4 } }),
        report({ name: 'unread', counts: { ...counts, unknown: 1, pending: 1 }, result: 'failed' }),
        report({ name: 'drifted', counts: { ...counts, drift: 1 }, result: 'failed' }),
        report({ name: 'ill', counts: { ...counts, drift: 3, unhealthy: 1 }, result: 'failed' }),
        report({ name: 'refused', mode: 'install', result: 'failed', error: 'one\ntwo' }),
        report({ name: 'stopped', mode: 'install', result: 'cancelled' }),
        report({ name: 'also-well', region: 'us-east-1', mode: 'install' }),
        report({ name: 'also-well', mode: 'install' })
      ],
      [
        { name: 'well', region: 'eu-west-1' },
        { name: 'well', region: 'us-east-1' }
      ]
    )
    expect(rows.map(({ name, region, state }) => `${name} ${region}: ${state}`)).toEqual([
      'well us-east-1: no report',
      'refused eu-west-1: failed',
      'stopped eu-west-1: failed',
      'ill eu-west-1: unhealthy',
      'drifted eu-west-1: drift',
      'unread eu-west-1: unknown',
      'pending eu-west-1: pending',
      'also-well eu-west-1: well',
      'also-well us-east-1: well',
      'well eu-west-1: well'
    ])
    expect(rows.filter(needsALook)).toHaveLength(6)
    expect(rows[1]?.error).toBe('one')
    expect(clustersHeadline(rows)).toBe('6 need a look, 1 pending')
  })

  it('has as pending what a plan would change', () => {
    const plans = [0, 3].map((changes) => report({ name: `n${changes}`, mode: 'plan', plan: { changes } }))
    expect(clusterRows(plans, []).map(({ name, state }) => `${name} ${state}`)).toEqual([
      'n3 pending',
      'n0 well'
    ])
  })

  it('takes the last of two reports of one cluster and mode', () => {
    const first = report({ name: 'green', result: 'failed' })
    const second = report({ name: 'green', startedAt: '2026-11-30T06:00:00.000Z' })
    expect(clusterRows([second, first], []).map(({ state }) => state)).toEqual(['well'])
    expect(clusterRows([second, report({ name: 'green', mode: 'install' })], [])).toHaveLength(2)
  })

  it.each([
    ['no JSON', '{"schema":', 'it is no JSON'],
    ['another thing', '[1]', 'it is no report of this action'],
    [
      'of a shape to come',
      JSON.stringify({ schema: 'setup-karpenter/report/v2', cluster: { name: 'a', region: 'b' } }),
      'its schema is setup-karpenter/report/v2'
    ]
  ])('a file that is %s has a row that says so', (_what, text, reason) => {
    const [row] = clusterRows([{ source: 'reports/x.json', text }], [])
    expect(row).toMatchObject({
      name: 'reports/x.json',
      state: 'no report',
      headline: 'report cannot be read'
    })
    expect(row?.error).toContain(reason)
  })
})

describe('forty clusters', () => {
  const forty = Array.from({ length: 40 }, (_, index) =>
    report({
      name: `cluster-${String(index).padStart(2, '0')}`,
      counts: { ...counts, drift: index % 10 === 3 ? 2 : 0 },
      ...(index % 10 === 3 && {
        result: 'failed',
        headline: '2 drift',
        error: `Karpenter on cluster-${index}: 2 drift`
      })
    })
  )
  const rows = clusterRows(forty, [])

  it('are one table, those that have drifted first, with what they said below it', () => {
    const text = clustersText(rows)
    const lines = text.split('\n').filter((line) => line.startsWith('| `'))
    expect(lines).toHaveLength(40)
    expect(lines[0]).toBe('| `cluster-03`<br>eu-west-1 | **2 drift** | 1.15.2 on Kubernetes 1.35<br>2.5 s |')
    expect(lines[4]).toContain('| all as installed |')
    expect(text.split('\n')[0]).toBe('## Karpenter on 40 clusters: 4 need a look')
    expect(text).toContain(`- \`cluster-03\`, [run](${run}): Karpenter on cluster-3: 2 drift`)
  })

  it('have one issue, known by the workflow, open while one of them needs a look', () => {
    const issue = clustersIssue(rows, 'Check Karpenter', run)
    expect(issue).toMatchObject({ key: 'clusters of Check Karpenter', state: 'open' })
    expect(issue.body).toContain('4 of 40 clusters need a look.')
    expect(issue.body).toContain('<!-- setup-karpenter: clusters of Check Karpenter -->')
    expect(issue.body.match(/^\| `/gm)).toHaveLength(4)
    const well = clustersIssue(clusterRows([report({ name: 'green', counts })], []), 'x', run)
    expect(well).toMatchObject({ state: 'closed', closing: `All clusters (1) are well, as ${run} has seen.` })
  })
})

test('what a report says cannot break out of the table, and no issue is longer than GitHub takes', () => {
  const hostile = Array.from({ length: 700 }, (_, index) =>
    report({
      name: `n${index}`,
      result: 'failed',
      headline: '| <img src=x> @octo-org/all\n'.repeat(20),
      error: '::set-output name=a::b'
    })
  )
  const rows = clusterRows(hostile, [])
  const issue = clustersIssue(rows, '--> <script>', run)
  expect(issue.body.length).toBeLessThanOrEqual(mostCharacters)
  expect(issue.body).toMatch(/and \d+ more/)
  expect(issue.body).not.toMatch(/<img|<script|@octo-org/)
  expect(clustersText(rows)).not.toMatch(/<img|@octo-org/)
})
