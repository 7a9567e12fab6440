import { instanceStates } from './aws/instance-states.js'
import { decide, type Decisions } from './decisions.js'
import { discover, type Discovery } from './discovery.js'
import type { Graph } from './engine/graph.js'
import type { Inspection } from './engine/resource.js'
import { applyAll, type Outcome } from './engine/walk.js'
import type { SmokeTestInput } from './inputs.js'
import { keepRecord, withLock } from './lock-and-record.js'
import { model } from './model/index.js'
import { preflight } from './checks.js'
import { noteDecisions, noteSmokeTests, notProvedAgain, planLines } from './report/install-notes.js'
import { compare, ownershipOf, type Run, stage } from './run.js'
import { proveScaling } from './smoke-test/prove-scaling.js'

/** What is there, what is wanted, and how the two differ. */
interface Plan {
  readonly found: Discovery
  readonly decisions: Decisions
  readonly graph: Graph
  readonly inspections: ReadonlyMap<string, Inspection>
}

/** Mode install: discover, decide, check, compare, apply what differs, prove that it scales. */
export async function install(run: Run): Promise<void> {
  const first = await plan(run)
  const proofWanted = proofOf(run, first)
  if (!differs(first) && proofWanted === undefined) {
    await apply(run, first)
    await notProvedAgain(run, first.found)
    return
  }
  await withLock(run, first.found.kubernetes, async (waited) => {
    // Whoever held the lock has changed what was read before: version, names, and all.
    const now = waited ? await plan(run) : first
    const { found, decisions } = now
    const record = keepRecord(
      run,
      found.kubernetes,
      found.record,
      decisions.version,
      now.graph,
      now.inspections
    )
    const changes = differs(now)
    const proof = proofOf(run, now)
    if (changes) await record.ahead()
    await apply(run, now)
    if (changes) await record.installed()
    if (proof === undefined) return notProvedAgain(run, found)
    await stage(run, 'Smoke test', async (step) =>
      proveScaling(
        {
          test: proof,
          otherwise: { kind: 'first', of: decisions.nodePools.map(({ metadata }) => metadata.name) },
          namespace: run.inputs.namespace,
          kubernetes: found.kubernetes,
          instanceStates: instanceStates(found.aws),
          ownership: ownershipOf(run),
          tested: (results) => noteSmokeTests(run, results)
        },
        step
      )
    )
    await record.proved()
  })
}

/** Everything before the first write; throws what must not be gone on with. */
async function plan(run: Run): Promise<Plan> {
  const { inputs, ports, session, ledger } = run
  const found = await stage(run, 'Discover', async (step) => discover(inputs, session, step))
  const decisions = await stage(run, 'Decide', async (step) => decide(inputs, found, session, ports, step))
  noteDecisions(run, found, decisions)
  const ownership = ownershipOf(run)
  const graph = model({ inputs, found, decisions, ownership, keep: (name, text) => ledger.keep(name, text) })
  const comparing = compare(run, graph, (all) => planLines(graph, all))
  await Promise.allSettled([comparing])
  await stage(run, 'Preflight', async (step) =>
    preflight({ inputs, found, decisions, inspections: comparing }, step, (all) => ledger.preflight(all))
  )
  return { found, decisions, graph, inspections: await comparing }
}

/** A smoke test that has passed on what is unchanged since is not made again. */
function proofOf(run: Run, now: Plan): SmokeTestInput | undefined {
  return differs(now) || now.found.record?.smokeTest === undefined ? run.inputs.smokeTest : undefined
}

function differs({ inspections }: Plan): boolean {
  return [...inspections.values()].some((inspection) => inspection.state !== 'as wanted')
}

async function apply(run: Run, { graph, inspections }: Plan): Promise<void> {
  const startedAt = run.ports.clock.now()
  run.journal.titles((id) => graph.titleOf(id))
  const outcomes = await applyAll(graph, inspections, run.journal, () => run.ports.clock.now())
  run.ledger.stage('Apply', (run.ports.clock.now() - startedAt) / 1000)
  run.ledger.walk(graph, inspections, outcomes)
  throwFailures(outcomes)
}

function throwFailures(outcomes: readonly Outcome[]): void {
  const errors = outcomes.filter((outcome) => outcome.result === 'failed').map((outcome) => outcome.error)
  if (errors.length === 1) throw errors[0]
  if (errors.length > 1) throw new AggregateError(errors, `${errors.length} resources failed`)
}
