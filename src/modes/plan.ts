import type { Inspection } from '../engine/resource.js'
import { PreflightError } from '../preflight/index.js'
import { type InstallPlan, planSchema } from '../report/install-plan.js'
import { planHeadline, planOutput } from '../report/plan-text.js'
import { plannedChanges } from '../plan/planned.js'
import { smokeTestLabel } from '../smoke-test/objects.js'
import { type Run, stage } from '../run/run.js'
import { compared, type Compared, type Judged, judged, proofOf } from './first-half.js'

/** Mode plan: install's first half, and what would come of it. It writes nothing, takes no lock, and waits for nobody. */
export async function plan(run: Run): Promise<void> {
  run.session.writes.set(neverWrites)
  const seen = await compared(run, 'are noted')
  const inspections = await seen.comparing
  const outcome = await judgedOrRefused(seen)
  await stage(run, 'Plan', async (step) => {
    const planned = planOf(seen, inspections, outcome)
    run.ledger.plan(planned)
    Object.assign(run.outputs, { changes: String(planned.changes), plan: planOutput(planned) })
    step.note(`${planHeadline(planned)}; nothing was written`)
    if (planned.changes > 0 && outcome.refused === undefined)
      step.note(
        'whether the role of the install may do all of it is asked by the install: a plan has a role that reads'
      )
  })
  if (outcome.refused !== undefined) throw outcome.refused
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
  { run, graph, found, decisions }: Compared,
  inspections: ReadonlyMap<string, Inspection>,
  outcome: Outcome
): InstallPlan {
  const resources = [
    ...plannedChanges(graph, inspections, found),
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
    asWanted: [...inspections.values()].filter(({ state }) => state === 'as wanted').length,
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
