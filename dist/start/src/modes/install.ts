import { instanceEnds, instanceGroups, instanceStates } from '../aws/instance-states.js'
import { alsoTaggedIds } from '../plan/also-tagged.js'
import type { Layer } from '../engine/resource.js'
import { applyAll, type Outcome } from '../engine/walk.js'
import { mutatorsOf } from '../kubernetes/mutators.js'
import { recordIsLost } from '../plan/lost-record.js'
import { keepRecord, withLock } from '../plan/record-keeper.js'
import { type ReadBack, readBack } from '../plan/mutations.js'
import {
  changes,
  compared,
  differs,
  isBehind,
  type Judged,
  judged,
  proofOf,
  takesOver
} from './first-half.js'
import { noteSmokeTests, notProvedAgain } from './install-notes.js'
import { ownershipOf, type Run, stage } from '../run/run.js'
import { cleanUpEarlier } from '../smoke-test/clean-up.js'
import { smokeTestId } from '../smoke-test/objects.js'
import { proveScaling } from '../smoke-test/prove-scaling.js'

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
    else if (!differs(now) && isBehind(now))
      ledger.recorded(
        'wrote into ConfigMap kube-system/setup-karpenter what an earlier run or somebody else had done'
      )
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
          instanceGroups: instanceGroups(found.aws),
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
async function plan(run: Run): Promise<Judged> {
  return judged(await compared(run))
}

/** Or the values of the record alone. */
function writes(now: Judged): boolean {
  return changes(now) || now.found.recordValues !== undefined
}

/** By id what came back otherwise; each is a warning, because the next install will not change it either. */
async function writtenAsSent(
  { run, graph, found: { kubernetes } }: Judged,
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

async function apply({ run, graph, inspections }: Judged): Promise<readonly Outcome[]> {
  const startedAt = run.ports.clock.now()
  run.journal.titles((id) => graph.titleOf(id))
  const outcomes = await applyAll(graph, inspections, run.journal, () => run.ports.clock.now())
  run.ledger.stage('Apply', startedAt, run.ports.clock.now())
  run.ledger.walk(graph, inspections, outcomes)
  throwFailures(outcomes)
  return outcomes
}

function throwFailures(outcomes: readonly Outcome[]): void {
  const errors = outcomes.filter((outcome) => outcome.result === 'failed').map((outcome) => outcome.error)
  if (errors.length === 1) throw errors[0]
  if (errors.length > 1) throw new AggregateError(errors, `${errors.length} resources failed`)
}
