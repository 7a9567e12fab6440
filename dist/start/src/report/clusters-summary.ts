import type { ClusterRow } from './clusters.js'
import { needsALook } from './clusters.js'
import { mostCharacters, markerOf, rowsWithin, setLine, type WantedIssue } from './kept-issue.js'
import { code, cut, joined, list, literal, markdown, seconds, table, type Text } from './markdown.js'

/** GitHub's matrix makes 256 jobs at most, and so do three waves of it three times as many rows. */
const mostRows = 800
const mostInError = 300

/** The job summary of mode combine: the verdict, one table for all clusters, worst first, and what the worst said. */
export function clustersText(rows: readonly ClusterRow[]): string {
  const parts = [
    `## Karpenter on ${rows.length} ${rows.length === 1 ? 'cluster' : 'clusters'}: ${clustersHeadline(rows)}`,
    tableOf(rows),
    reasonsOf(rows)
  ]
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`
}

/** `2 need a look, 1 pending`, or that all are well. */
export function clustersHeadline(rows: readonly ClusterRow[]): string {
  const look = rows.filter(needsALook).length
  const pending = rows.filter(({ state }) => state === 'pending').length
  const parts = [
    ...(look > 0 ? [`${look} ${look === 1 ? 'needs' : 'need'} a look`] : []),
    ...(pending > 0 ? [`${pending} pending`] : [])
  ]
  return parts.length === 0 ? 'all well' : parts.join(', ')
}

/** A line of the log. */
export function clusterLine(row: ClusterRow): string {
  const { name, region, headline, karpenter, error } = row
  const where = region === '' ? name : `${name} (${region})`
  const version = karpenter === undefined ? '' : `, Karpenter ${karpenter}`
  return `${where}: ${headline}${version}${needsALook(row) && error !== undefined ? `; ${error}` : ''}`
}

/** The one issue of a workflow over many clusters: open while one of them needs a look. */
export function clustersIssue(rows: readonly ClusterRow[], workflow: string, run: string): WantedIssue {
  const bad = rows.filter(needsALook)
  const verdict = `${bad.length} of ${rows.length} clusters ${bad.length === 1 ? 'needs' : 'need'} a look.`
  const key = `clusters of ${workflow}`
  const found = setLine(bad.map(({ name, region, state }) => [name, region, state]))
  const before = [verdict, '', markerOf(key), found, ''].join('\n')
  const after = `\n\nSeen by ${run}, whose summary has every cluster. This issue is closed by the first run that finds all well.`
  const [head = '', rule = '', ...lines] = tableOf(bad).split('\n')
  const fitting = rowsWithin(lines, mostCharacters - before.length - after.length - head.length - 200)
  const more = fitting.length === lines.length ? '' : `\n\nand ${lines.length - fitting.length} more`
  return {
    key,
    state: bad.length > 0 ? 'open' : 'closed',
    title: 'Karpenter: clusters need a look',
    body: `${before}\n${[head, rule, ...fitting].join('\n')}${more}${after}`,
    comment: [verdict, '', list('Clusters', bad.map(clusterLine), 20), '', `Seen by ${run}.`].join('\n'),
    closing: `All clusters (${rows.length}) are well, as ${run} has seen.`
  }
}

/** Three columns, so that a phone shows them side by side. How many of what is in the headline. */
function tableOf(rows: readonly ClusterRow[]): string {
  const shown = rows.slice(0, mostRows).map((row): readonly Text[] => [
    joined([code(row.name), ...(row.region === '' ? [] : [row.region])], '<br>'),
    needsALook(row) ? joined([markdown('**'), row.headline, markdown('**')], '') : row.headline,
    joined(
      [versionsOf(row), resultOf(row)].filter((line) => line !== ''),
      '<br>'
    )
  ])
  return table(['Cluster', 'Found', 'Karpenter'], shown)
}

/** `1.15.2 on Kubernetes 1.35` */
function versionsOf({ karpenter, kubernetes }: ClusterRow): string {
  return [
    ...(karpenter === undefined ? [] : [karpenter]),
    ...(kubernetes === undefined ? [] : [`on Kubernetes ${kubernetes}`])
  ].join(' ')
}

/** `2 nodes added, 48.1 s` */
function resultOf({ nodesAdded, seconds: took }: ClusterRow): string {
  const nodes = nodesAdded === undefined ? [] : [`${nodesAdded} ${nodesAdded === 1 ? 'node' : 'nodes'} added`]
  return [...nodes, ...(took === undefined ? [] : [seconds(took)])].join(', ')
}

function reasonsOf(rows: readonly ClusterRow[]): string {
  const lines = rows.filter(needsALook).map((row): Text => {
    const run = row.run?.startsWith('https://') ? `, [run](${encodeURI(row.run)})` : ''
    const said = literal(cut(row.error ?? row.headline, mostInError))
    return joined([code(row.name), markdown(run), markdown(`: ${said}`)], '')
  })
  return list('Look at', lines, 50)
}
