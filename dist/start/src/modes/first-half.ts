import { adoptedIfAsked, standingOf, usedPartsOf } from '../adoption/adopt.js'
import { adoptionEntries } from '../adoption/listing.js'
import { begun, joined } from '../engine/calls.js'
import { type IgnoredField, IgnoreList } from '../engine/ignore.js'
import { ignoredLines } from '../report/ignored-text.js'
import type { Graph } from '../engine/graph.js'
import type { Inspection } from '../engine/resource.js'
import { decide, type Decisions } from '../plan/decisions.js'
import { discover, type Discovery } from '../plan/discovery.js'
import { lookForHelm } from '../plan/helm-and-chart.js'
import { recordIsBehind, recordIsLost } from '../plan/lost-record.js'
import { model } from '../plan/model/index.js'
import { asKept } from '../plan/mutations.js'
import { clusterMoved } from '../plan/version-findings.js'
import { preflight } from '../preflight/checks.js'
import { adoptionLines } from '../report/adoption-notes.js'
import { compare, ownershipOf, type Run, stage } from '../run/run.js'
import type { UpgradeNotes } from '../upgrade/notes.js'
import { hasLeftovers } from '../smoke-test/leftovers.js'
import { smokeTestId } from '../smoke-test/objects.js'
import { noteDecisions, planLines } from './install-notes.js'
import { sayUpgrade } from './say-upgrade.js'
import { idOf } from '../resources/ids.js'

/** What is there, what is wanted, and how the two differ. */
export interface Compared {
  /** With the names of an installation that was taken over. */
  readonly run: Run
  readonly found: Discovery
  readonly decisions: Decisions
  readonly graph: Graph
  /** What `ignore` has taken in, and is no difference any more; known when all is compared. */
  readonly ignored: () => readonly IgnoredField[]
  /** Under way; rejected when something could not be compared. */
  readonly comparing: Promise<ReadonlyMap<string, Inspection>>
}

/** The same once nothing refuses it. */
export interface Judged extends Omit<Compared, 'comparing'> {
  readonly inspections: ReadonlyMap<string, Inspection>
  /** What a change of version brings, and the nodes that Karpenter replaces; undefined where neither is. */
  readonly upgrade: UpgradeNotes | undefined
  /** Whether a smoke test of another run has left something. */
  readonly leftovers: boolean
}

/** Discovers, decides and begins to compare: all that an install knows before it asks whether it may go on. */
export async function compared(given: Run, denials?: Parameters<typeof discover>[3]): Promise<Compared> {
  const { ports, session, ledger } = given
  const binary = lookForHelm(given, given.signal)
  const { inputs, found, standing } = await stage(given, 'Discover', async (step) => {
    const first = await discover(given.inputs, session, step, denials)
    const now = await standingOf(given.inputs, first, ownershipOf(given))
    return { ...(await adoptedIfAsked(given.inputs, first, now, step)), standing: now }
  })
  const run = { ...given, inputs }
  const decisions = await stage(run, 'Decide', async (step) =>
    decide({ inputs, found, session, ports, binary }, step)
  )
  noteDecisions(run, found, decisions)
  const ownership = ownershipOf(run)
  const graph = model({ inputs, found, decisions, ownership, keep: (name, text) => ledger.keep(name, text) })
  const adopting = takesOver({ found })
  const ignores = new IgnoreList(inputs.ignore, session.now())
  let left: Parameters<typeof ignoredLines>[0] = { ignored: [], overwritten: [] }
  const lines: Parameters<typeof compare>[2] = (all) => {
    const ignoring = [...ignoredLines(left), ...ignores.notes()]
    if (!adopting) return [...planLines(graph, all), ...ignoring]
    const entries = [...adoptionEntries(graph, all), ...usedPartsOf(standing, inputs.clusterName)]
    ledger.adoption(entries)
    return [...adoptionLines(entries), ...ignoring]
  }
  const settled: Parameters<typeof compare>[3] = async (read, signal) => {
    const { inspections, ...rest } = ignores.leave(read)
    left = rest
    ledger.ignored(rest.ignored)
    return asKept(inspections, found, signal)
  }
  const comparing = begun(async () => compare(run, graph, lines, settled))
  comparing.catch(() => undefined)
  return { run, found, decisions, graph, comparing, ignored: () => left.ignored }
}

/** Asks preflight beside the comparison, and says what an upgrade brings; throws what must not be gone on with. */
export async function judged({ comparing, ...of }: Compared): Promise<Judged> {
  const { run, found, decisions } = of
  const ownership = ownershipOf(run)
  const leaving = begun(async () => hasLeftovers(found.kubernetes, smokeTestId(ownership.run)))
  leaving.catch(() => undefined)
  const choosing = begun(async () =>
    needsHelm(await joined(comparing)) ? decisions.helmChoice() : undefined
  )
  choosing.catch(() => undefined)
  try {
    await stage(run, 'Preflight', async (step) => {
      await preflight(
        { inputs: run.inputs, found, decisions, ownership, inspections: comparing },
        step,
        (all) => run.ledger.preflight(all)
      )
      // One that cannot be had ends the run before its first write.
      const helm = await joined(choosing)
      if (helm === undefined) return
      step.note(`helm: ${helm}`)
      run.ledger.choice('helm', helm)
    })
  } finally {
    // What is refused before all is compared is told with it, and no read outlives the run.
    await Promise.allSettled([comparing, leaving])
  }
  const inspections = await joined(comparing)
  const upgrade = await sayUpgrade(run, { found, decisions, inspections })
  return { ...of, inspections, upgrade, leftovers: await joined(leaving) }
}

function needsHelm(inspections: ReadonlyMap<string, Inspection>): boolean {
  return inspections.get(idOf.helmRelease)?.state !== 'as wanted'
}

/** Whether this run writes down that it takes over what somebody else installed. */
export function takesOver({ found }: Pick<Compared, 'found'>): boolean {
  return found.adopted !== undefined && found.record?.adoption === undefined
}

/**
 * Whether the record is to be written: of what is changed, of whose it becomes, of the Kubernetes that it stands on, or
 * because it says something else, or nothing.
 */
export function changes(now: Judged): boolean {
  return (
    differs(now) || takesOver(now) || moved(now) || isBehind(now) || recordIsLost(now.found, now.inspections)
  )
}

export function isBehind({ found, decisions, inspections }: Judged): boolean {
  return recordIsBehind(found, decisions.version, inspections)
}

function moved({ found: { record, cluster } }: Pick<Compared, 'found'>): boolean {
  return clusterMoved(record, cluster.kubernetesVersion)
}

export function differs({ inspections }: Pick<Judged, 'inspections'>): boolean {
  return [...inspections.values()].some((inspection) => inspection.state !== 'as wanted')
}

/** A smoke test that has passed on what is unchanged since is not made again. */
export function proofOf(now: Judged): Run['inputs']['smokeTest'] {
  return differs(now) || moved(now) || isBehind(now) || now.found.record?.smokeTest === undefined
    ? now.run.inputs.smokeTest
    : undefined
}
