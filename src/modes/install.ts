import { adoptedIfAsked, standingOf, usedPartsOf } from '../adoption/adopt.js'
import { adoptionEntries } from '../adoption/listing.js'
import { instanceEnds, instanceStates } from '../aws/instance-states.js'
import { alsoTaggedIds } from '../plan/also-tagged.js'
import { decide, type Decisions } from '../plan/decisions.js'
import { discover, type Discovery } from '../plan/discovery.js'
import type { Graph } from '../engine/graph.js'
import type { Inspection, Layer } from '../engine/resource.js'
import { applyAll, type Outcome } from '../engine/walk.js'
import type { SmokeTestInput } from '../inputs/inputs.js'
import { mutatorsOf } from '../kubernetes/mutators.js'
import { recordIsLost } from '../plan/lost-record.js'
import { keepRecord, withLock } from '../plan/record-keeper.js'
import { asKept, type ReadBack, readBack } from '../plan/mutations.js'
import { model } from '../plan/model/index.js'
import { preflight } from '../preflight/checks.js'
import { adoptionLines } from '../report/adoption-notes.js'
import { noteDecisions, noteSmokeTests, notProvedAgain, planLines } from './install-notes.js'
import { compare, ownershipOf, type Run, stage } from '../run/run.js'
import { cleanUpEarlier } from '../smoke-test/clean-up.js'
import { hasLeftovers } from '../smoke-test/leftovers.js'
import { smokeTestId } from '../smoke-test/objects.js'
import { proveScaling } from '../smoke-test/prove-scaling.js'
import { clusterMoved } from '../plan/version-findings.js'
import { sayUpgrade } from './say-upgrade.js'

/** What is there, what is wanted, and how the two differ. */
interface Plan {
  /** With the names of an installation that was taken over. */
  readonly run: Run
  readonly found: Discovery
  readonly decisions: Decisions
  readonly graph: Graph
  readonly inspections: ReadonlyMap<string, Inspection>
  /** Whether a smoke test of another run has left something. */
  readonly leftovers: boolean
}

/** Mode install: discover, decide, check, compare, apply what differs, prove that it scales. */
export async function install(run: Run): Promise<void> {
  const first = await plan(run)
  const proofWanted = proofOf(first)
  if (!writes(first) && proofWanted === undefined && !first.leftovers) {
    await apply(first)
    await notProvedAgain(first.run, first.found, {
      version: first.decisions.version,
      changed: false
    })
    return
  }
  await withLock(first.run, first.found.kubernetes, async ({ waited, smokeTestBegins }) => {
    // Whoever held the lock has changed what was read before: version, names, and all.
    const now = waited ? await plan(run) : first
    const { found, decisions } = now
    const { ledger } = now.run
    const record = keepRecord(now.run, { ...now, alsoTagged: async () => alsoTaggedIds(found) })
    const proof = proofOf(now)
    // A smoke test removes them itself.
    if (now.leftovers && proof === undefined)
      for (const title of await cleanUpEarlier(found.kubernetes, smokeTestId(ownershipOf(now.run).run)))
        ledger.recorded(`removed ${title}, left by an earlier smoke test`)
    if (changes(now)) await record.ahead()
    const outcomes = await apply(now)
    if (changes(now)) await record.installed(await writtenAsSent(now, outcomes))
    else if (found.recordValues !== undefined) {
      await record.rewritten()
      ledger.recorded('wrote helm-values of the record into Secret kube-system/setup-karpenter')
    }
    if (recordIsLost(found, now.inspections) && !takesOver(now))
      ledger.recorded('wrote the record of the install anew: ConfigMap kube-system/setup-karpenter')
    if (proof === undefined)
      return notProvedAgain(now.run, found, { version: decisions.version, changed: changes(now) })
    smokeTestBegins()
    await stage(now.run, 'Smoke test', async (step) =>
      proveScaling(
        {
          test: proof,
          otherwise: { kind: 'first', of: decisions.nodePools.map(({ metadata }) => metadata.name) },
          namespace: now.run.inputs.namespace,
          kubernetes: found.kubernetes,
          instanceStates: instanceStates(found.aws),
          instanceEnds: instanceEnds(found.aws),
          ownership: ownershipOf(now.run),
          tested: (results) => noteSmokeTests(now.run, results)
        },
        step
      )
    )
    await record.proved()
  })
}

/** Everything before the first write; throws what must not be gone on with. */
async function plan(given: Run): Promise<Plan> {
  const { ports, session, ledger } = given
  const { inputs, found, standing } = await stage(given, 'Discover', async (step) => {
    const first = await discover(given.inputs, session, step)
    const now = await standingOf(given.inputs, first, ownershipOf(given))
    return { ...(await adoptedIfAsked(given.inputs, first, now, step)), standing: now }
  })
  const run = { ...given, inputs }
  const decisions = await stage(run, 'Decide', async (step) =>
    decide({ inputs, found, session, ports }, step)
  )
  noteDecisions(run, found, decisions)
  const ownership = ownershipOf(run)
  const graph = model({ inputs, found, decisions, ownership, keep: (name, text) => ledger.keep(name, text) })
  const adopting = takesOver({ found })
  const lines: Parameters<typeof compare>[2] = (all) => {
    if (!adopting) return planLines(graph, all)
    const entries = [...adoptionEntries(graph, all), ...usedPartsOf(standing, inputs.clusterName)]
    ledger.adoption(entries)
    return adoptionLines(entries)
  }
  const comparing = compare(run, graph, lines, async (read, signal) => asKept(read, found, signal))
  await Promise.allSettled([comparing])
  await stage(run, 'Preflight', async (step) =>
    preflight({ inputs, found, decisions, ownership, inspections: comparing }, step, (all) =>
      ledger.preflight(all)
    )
  )
  const inspections = await comparing
  await sayUpgrade(run, { found, decisions, inspections })
  const leftovers = await hasLeftovers(found.kubernetes, smokeTestId(ownership.run))
  return { run, found, decisions, graph, inspections, leftovers }
}

/** Whether this run writes down that it takes over what somebody else installed. */
function takesOver({ found }: Pick<Plan, 'found'>): boolean {
  return found.adopted !== undefined && found.record?.adoption === undefined
}

/** A smoke test that has passed on what is unchanged since is not made again. */
function proofOf(now: Plan): SmokeTestInput | undefined {
  return differs(now) || moved(now) || now.found.record?.smokeTest === undefined
    ? now.run.inputs.smokeTest
    : undefined
}

/** Whether the record is to be written: of what is changed, of whose it becomes, of the Kubernetes that it stands on, anew. */
function changes(now: Plan): boolean {
  return differs(now) || takesOver(now) || moved(now) || recordIsLost(now.found, now.inspections)
}

/** Or the values of the record alone. */
function writes(now: Plan): boolean {
  return changes(now) || now.found.recordValues !== undefined
}

function moved({ found: { record, cluster } }: Plan): boolean {
  return clusterMoved(record, cluster.kubernetesVersion)
}

function differs({ inspections }: Plan): boolean {
  return [...inspections.values()].some((inspection) => inspection.state !== 'as wanted')
}

/** By id what came back otherwise; each is a warning, because the next install will not change it either. */
async function writtenAsSent(
  { run, graph, found: { kubernetes } }: Plan,
  outcomes: readonly Outcome[]
): Promise<ReadBack['mutated']> {
  const applied = new Set(outcomes.flatMap(({ id, result }) => (result === 'applied' ? [id] : [])))
  const written = graph.resources.filter(({ id, layer }) => applied.has(id) && isInCluster(layer))
  if (written.length === 0) return new Map()
  const { signal } = run
  const mutators = (await mutatorsOf(kubernetes.within(signal))) ?? []
  const { mutated, warnings } = await readBack(written, { kubernetes, mutators, signal })
  for (const warning of warnings) run.journal.warning(warning)
  return mutated
}

function isInCluster(layer: Layer): boolean {
  return layer === 'kubernetes' || layer === 'helm' || layer === 'karpenter'
}

async function apply({ run, graph, inspections }: Plan): Promise<readonly Outcome[]> {
  const startedAt = run.ports.clock.now()
  run.journal.titles((id) => graph.titleOf(id))
  const outcomes = await applyAll(graph, inspections, run.journal, () => run.ports.clock.now())
  run.ledger.stage('Apply', (run.ports.clock.now() - startedAt) / 1000)
  run.ledger.walk(graph, inspections, outcomes)
  throwFailures(outcomes)
  return outcomes
}

function throwFailures(outcomes: readonly Outcome[]): void {
  const errors = outcomes.filter((outcome) => outcome.result === 'failed').map((outcome) => outcome.error)
  if (errors.length === 1) throw errors[0]
  if (errors.length > 1) throw new AggregateError(errors, `${errors.length} resources failed`)
}
