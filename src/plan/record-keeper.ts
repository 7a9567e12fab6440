import { keptBy } from '../adoption/owners/kept-by.js'
import type { Decisions } from './decisions.js'
import type { Discovery } from './discovery.js'
import type { Graph } from '../engine/graph.js'
import {
  type InstallRecord,
  type Mutation,
  nextRecord,
  recordAhead,
  type RecordFacts,
  type WalkedResource
} from '../engine/record.js'
import type { Inspection } from '../engine/resource.js'
import { factsToRecord } from '../karpenter/version-facts.js'
import type { Run } from '../run/run.js'
import type { Kubernetes } from '../kubernetes/client.js'
import { acquireLock } from '../kubernetes/lease.js'
import {
  deleteRecordValues,
  setRecordAside,
  writeRecord,
  writeRecordValues
} from '../kubernetes/record-store.js'
import { withoutValues } from './record-values.js'
import { runUrl } from '../run/ports.js'
import { smokeTestId } from '../smoke-test/objects.js'
import { clearCleanup, saveCleanup } from '../run/state.js'

/** What the work under the lock is told, and tells. */
export interface HeldLock {
  /** Another run held it before: what was read until then may have changed. */
  readonly waited: boolean
  /** Called before the first object of a smoke test is made, so that post removes what is left of it. */
  readonly smokeTestBegins: () => void
}

/**
 * Does the work under the lock of the cluster. What post must undo is saved before the lock is asked for, and forgotten
 * when the work is over and the lock is given back; on a cancel it stays, and post gives the lock back.
 */
export async function withLock(
  run: Run,
  kubernetes: Kubernetes,
  work: (held: HeldLock) => Promise<void>,
  /** Whether the Lease itself goes when the work is done: nothing of ours stays after an uninstall. */
  afterwards: 'release' | 'remove' = 'release'
): Promise<void> {
  const { inputs, ports, signal } = run
  const url = runUrl(ports.env)
  const holder = `${url}#${ports.env['GITHUB_JOB'] ?? 'job'}-${ports.env['GITHUB_ACTION'] ?? 'step'}-${process.pid}`
  const state = {
    clusterName: inputs.clusterName,
    region: inputs.region,
    namespace: inputs.namespace,
    lockHolder: holder
  }
  saveCleanup(ports.runner, { ...state, smokeTestRun: undefined })
  let waited = false
  const lock = await run.journal.stage('Lock', async (step) =>
    acquireLock(kubernetes, {
      holder,
      run: url,
      now: () => ports.clock.now(),
      pace: ports.lockPace,
      signal,
      waiting: (what) => {
        waited ||= what !== undefined
        step.waiting(what)
      },
      note: (line) => step.note(line),
      warning: (line) => run.journal.warning(line)
    })
  )
  const lost = (): void => run.abort(lock.lost.reason)
  lock.lost.addEventListener('abort', lost, { once: true })
  run.session.writes.set(lock.held)
  const giveBack = async (how: 'release' | 'remove'): Promise<void> => {
    run.session.writes.set(undefined)
    lock.lost.removeEventListener('abort', lost)
    await lock[how]()
    clearCleanup(ports.runner)
  }
  try {
    await work({
      waited,
      // Not before: whoever held the lock may have been another job of this run, with a smoke test of the same id.
      smokeTestBegins: () => saveCleanup(ports.runner, { ...state, smokeTestRun: smokeTestId(url) })
    })
  } catch (error) {
    // Why the work failed is the error; a lock that cannot be given back is post's, and then expires.
    if (!signal.aborted) await giveBack('release').catch(() => undefined)
    throw error
  } finally {
    lock.lost.removeEventListener('abort', lost)
  }
  if (!signal.aborted) await giveBack(afterwards)
}

export interface RecordKeeper {
  /** Before the first write: what is about to be created. */
  ahead(): Promise<void>
  /** After the walk; `mutated`: by id, of what was written and read back. */
  installed(mutated?: ReadonlyMap<string, readonly Mutation[]>): Promise<void>
  /** Where nothing else is to be written: the same again, with its values where they belong. */
  rewritten(): Promise<void>
  /** After a smoke test that passed. */
  proved(): Promise<void>
}

/** Writes the record of this run at its three moments. */
export function keepRecord(
  run: Run,
  now: {
    readonly found: Pick<Discovery, 'kubernetes' | 'record' | 'brokenRecord' | 'adopted'> & {
      readonly cluster: Pick<Discovery['cluster'], 'kubernetesVersion'>
    }
    readonly decisions: Pick<Decisions, 'version' | 'facts' | 'provedChart'>
    readonly graph: Graph
    readonly inspections: ReadonlyMap<string, Inspection>
    /** Ids of what has the discovery tag and was not chosen. */
    readonly alsoTagged?: () => Promise<readonly string[] | undefined>
  }
): RecordKeeper {
  const { record: previous, kubernetes, adopted, cluster } = now.found
  const known = factsToRecord(now.decisions.facts)
  const { provedChart } = now.decisions
  const url = runUrl(run.ports.env)
  const facts = (): RecordFacts => ({
    karpenterVersion: now.decisions.version,
    kubernetesVersion: cluster.kubernetesVersion,
    ...(known !== undefined && { facts: known }),
    ...(adopted !== undefined && { adoption: adopted.adoption }),
    ...(provedChart !== undefined && { provedChart }),
    run: url,
    time: new Date(run.ports.clock.now()).toISOString()
  })
  // What comes into the model later, and is there by then, is somebody's who was never asked about it.
  const takesOver = adopted !== undefined && previous?.adoption === undefined
  let resources = now.graph.resources.map(({ id, wanted }): WalkedResource => {
    const inspection = now.inspections.get(id)
    return {
      id,
      wanted,
      // Without a record the marks say what is our work.
      found: previous === undefined && isOurs(inspection, now.inspections) ? [] : (inspection?.present ?? []),
      ...(takesOver && isTakenOver(inspection, now.inspections) && { adopted: true })
    }
  })
  const tagged = async (): Promise<Pick<InstallRecord, 'alsoTagged'>> => {
    const ids = await now.alsoTagged?.()
    return ids === undefined ? {} : { alsoTagged: ids }
  }
  let aside = now.found.brokenRecord !== undefined
  let standing = previous
  const write = async (record: InstallRecord): Promise<void> => {
    if (aside) await setRecordAside(kubernetes)
    aside = false
    const { open, values } = withoutValues(record)
    if (values !== undefined) {
      const before = standing === undefined ? undefined : { time: standing.time, ...withoutValues(standing) }
      const kept = [before, { time: record.time, values }].flatMap((one) =>
        one?.values === undefined ? [] : [{ time: one.time, text: JSON.stringify(one.values) }]
      )
      await writeRecordValues(kubernetes, kept, url)
    }
    await writeRecord(kubernetes, JSON.stringify(open), url)
    if (values === undefined && standing?.valuesIn !== undefined) await deleteRecordValues(kubernetes)
    standing = values === undefined ? open : { ...record, valuesIn: 'secret' }
  }
  return {
    ahead: async () => {
      const record = recordAhead(previous, facts(), resources)
      if (record !== undefined) await write(record)
    },
    installed: async (mutated) => {
      resources = resources.map((one) => ({ ...one, mutated: mutated?.get(one.id) }))
      await write(nextRecord(previous, { ...facts(), ...(await tagged()) }, resources))
    },
    rewritten: async () => {
      const now = { ...facts(), ...(await tagged()) }
      const smokeTest = previous?.smokeTest
      await write(nextRecord(previous, { ...now, ...(smokeTest !== undefined && { smokeTest }) }, resources))
    },
    proved: async () => {
      const { time, ...rest } = facts()
      const now = { ...rest, ...(await tagged()), time, smokeTest: { time } }
      await write(nextRecord(previous, now, resources))
    }
  }
}

/** By its own mark, or by that of what it is part of. */
function isOurs(inspection: Inspection | undefined, inspections: ReadonlyMap<string, Inspection>): boolean {
  const whole = inspections.get(inspection?.resource.partOf ?? '')
  return [inspection, whole].some((one) => one?.owner?.kind === 'ours')
}

/** What is there and nobody else keeps. */
function isTakenOver(
  inspection: Inspection | undefined,
  inspections: ReadonlyMap<string, Inspection>
): boolean {
  if (inspection === undefined || inspection.present.length === 0) return false
  return keptBy(inspections, inspection)?.kind !== 'other'
}
