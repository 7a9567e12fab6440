import { apart } from '../engine/calls.js'
import type { Graph } from '../engine/graph.js'
import type { Inspection, Step } from '../engine/resource.js'
import { inspectAll } from '../engine/walk.js'
import type { Ownership } from '../aws/environment.js'
import type { Inputs } from '../inputs/inputs.js'
import type { Outputs } from './outputs.js'
import { type Ports, runUrl } from './ports.js'
import type { RunJournal } from '../report/journal.js'
import type { Ledger } from '../report/ledger.js'
import type { Session } from './session.js'
import { ourName } from '../engine/owner.js'

/** What every mode's flow works with. */
export interface Run {
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

/** Goes on everything that the run creates. */
export function ownershipOf(run: Run): Ownership {
  return { owner: ourName, run: runUrl(run.ports.env) }
}

/** A stage under its own group in the log, its seconds in the report. */
export async function stage<T>(run: Run, name: string, work: (step: Step) => Promise<T>): Promise<T> {
  const startedAt = run.ports.clock.now()
  try {
    return await apart(async () => run.journal.stage(name, work), { unit: name })
  } finally {
    run.ledger.stage(name, startedAt, run.ports.clock.now())
  }
}

/** Reads every resource; `lines` is what the log says of it. */
export async function compare(
  run: Run,
  graph: Graph,
  lines: (inspections: ReadonlyMap<string, Inspection>) => readonly string[],
  /** Takes out what is no difference to anybody. */
  settled: (
    inspections: ReadonlyMap<string, Inspection>,
    signal: AbortSignal
  ) => Promise<ReadonlyMap<string, Inspection>> = async (inspections) => inspections
): Promise<ReadonlyMap<string, Inspection>> {
  return stage(run, 'Compare', async (step) => {
    const inspections = await settled(await inspectAll(graph, step.signal), step.signal)
    for (const line of lines(inspections)) step.note(line)
    for (const { resource, notes = [] } of inspections.values()) {
      for (const line of notes) step.note(`${resource.title}: ${line}`)
    }
    return inspections
  })
}
