import { recordedAdoption, withAdopted } from '../adoption/adopt.js'
import { crdNames } from '../karpenter/crd-names.js'
import { decide, type Decisions } from '../plan/decisions.js'
import { releaseName } from '../karpenter/names.js'
import { discover, type Discovery } from '../plan/discovery.js'
import { UserError } from '../engine/errors.js'
import type { Graph } from '../engine/graph.js'
import type { Inspection, Step } from '../engine/resource.js'
import { claimsOf } from '../engine/claims.js'
import type { Claim } from '../engine/standing.js'
import { inspectAll, removeAll, type RemovalOutcome } from '../engine/walk.js'
import type { Chart } from '../helm/chart.js'
import type { Inputs } from '../inputs/inputs.js'
import type { Kubernetes } from '../kubernetes/client.js'
import { customResourceDefinitions, ec2NodeClasses, type Kind, nodePools } from '../kubernetes/kinds.js'
import { lean, notLooked } from '../kubernetes/lean.js'
import { isManifest, type Manifest } from '../kubernetes/manifest.js'
import { deleteRecord } from '../kubernetes/record-store.js'
import { withLock } from '../plan/record-keeper.js'
import { model } from '../plan/model/index.js'
import { recordedInputs } from '../plan/recorded-inputs.js'
import { recordedCrds, recordedManifests } from '../resources/recorded.js'
import { unreadableError } from '../engine/unreadable.js'
import { listingOf, type RemovalListing } from '../engine/removal-listing.js'
import { noteDecisions } from './install-notes.js'
import { foreignNodePools, standingNodePools } from '../preflight/nodes/foreign-node-pools.js'
import { isOurs } from '../resources/kubernetes-object.js'
import { cleanUpEarlier } from '../smoke-test/clean-up.js'
import { smokeTestId } from '../smoke-test/objects.js'
import { compare, ownershipOf, type Run, stage } from '../run/run.js'
import { listingLines, standingLines } from '../report/removal-notes.js'
import { idOf, type ResourceId } from '../resources/ids.js'

/** What is there, walked backward. */
interface Plan {
  readonly inputs: Inputs
  readonly found: Discovery
  readonly decisions: Decisions
  readonly graph: Graph
  /** By what it is known whose each resource is. */
  readonly claims: ReadonlyMap<string, Claim>
}

/** Mode uninstall: takes away what the record or our tags say we made, then lists what is left, read anew. */
export async function uninstall(run: Run): Promise<void> {
  const first = await plan(run)
  await withLock(
    run,
    first.found.kubernetes,
    async ({ waited }) => {
      const now = waited ? await plan(run) : first
      // Its pods would have new nodes made while the others go.
      const test = smokeTestId(ownershipOf(run).run)
      for (const title of await cleanUpEarlier(now.found.kubernetes, test))
        run.ledger.recorded(`removed ${title}, left by an earlier smoke test`)
      const outcomes = await remove(run, now)
      run.ledger.removal(now.graph, outcomes)
      // What is read after the end of the run's time would only say that it is over.
      if (run.signal.aborted) throwErrors(outcomes)
      const listing = await stage(run, 'Proof', async (step) => prove(run, now, outcomes, step))
      run.ledger.removal(now.graph, outcomes, listing)
      run.outputs.leftovers = JSON.stringify(listing.leftovers.slice(0, mostListed))
      throwFailures(outcomes, listing)
      await stage(run, 'Record', async (step) => {
        if ((await deleteRecord(now.found.kubernetes)) === 'deleted') step.changed('deleted the record')
      })
    },
    'remove'
  )
}

/** An output is for a later step's script; the report has them all. */
const mostListed = 200

async function plan(run: Run): Promise<Plan> {
  const { ports, session } = run
  const { inputs, found } = await stage(run, 'Discover', async (step) => discoverRecorded(run, step))
  const decisions = await stage(run, 'Decide', async (step) =>
    withLive(await decide({ inputs, found, session, ports }, step, await chartOf(found, run)), found, run)
  )
  noteDecisions(run, found, decisions)
  if (found.adopted !== undefined && !run.inputs.removal.removeAdopted) {
    run.journal.warning(
      'adopt: this installation was taken over, so what was there before stays, and all that it needs; `remove-adopted: true` removes what was taken over as well'
    )
  }
  const graph = graphOf(run, inputs, found, decisions)
  const inspections = await compare(run, graph, (all) => standingLines(graph, all, found.record))
  throwUnreadable(inspections)
  const { removeAdopted } = run.inputs.removal
  const claims = claimsOf(graph, { record: found.record, removeAdopted }, inspections)
  await stage(run, 'Preflight', async () => refuseForeign(found, decisions, inspections, claims))
  return { inputs, found, decisions, graph, claims }
}

/** What is there, by the names that the record has. */
async function discoverRecorded(run: Run, step: Step): Promise<Pick<Plan, 'inputs' | 'found'>> {
  const found = await discover(run.inputs, run.session, step)
  const inputs = recordedInputs(run.inputs, found.record)
  const adopted = await recordedAdoption(found)
  return adopted === undefined ? { inputs, found } : withAdopted(inputs, found, adopted, step)
}

/** Before the first write: what cannot be read could neither be removed nor be proved to be gone. */
function throwUnreadable(inspections: ReadonlyMap<string, Inspection>): void {
  const errors = [...inspections.values()].flatMap(({ resource, unreadable }) =>
    unreadable === undefined ? [] : [unreadableError(resource.title, unreadable, 'Nothing was changed.')]
  )
  const [first] = errors
  if (first === undefined) return
  throw errors.length === 1
    ? first
    : new AggregateError(errors, `${errors.length} resources could not be read`)
}

/** Before the first write: a controller that others' NodePools need is not taken away under them. */
async function refuseForeign(
  { kubernetes }: Discovery,
  { nodePools: removed }: Decisions,
  inspections: ReadonlyMap<string, Inspection>,
  claims: ReadonlyMap<string, Claim>
): Promise<void> {
  const goes = (id: ResourceId): boolean => {
    const [inspection, claim] = [inspections.get(id), claims.get(id)]
    if (inspection === undefined || claim === undefined) return false
    return inspection.judged(claim).some(({ stays }) => stays === undefined)
  }
  const standing = await standingNodePools(
    kubernetes,
    ({ metadata }) => goes(idOf.nodePool(metadata.name)),
    removed.map(({ metadata }) => metadata.name)
  )
  const refusal = foreignNodePools(goes(idOf.helmRelease), standing)
  if (refusal !== undefined) throw refusal
}

function graphOf(run: Run, inputs: Inputs, found: Discovery, decisions: Decisions): Graph {
  return model({
    inputs,
    found,
    decisions,
    ownership: ownershipOf(run),
    keep: (name, text) => run.ledger.keep(name, text),
    removal: inputs.removal
  })
}

/** As much of the chart as a removal needs, which is which CRDs there are: no registry is asked. */
async function chartOf({ kubernetes, record }: Discovery, run: Run): Promise<Chart> {
  const crds = await crdsOf(kubernetes, recordedCrds(record), run)
  const version = record?.karpenterVersion ?? ''
  return { path: '', name: releaseName, version, appVersion: version, digest: undefined, values: {}, crds }
}

/** Those of the record, and what a newer version that was gone back from has left of ours. */
async function crdsOf(
  kubernetes: Kubernetes,
  recorded: readonly Manifest[] | undefined,
  run: Run
): Promise<readonly Manifest[]> {
  if (recorded === undefined) return standing(kubernetes, crdNames)
  const known = new Set(recorded.map(({ metadata }) => metadata.name))
  const others = await standing(
    kubernetes,
    crdNames.filter((name) => !known.has(name))
  )
  return [...recorded, ...others.filter((crd) => isOurs(crd, ownershipOf(run)))]
}

async function standing(kubernetes: Kubernetes, names: readonly string[]): Promise<readonly Manifest[]> {
  const found = await Promise.all(names.map(async (name) => kubernetes.get(customResourceDefinitions, name)))
  return found.filter((crd) => isManifest(crd))
}

/** NodePools and EC2NodeClasses of the record, and what else carries our label. */
async function withLive(
  decisions: Decisions,
  { kubernetes, record }: Discovery,
  run: Run
): Promise<Decisions> {
  const ours = async (kind: Kind<Manifest>, recorded: readonly Manifest[]): Promise<readonly Manifest[]> => {
    const live = await labelled(kubernetes, kind, run)
    const known = new Set(recorded.map(({ metadata }) => metadata.name))
    return [...recorded, ...live.filter(({ metadata }) => !known.has(metadata.name))]
  }
  const [pools, classes] = await Promise.all([
    ours(nodePools, recordedManifests(record, 'nodePool')),
    ours(ec2NodeClasses, recordedManifests(record, 'ec2NodeClass'))
  ])
  return { ...decisions, nodePools: pools, nodeClasses: classes }
}

async function labelled(
  kubernetes: Kubernetes,
  kind: Kind<Manifest>,
  run: Run
): Promise<readonly Manifest[]> {
  const ownership = ownershipOf(run)
  const { items } = await kubernetes.pick(
    kind,
    (one) => (isOurs(one, ownership) ? lean(one) : undefined),
    notLooked
  )
  return items.filter((one) => one !== undefined)
}

async function remove(run: Run, { graph, claims }: Plan): Promise<readonly RemovalOutcome[]> {
  const now = (): number => run.ports.clock.now()
  const startedAt = now()
  run.journal.titles((id) => graph.titleOf(id))
  const outcomes = await removeAll(graph, claims, run.journal, now)
  run.ledger.stage('Remove', startedAt, now())
  return outcomes
}

/** Milliseconds that AWS and Kubernetes get to show a deletion. */
const proofPatience = 60_000

/** Discovers and reads everything once more, until what was removed shows as gone: reads lag behind deletions. */
async function prove(
  run: Run,
  { inputs, decisions, claims }: Plan,
  outcomes: readonly RemovalOutcome[],
  step: Step
): Promise<RemovalListing> {
  const startedAt = run.ports.clock.now()
  // What a failure keeps in place does not go by waiting for it.
  const failed = outcomes.some(({ removal }) => removal.outcome === 'failed')
  for (let pause = 1_000; ; pause = Math.min(pause * 2, 8_000)) {
    const { found } = await discoverRecorded(run, quiet(step))
    const graph = graphOf(run, inputs, found, decisions)
    const listing = listingOf(graph, claims, outcomes, await inspectAll(graph, step.signal))
    if (failed || listing.lagging.length === 0 || run.ports.clock.now() - startedAt > proofPatience) {
      for (const line of listingLines(listing)) step.note(line)
      return listing
    }
    step.waiting(`deletions to show: ${listing.lagging.join(', ')}`)
    await step.pause(pause)
  }
}

/** Discovery's own lines stand in the log already. */
function quiet(step: Step): Step {
  return { ...step, note: () => undefined }
}

function throwErrors(outcomes: readonly RemovalOutcome[]): void {
  const errors = outcomes.flatMap(({ removal }) => (removal.outcome === 'failed' ? [removal.error] : []))
  if (errors.length === 1) throw errors[0]
  if (errors.length > 1) throw new AggregateError(errors, `${errors.length} resources could not be removed`)
}

function throwFailures(outcomes: readonly RemovalOutcome[], { leftovers }: RemovalListing): void {
  throwErrors(outcomes)
  const [first] = leftovers
  if (first === undefined) return
  throw new UserError(
    first.name,
    `${first.reason}${leftovers.length === 1 ? '' : `; and ${leftovers.length - 1} more are left`}`,
    'Run again: an uninstall goes on where the last one ended. The summary lists all that is left.'
  )
}
