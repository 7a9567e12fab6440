import { apart, begun, joined } from './calls.js'
import type { Graph } from './graph.js'
import type { AnyResource, Inspection, Removal, Step } from './resource.js'
import type { Claim } from './standing.js'

/** What became of one resource in a walk. */
export interface Outcome {
  readonly id: string
  readonly result: 'as wanted' | 'applied' | 'failed' | 'not tried'
  /** Lines of what was changed. */
  readonly changes: readonly string[]
  readonly startedAt: number
  readonly endedAt: number
  readonly error?: unknown
}

/** When a resource was worked at: milliseconds since the epoch. */
export type Timed = Pick<Outcome, 'id' | 'startedAt' | 'endedAt'>

/** Gives each resource its own Step, and hears when its work begins and ends. */
export interface Journal {
  step(id: string): { readonly step: Step; readonly changes: () => readonly string[] }
  begin(id: string): void
  end(outcome: Outcome): void
}

/** Reads every resource at once; a read waits for none other. */
export async function inspectAll(
  graph: Graph,
  signal: AbortSignal
): Promise<ReadonlyMap<string, Inspection>> {
  const inspections = await Promise.all(
    graph.resources.map(async (resource) => apart(async () => resource.inspect(signal)))
  )
  return new Map(inspections.map((inspection) => [inspection.resource.id, inspection]))
}

/**
 * Applies what differs, each resource as soon as its own dependencies are done, or written where it needs no more of them.
 * After a failure nothing more is begun, whether it depends on what failed or not; what is under way is finished, so that
 * nothing is left half written. What could not be read fails, and nothing is written to it.
 */
export async function applyAll(
  graph: Graph,
  inspections: ReadonlyMap<string, Inspection>,
  journal: Journal,
  now: () => number
): Promise<readonly Outcome[]> {
  const writings = new Map<string, Promise<Written>>()
  const outcomes = new Map<string, Promise<Outcome>>()
  const run = { failed: false }
  for (const resource of graph.resources) {
    const { id, dependsOn, onceWritten = [] } = resource
    const done = underWay(
      outcomes,
      dependsOn.filter((one) => !onceWritten.includes(one))
    )
    const written = underWay(writings, onceWritten)
    const last = underWay(outcomes, onceWritten)
    const inspection = inspections.get(id)
    const writing = begun(
      async (): Promise<Written> => {
        const before = [
          ...(await Promise.all(done.map(joined))),
          ...(await Promise.all(written.map(joined))).flatMap(({ ended = [] }) => ended)
        ]
        if (before.some(isBlocking) || run.failed || inspection === undefined)
          return { ended: notTried(id, now()) }
        const own = await writeOne(inspection, journal, now)
        if (own.ended?.result === 'failed') run.failed = true
        return own
      },
      { unit: id }
    )
    writings.set(id, writing)
    outcomes.set(
      id,
      begun(
        async () => {
          const own = await joined(writing)
          if (own.ended !== undefined) return own.ended
          const outcome = await own.settled((await Promise.all(last.map(joined))).some(isBlocking))
          if (outcome.result === 'failed') run.failed = true
          return outcome
        },
        { unit: id }
      )
    )
  }
  return Promise.all([...outcomes.values()].map(joined))
}

function isBlocking({ result }: Outcome): boolean {
  return result === 'failed' || result === 'not tried'
}

/** A resource that was written, or found as wanted, and whose work has still to be waited for; or one that has ended. */
type Written =
  | { readonly ended: Outcome }
  | {
      readonly ended?: undefined
      /** `isIdle`: what it works with has failed, so that its work is not waited for. */
      readonly settled: (isIdle: boolean) => Promise<Outcome>
    }

async function writeOne(inspection: Inspection, journal: Journal, now: () => number): Promise<Written> {
  const { id } = inspection.resource
  const { step, changes } = journal.step(id)
  const startedAt = now()
  const ended = (result: Outcome['result'], error?: unknown): Outcome => {
    const outcome = {
      id,
      result,
      changes: changes(),
      startedAt,
      endedAt: now(),
      ...(error !== undefined && { error })
    }
    journal.end(outcome)
    return outcome
  }
  journal.begin(id)
  try {
    step.signal.throwIfAborted()
    if (inspection.differences.length > 0 || inspection.state === 'unreadable') await inspection.apply(step)
  } catch (error) {
    step.waiting(undefined)
    return { ended: ended('failed', error) }
  }
  return {
    settled: async (isIdle) => {
      let failure: { readonly error: unknown } | undefined
      try {
        if (!isIdle) await inspection.settle(step)
      } catch (error) {
        failure = { error }
      } finally {
        step.waiting(undefined)
      }
      if (failure !== undefined) return ended('failed', failure.error)
      return ended(changes().length > 0 ? 'applied' : isIdle ? 'not tried' : 'as wanted')
    }
  }
}

function underWay<T>(outcomes: ReadonlyMap<string, Promise<T>>, ids: readonly string[]): Promise<T>[] {
  return ids.flatMap((id) => outcomes.get(id) ?? [])
}

function notTried(id: string, at: number): Outcome {
  return { id, result: 'not tried', changes: [], startedAt: at, endedAt: at }
}

/** What became of one resource in a removal. */
export interface RemovalOutcome {
  readonly id: string
  readonly removal:
    Removal | { readonly outcome: 'failed'; readonly error: unknown } | { readonly outcome: 'not tried' }
  /** It goes on working when it is kept, so what it depends on is kept as well. */
  readonly inUse: boolean
  /** Lines of what was changed. */
  readonly changes: readonly string[]
  readonly startedAt: number
  readonly endedAt: number
}

/**
 * Removes backward: a resource goes when all that depend on it are gone. What a failure keeps in place is not tried, what
 * a kept resource works with is kept; the rest goes, so that as little as possible stays. `claims`: by id.
 */
export async function removeAll(
  graph: Graph,
  claims: ReadonlyMap<string, Claim>,
  journal: Journal,
  now: () => number
): Promise<readonly RemovalOutcome[]> {
  const outcomes = new Map<string, Promise<RemovalOutcome>>()
  for (const resource of graph.resources.toReversed()) {
    const after = underWay(outcomes, graph.dependants(resource.id))
    outcomes.set(
      resource.id,
      begun(
        async (): Promise<RemovalOutcome> => {
          const ended = await Promise.all(after.map(joined))
          const blocked = ended.some(
            (outcome) => outcome.removal.outcome === 'failed' || outcome.removal.outcome === 'not tried'
          )
          const user = ended.find(({ removal, inUse }) => removal.outcome === 'kept' && inUse)
          const claim = claims.get(resource.id) ?? { removeAdopted: false }
          if (!blocked && user === undefined) return removeOne(resource, claim, journal, now)
          const { id, changes, startedAt, endedAt } = notTried(resource.id, now())
          const removal = blocked
            ? ({ outcome: 'not tried' } as const)
            : ({ outcome: 'kept', reason: `${graph.titleOf(user?.id ?? '')} needs it` } as const)
          return { id, changes, startedAt, endedAt, removal, inUse: user !== undefined }
        },
        { unit: resource.id }
      )
    )
  }
  return Promise.all([...outcomes.values()].map(joined))
}

async function removeOne(
  resource: AnyResource,
  claim: Claim,
  journal: Journal,
  now: () => number
): Promise<RemovalOutcome> {
  const { id } = resource
  const { step, changes } = journal.step(id)
  const startedAt = now()
  journal.begin(id)
  let removal: RemovalOutcome['removal']
  try {
    step.signal.throwIfAborted()
    removal = await resource.remove(step, claim)
    if (removal.outcome === 'kept') step.note(`kept: ${removal.reason}`)
  } catch (error) {
    removal = { outcome: 'failed', error }
  } finally {
    step.waiting(undefined)
  }
  const outcome = { id, changes: changes(), startedAt, endedAt: now() }
  journal.end({
    ...outcome,
    ...(removal.outcome === 'failed'
      ? { result: 'failed', error: removal.error }
      : { result: outcome.changes.length > 0 ? 'applied' : 'as wanted' })
  })
  return { ...outcome, removal, inUse: resource.works }
}
