import { decide } from './decisions.js'
import { discover, type Discovery, installRecord } from './discovery.js'
import type { Graph } from './engine/graph.js'
import type { InstallRecord } from './engine/record.js'
import type { Inspection, Step } from './engine/resource.js'
import { applyAll, inspectAll, type Outcome } from './engine/walk.js'
import type { Ownership } from './environment.js'
import type { Inputs } from './inputs.js'
import { keepRecord, withLock } from './lock-and-record.js'
import { model } from './model.js'
import type { Outputs } from './outputs.js'
import { type Ports, runUrl } from './ports.js'
import { preflight } from './checks.js'
import { throwRefusals } from './refusals.js'
import { noteDecisions, noteSmokeTest, notProvedAgain, planLines } from './report/install-notes.js'
import type { RunJournal } from './report/journal.js'
import type { Ledger } from './report/ledger.js'
import type { Session } from './session.js'
import { proveScaling } from './smoke-test/prove-scaling.js'

export interface InstallRun {
  readonly inputs: Inputs
  readonly ports: Ports
  readonly session: Session
  readonly journal: RunJournal
  readonly ledger: Ledger
  /** Filled as facts become known. */
  readonly outputs: Outputs
  readonly signal: AbortSignal
  readonly abort: (reason: unknown) => void
}

/** Mode install: discover, decide, check, compare, apply what differs, prove that it scales. */
export async function install(run: InstallRun): Promise<void> {
  const { inputs, ports, session, ledger } = run
  const found = await stage(run, 'Discover', async (step) => discover(inputs, session, step))
  const decisions = await stage(run, 'Decide', async (step) => decide(inputs, found, session, ports, step))
  noteDecisions(run, found, decisions)
  const ownership: Ownership = { owner: 'setup-karpenter', run: runUrl(ports.env) }
  const graph = model({ inputs, found, decisions, ownership, keep: (name, text) => ledger.keep(name, text) })
  await stage(run, 'Preflight', async (step) => preflight({ inputs, found, decisions }, step))
  const inspections = await compare(run, graph)
  throwRefusals(inspections)
  const changes = differs(inspections)
  const proof = changes || found.record?.smokeTest === undefined ? inputs.smokeTest : undefined
  if (!changes && proof === undefined) {
    await apply(run, graph, inspections)
    notProvedAgain(run, found)
    return
  }
  await withLock(run, found, async (waited) => {
    // Whoever held the lock has changed what was read before.
    const now = waited ? await compare(run, graph) : inspections
    const previous = waited ? await latestRecord(run, found) : found.record
    const record = keepRecord(run, found.kubernetes, previous, decisions.version, graph, now)
    if (changes) await record.ahead()
    await apply(run, graph, now)
    if (changes) await record.installed()
    if (proof === undefined) return
    const result = await stage(run, 'Smoke test', async (step) =>
      proveScaling({ test: proof, inputs, found, decisions, ownership }, step)
    )
    noteSmokeTest(run, result)
    await record.proved()
  })
}

async function compare(run: InstallRun, graph: Graph): Promise<ReadonlyMap<string, Inspection>> {
  return stage(run, 'Compare', async (step) => {
    const inspections = await inspectAll(graph, step.signal)
    for (const line of planLines(graph, inspections)) step.note(line)
    return inspections
  })
}

async function latestRecord(run: InstallRun, found: Discovery): Promise<InstallRecord | undefined> {
  return stage(run, 'Record', async (step) => installRecord(found.kubernetes, step))
}

function differs(inspections: ReadonlyMap<string, Inspection>): boolean {
  return [...inspections.values()].some((inspection) => inspection.state !== 'as wanted')
}

async function apply(
  run: InstallRun,
  graph: Graph,
  inspections: ReadonlyMap<string, Inspection>
): Promise<void> {
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

/** A stage under its own group in the log, its seconds in the report. */
async function stage<T>(run: InstallRun, name: string, work: (step: Step) => Promise<T>): Promise<T> {
  const startedAt = run.ports.clock.now()
  try {
    return await run.journal.stage(name, work)
  } finally {
    run.ledger.stage(name, (run.ports.clock.now() - startedAt) / 1000)
  }
}
