import type { Step } from '../engine/resource.js'
import type { WantedIssue } from '../report/kept-issue.js'
import { gitHubAccess } from '../run/github-access.js'
import type { Run } from '../run/run.js'

/** Keeps an issue of the workflow's repository. What goes wrong with it is a warning: nothing depends on it. */
export async function keepIssueOf(
  run: Pick<Run, 'ports' | 'journal'>,
  wanted: WantedIssue,
  token: string,
  step: Step
): Promise<void> {
  const access = gitHubAccess(run, { token, input: 'drift-issue' }, step)
  if (access === undefined) return
  const [{ issuesOf }, { keepIssue }] = await Promise.all([
    import('../github/issues.js'),
    import('../report/kept-issue.js')
  ])
  const outcome = await keepIssue(issuesOf(access), wanted)
  step.signal.throwIfAborted()
  if (outcome.kind === 'failed') step.warning(outcome.warning)
  else if (outcome.kind !== 'none') step.note(`${outcome.kind} ${outcome.url}`)
}
