import { countsOf, type Finding } from '../engine/findings.js'
import type { Issue, Issues } from '../github/issues.js'
import { bodyOf, commentOf, isOf, type IssueCluster, setIn, setOf, titleOf } from './drift-issue-body.js'
import { gitHubProblem } from './github-problem.js'

/** By it the issues are listed. */
export const driftLabel = 'karpenter-drift'

export interface DriftIssueParts {
  readonly issues: Issues
  readonly findings: readonly Finding[]
  /** Whether the check fails, as `fail-on` has it. */
  readonly fails: boolean
  readonly cluster: IssueCluster
  /** URL of the run. */
  readonly run: string
}

export type DriftIssueOutcome =
  | { readonly kind: 'none' }
  | { readonly kind: 'opened' | 'updated' | 'reopened' | 'closed'; readonly url: string }
  /** One sentence with what to do; no reason to fail a check. */
  | { readonly kind: 'failed'; readonly warning: string }

/**
 * Keeps the one issue of a cluster: opened when the check fails, updated in place while it does, closed when
 * nothing has drifted, is unread or does not work any more. Other clusters' issues and those of people are not touched.
 */
export async function keepDriftIssue(parts: DriftIssueParts): Promise<DriftIssueOutcome> {
  try {
    return await keep(parts)
  } catch (error) {
    const warning = gitHubProblem(error, {
      what: `drift-issue: the issue in ${parts.issues.repository}`,
      permission: 'issues: write',
      input: 'drift-issue',
      again: 'check'
    })
    return { kind: 'failed', warning }
  }
}

async function keep(parts: DriftIssueParts): Promise<DriftIssueOutcome> {
  const { issues, findings, fails, cluster } = parts
  const own = (await issues.labelled(driftLabel)).filter(({ body }) => isOf(body, cluster.arn))
  const found = own.find(({ state }) => state === 'open') ?? own[0]
  const { drift, unhealthy, unknown } = countsOf(findings)
  if (fails) return found === undefined ? open(parts) : write(parts, found)
  if (found?.state !== 'open') return { kind: 'none' }
  return drift === 0 && unhealthy === 0 && unknown === 0 ? close(parts, found) : write(parts, found)
}

async function open({ issues, findings, cluster, run }: DriftIssueParts): Promise<DriftIssueOutcome> {
  const issue = await issues.create({
    title: titleOf(cluster, findings),
    body: bodyOf(cluster, findings, run),
    labels: [driftLabel]
  })
  // GitHub drops the labels of whoever may not set them, and without its label no check finds the issue again.
  if (issue.labels.includes(driftLabel)) return { kind: 'opened', url: issue.url }
  return {
    kind: 'failed',
    warning: `drift-issue: ${issue.url} was opened without its label; set the label ${driftLabel} on it, and give github-token \`issues: write\``
  }
}

async function write(parts: DriftIssueParts, found: Issue): Promise<DriftIssueOutcome> {
  const { issues, findings, cluster, run } = parts
  const reopened = found.state === 'closed'
  const changed = reopened || setIn(found.body) !== setOf(findings)
  await issues.update(found.number, {
    title: titleOf(cluster, findings),
    body: bodyOf(cluster, findings, run),
    ...(reopened && { state: 'open' })
  })
  if (changed) await issues.comment(found.number, commentOf(cluster, findings, run))
  return { kind: reopened ? 'reopened' : 'updated', url: found.url }
}

async function close({ issues, findings, run }: DriftIssueParts, found: Issue): Promise<DriftIssueOutcome> {
  const { pending } = countsOf(findings)
  const rest = pending === 0 ? '' : ` ${pending} pending: the next \`mode: install\` applies it.`
  await issues.comment(
    found.number,
    `Nothing drifts any more, and what is installed works, as ${run} has seen.${rest}`
  )
  await issues.update(found.number, { state: 'closed' })
  return { kind: 'closed', url: found.url }
}
