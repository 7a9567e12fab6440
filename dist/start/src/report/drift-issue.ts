import { countsOf, type Finding } from '../engine/findings.js'
import type { IgnoredField } from '../engine/ignore.js'
import { bodyOf, closingOf, commentOf, type IssueCluster, titleOf } from './drift-issue-body.js'
import type { WantedIssue } from './kept-issue.js'

export interface DriftIssueParts {
  readonly findings: readonly Finding[]
  /** What `ignore` has taken in: listed, and no reason for an issue. */
  readonly ignored: readonly IgnoredField[]
  /** Whether the check fails, as `fail-on` has it. */
  readonly fails: boolean
  readonly cluster: IssueCluster
  /** URL of the run. */
  readonly run: string
}

/**
 * The one issue of a cluster: opened when the check fails, updated in place while it does, closed when nothing has
 * drifted, is unread or does not work any more.
 */
export function driftIssue({ findings, ignored, fails, cluster, run }: DriftIssueParts): WantedIssue {
  const { drift, unhealthy, unknown } = countsOf(findings)
  const well = drift === 0 && unhealthy === 0 && unknown === 0
  return {
    key: cluster.arn,
    state: fails ? 'open' : well ? 'closed' : 'as it is',
    title: titleOf(cluster, findings),
    body: bodyOf(cluster, { findings, ignored }, run),
    comment: commentOf(cluster, findings, run),
    closing: closingOf(findings, run)
  }
}
