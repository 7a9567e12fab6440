import { joined } from '../engine/calls.js'
import { countAsWanted } from '../engine/changes.js'
import type { Inspection } from '../engine/resource.js'
import { PreflightError } from '../preflight/index.js'
import { type InstallPlan, planSchema } from '../report/install-plan.js'
import { errorText } from '../report/error-text.js'
import type { PlanSaid } from '../report/plan-comment-body.js'
import { planHeadline, planOutput } from '../report/plan-text.js'
import { plannedChanges } from '../plan/planned.js'
import { smokeTestLabel } from '../smoke-test/objects.js'
import { pullRequestOf } from '../github/pull-request.js'
import { gitHubAccess } from '../run/github-access.js'
import { runUrl } from '../run/ports.js'
import { type Run, stage } from '../run/run.js'
import { compared, type Compared, type Judged, judged, proofOf } from './first-half.js'

/** Mode plan: install's first half, and what would come of it. It writes nothing, takes no lock, and waits for nobody. */
export async function plan(run: Run): Promise<void> {
  run.session.writes.set(neverWrites)
  const { said, refused } = await planned(run).catch(async (error: unknown) => {
    await keepComment(run, { kind: 'failure', error: errorText(error, 'Nothing was changed.') })
    throw error
  })
  await keepComment(run, said)
  if (refused !== undefined) throw refused
}

/** Compares, asks whether an install would go on, and says what it would do, to log, outputs, summary and report. */
async function planned(
  run: Run
): Promise<{ readonly said: PlanSaid; readonly refused: PreflightError | undefined }> {
  const seen = await compared(run, 'are noted')
  const outcome = await judgedOrRefused(seen)
  const inspections = await joined(seen.comparing)
  const of = planOf(seen, inspections, outcome)
  await stage(run, 'Plan', async (step) => {
    run.ledger.plan(of)
    Object.assign(run.outputs, { changes: String(of.changes), plan: planOutput(of) })
    step.note(`${planHeadline(of)}; nothing was written`)
    if (of.changes > 0 && outcome.refused === undefined)
      step.note(
        'whether the role of the install may do all of it is asked by the install: a plan has a role that reads'
      )
  })
  const upgrade = outcome.refused === undefined ? outcome.judged.upgrade : undefined
  const notes = run.ledger.preflighted
  return {
    said: { kind: 'plan', plan: of, upgrade, ignored: seen.ignored(), notes },
    refused: outcome.refused
  }
}

/** With `comment`: the comment of the cluster follows the plan. What goes wrong with it fails nothing. */
async function keepComment(run: Run, said: PlanSaid): Promise<void> {
  const { inputs, ports, session, signal } = run
  const { commentToken: token } = inputs.plan
  if (token === undefined || signal.aborted) return
  await stage(run, 'Comment', async (step) => {
    const access = gitHubAccess(run, { token, input: 'comment' }, step)
    const account = await session
      .aws()
      .then((aws) => aws.account.id)
      .catch(() => undefined)
    const pullRequest = pullRequestOf(ports)
    if (access === undefined || account === undefined) return
    if (pullRequest === undefined) return step.note('no comment: this run is about no pull request')
    const [{ commentsOf }, { keepPlanComment }] = await Promise.all([
      import('../github/comments.js'),
      import('../report/plan-comment.js')
    ])
    const outcome = await keepPlanComment({
      comments: commentsOf(access, pullRequest),
      repository: access.repository,
      cluster: { account, region: inputs.region, name: inputs.clusterName },
      said,
      run: runUrl(ports.env)
    })
    step.signal.throwIfAborted()
    if (outcome.kind === 'failed') step.warning(outcome.warning)
    else if (outcome.kind === 'not allowed') step.note(outcome.note)
    else if (outcome.kind !== 'none') step.note(`${outcome.kind} ${outcome.url}`)
  })
}

/** What came of asking whether an install would go on. */
type Outcome = { readonly refused: PreflightError } | { readonly refused: undefined; readonly judged: Judged }

/** A refusal ends the run as it ends an install, once it is said what the install would have done. */
async function judgedOrRefused(seen: Compared): Promise<Outcome> {
  try {
    return { refused: undefined, judged: await judged(seen) }
  } catch (error) {
    if (error instanceof PreflightError) return { refused: error }
    throw error
  }
}

function planOf(
  { run, graph, found, decisions, ignored }: Compared,
  inspections: ReadonlyMap<string, Inspection>,
  outcome: Outcome
): InstallPlan {
  const resources = [
    ...plannedChanges(graph, inspections, found, decisions.version),
    ...(outcome.refused === undefined && outcome.judged.leftovers ? [leftovers] : [])
  ]
  const nodes = outcome.refused === undefined ? outcome.judged.upgrade?.nodes : undefined
  const proof = outcome.refused === undefined ? proofOf(outcome.judged) : undefined
  return {
    schema: planSchema,
    cluster: { name: run.inputs.clusterName, region: run.inputs.region },
    karpenter: {
      ...(decisions.installed !== undefined && { installed: decisions.installed }),
      wanted: decisions.version
    },
    changes: resources.length,
    resources,
    asWanted: countAsWanted(inspections),
    ignored: ignored().length,
    refusals: outcome.refused?.refusals ?? [],
    ...(nodes !== undefined && {
      nodes: { replaced: nodes.replaced, mayBeReplaced: nodes.mayBeReplaced }
    }),
    smokeTestPods: proof?.replicas ?? 0
  }
}

const leftovers: InstallPlan['resources'][number] = {
  id: 'smoke-test',
  title: `NodePools and pods with the label ${smokeTestLabel}`,
  layer: 'karpenter',
  action: 'remove',
  differences: [
    {
      path: '',
      wanted: undefined,
      live: undefined,
      reason: 'an earlier smoke test left them',
      severity: 'changes behaviour'
    }
  ]
}

/** Nothing in this mode is to write; what would is a mistake of ours, and is stopped. */
async function neverWrites(): Promise<void> {
  return Promise.reject(new Error('mode plan: a write was about to be sent; nothing was written'))
}
