import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { UserError } from '../engine/errors.js'
import type { CombineInputs } from '../inputs/inputs.js'
import { clusterRows, type ClusterRow, clustersSchema } from '../report/clusters.js'
import { clusterLine, clustersHeadline, clustersIssue, clustersText } from '../report/clusters-summary.js'
import { RunJournal } from '../report/journal.js'
import { runSignal } from '../run/cancel.js'
import type { Outputs } from '../run/outputs.js'
import { type Ports, runUrl } from '../run/ports.js'
import { keepIssueOf } from './keep-issue.js'

/** Only an issue takes a call. */
const mostSeconds = 300

/**
 * Mode combine: one table of what runs on many clusters have reported, worst first. It calls no cluster, and a cluster that
 * is not well fails its own job and not this one.
 */
export async function combine(inputs: CombineInputs, ports: Ports): Promise<Outputs> {
  const { signal, close } = runSignal(ports.signals, ports.timer, mostSeconds)
  const journal = new RunJournal(ports.runner, ports.clock, signal)
  try {
    const rows = await journal.stage('Clusters', async (step) => {
      const found = clusterRows(inputs.reports, inputs.clusters)
      for (const row of found) step.note(clusterLine(row))
      return Promise.resolve(found)
    })
    if (rows.length === 0)
      throw new UserError(
        'reports',
        'no cluster has reported',
        'Give the paths of the reports that the other jobs have uploaded, and run this job with `if: !cancelled()`.'
      )
    ports.runner.info(clustersHeadline(rows))
    const outputs = { clusters: JSON.stringify(rows), ...writeRows(rows, ports) }
    if (inputs.summary) await ports.appendSummary?.(clustersText(rows))
    await keepIssue(rows, inputs, ports, journal)
    return outputs
  } finally {
    journal.close()
    close()
  }
}

/** The same as a file, to be uploaded. */
function writeRows(rows: readonly ClusterRow[], { env }: Ports): Outputs {
  const folder = env['RUNNER_TEMP']
  if (folder === undefined) return {}
  const path = join(folder, 'setup-karpenter-clusters.json')
  const combined = { schema: clustersSchema, run: runUrl(env), clusters: rows }
  writeFileSync(path, `${JSON.stringify(combined, null, 2)}\n`, { mode: 0o600 })
  return { report: path }
}

async function keepIssue(
  rows: readonly ClusterRow[],
  { issueToken }: CombineInputs,
  ports: Ports,
  journal: RunJournal
): Promise<void> {
  if (issueToken === undefined) return
  const { env } = ports
  const wanted = clustersIssue(rows, env['GITHUB_WORKFLOW'] ?? 'this workflow', runUrl(env))
  await journal.stage('Issue', async (step) => keepIssueOf({ ports, journal }, wanted, issueToken, step))
}
