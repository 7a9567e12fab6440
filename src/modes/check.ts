import { adoptedOf, type Standing, standingOf, usedPartsOf, withAdopted } from '../adoption/adopt.js'
import { adoptionEntries } from '../adoption/listing.js'
import { type TagFindings, tagFindings } from '../plan/also-tagged.js'
import { decide } from '../plan/decisions.js'
import { discover, type Discovery } from '../plan/discovery.js'
import { UserError } from '../engine/errors.js'
import { type IgnoredField, IgnoreList } from '../engine/ignore.js'
import { ignoredLines } from '../report/ignored-text.js'
import { countsOf, type Finding, findingsOf } from '../engine/findings.js'
import { once } from '../engine/once.js'
import type { Step } from '../engine/resource.js'
import { findingWithoutSecrets } from '../engine/secret-values.js'
import { clusterHealth } from '../health/index.js'
import type { Inputs } from '../inputs/inputs.js'
import { asKept, mutatorsOfDrift, withMutators } from '../plan/mutations.js'
import { isNotInstalled, notInstalledFinding } from '../plan/not-installed.js'
import { model } from '../plan/model/index.js'
import { runUrl } from '../run/ports.js'
import { runPreflight } from '../preflight/index.js'
import { keepsNames, notAdopted } from '../adoption/not-adopted.js'
import { adoptionLines } from '../report/adoption-notes.js'
import { annotate } from '../report/annotations.js'
import { checkLines, findingLine, healthLines } from '../report/check-notes.js'
import { noteDecisions } from './install-notes.js'
import { keepIssueOf } from './keep-issue.js'
import { compare, ownershipOf, type Run, stage } from '../run/run.js'
import { lostRecordFinding, recordValuesNotes } from '../plan/lost-record.js'
import { versionFindings, withRefusal } from '../plan/version-findings.js'
import { sayUpgrade } from './say-upgrade.js'

/** Mode check: reads and compares as install does, and ends there. It writes nothing and waits for nobody. */
export async function check(given: Run): Promise<void> {
  const { ports, session, ledger, outputs } = given
  const { inputs, found, standing } = await stage(given, 'Discover', async (step) =>
    discoverNamed(given, step)
  )
  const run = { ...given, inputs }
  const decisions = await stage(run, 'Decide', async (step) =>
    decide({ inputs, found, session, ports }, step)
  )
  noteDecisions(run, found, decisions)
  const graph = model({ inputs, found, decisions, ownership: ownershipOf(run), keep: () => undefined })
  const findings: Finding[] = []
  const ignored: IgnoredField[] = []
  const ignores = new IgnoreList(inputs.ignore, session.now())
  const ofVersion = versionFindings({
    version: decisions.version,
    facts: decisions.facts,
    installed: decisions.installed,
    record: found.record,
    kubernetes: found.cluster.kubernetesVersion,
    allowDowngrade: inputs.allowDowngrade,
    allowed: inputs.preflight.allow
  })
  const tags = once(async () => tagFindings(found, decisions))
  // Beside the comparison, which takes the answer and is told of an error.
  tags().catch(() => undefined)
  let tagged: TagFindings = { findings: [], notes: [] }
  let mutators: Awaited<ReturnType<typeof mutatorsOfDrift>> = new Map()
  const settled: Parameters<typeof compare>[3] = async (read, signal) => {
    tagged = await tags()
    const kept = await asKept(read, found, signal)
    mutators = await mutatorsOfDrift(kept, found.kubernetes, signal)
    return kept
  }
  const lines: Parameters<typeof compare>[2] = (read) => {
    const missing = isNotInstalled(found, read)
    const each = findingsOf(graph, read, found.record)
    const ofResources = missing
      ? [notInstalledFinding(decisions.version, read), ...each.filter(({ kind }) => kind === 'unknown')]
      : each
    const all = [
      ...ofVersion.findings,
      ...(standing.kind === 'others' ? [] : lostRecordFinding(found, read)),
      ...withDenied([...ofResources, ...tagged.findings], found).map((finding) =>
        withRefusal(finding, ofVersion.refusal)
      )
    ]
    const shown = all.map(findingWithoutSecrets).map((finding) => withMutators(finding, mutators))
    const sifted = ignores.sift(shown)
    ignored.push(...sifted.ignored)
    ledger.ignored(ignored)
    const ignoring = [...ignoredLines({ ignored }), ...ignores.notes()]
    findings.push(...sifted.left.map(standing.kind === 'others' ? notYetOurs : asFound))
    if (missing) return [...findings.map(findingLine), ...ignoring]
    if (standing.kind !== 'others')
      return [
        ...tagged.notes,
        ...recordValuesNotes(found),
        ...checkLines(graph, findings, found.record),
        ...ignoring
      ]
    const entries = [...adoptionEntries(graph, read), ...usedPartsOf(standing, inputs.clusterName)]
    ledger.adoption(entries)
    return [...adoptionLines(entries), ...ignoring]
  }
  const inspections = await compare(run, graph, lines, settled)
  const sick = await stage(run, 'Health', async (step) => {
    const facts = { kubernetes: found.kubernetes, graph, inspections, installed: decisions.installed }
    const all = (await clusterHealth(facts, step)).map(findingWithoutSecrets)
    if (all.length > 0 || !isNotInstalled(found, inspections))
      for (const line of healthLines(all)) step.note(line)
    return all
  })
  findings.push(...sick)
  await sayUpgrade(run, { found, decisions, inspections }, 'the version changes')
  const counts = countsOf(findings)
  ledger.findings(findings)
  Object.assign(outputs, {
    drift: String(counts.drift),
    unhealthy: String(counts.unhealthy),
    pending: String(counts.pending),
    unknown: String(counts.unknown)
  })
  await keepIssue(run, findings, ignored, found)
  annotate(findings, inputs.check, ports.runner, run.journal.warnings.length)
  throwFindings(run, findings)
}

/** What is there, by the names of an installation that was adopted, or that somebody else made and could be. */
async function discoverNamed(
  run: Run,
  step: Step
): Promise<{ readonly inputs: Inputs; readonly found: Discovery; readonly standing: Standing }> {
  const { inputs, session } = run
  const found = await discover(inputs, session, step, 'are noted')
  const standing = await standingOf(inputs, found, ownershipOf(run))
  // Why it cannot be taken over is all that can be said of it.
  if (standing.kind === 'others') await runPreflight({ 'not-adopted': () => notAdopted(standing, true) })
  const adopted = adoptedOf(standing)
  if (standing.kind === 'adopted') {
    const { adoption } = standing.adopted
    await runPreflight({ 'not-adopted': () => keepsNames(inputs, adoption) })
  }
  if (adopted === undefined) return { inputs, found, standing }
  return { ...(await withAdopted(inputs, found, adopted, step)), standing }
}

/** Nothing has drifted that nobody has installed: it is what an adoption would change. */
function notYetOurs(finding: Finding): Finding {
  return finding.kind === 'drift' ? { ...finding, kind: 'pending' } : finding
}

function asFound(finding: Finding): Finding {
  return finding
}

/** With `drift-issue`: the issue of the cluster follows what was found. */
async function keepIssue(
  run: Run,
  findings: readonly Finding[],
  ignored: readonly IgnoredField[],
  { cluster }: Discovery
): Promise<void> {
  const { inputs, ports } = run
  const { issueToken, failOn } = inputs.check
  if (issueToken === undefined) return
  const { driftIssue } = await import('../report/drift-issue.js')
  const wanted = driftIssue({
    findings,
    ignored,
    fails: findings.some(({ kind }) => failOn.includes(kind)),
    cluster: { name: inputs.clusterName, region: inputs.region, arn: cluster.arn },
    run: runUrl(ports.env)
  })
  await stage(run, 'Drift issue', async (step) => keepIssueOf(run, wanted, issueToken, step))
}

/** What discovery could not read is unknown as well, unless a resource has said so already. */
function withDenied(findings: readonly Finding[], found: Discovery): readonly Finding[] {
  const said = new Set(findings.map(({ missingPermission }) => missingPermission))
  return [
    ...findings,
    ...found.denied
      .filter(({ missingPermission }) => !said.has(missingPermission))
      .map(({ what, layer, missingPermission, reason }): Finding => ({
        kind: 'unknown',
        id: `discovery/${what}`,
        title: what,
        layer,
        path: '',
        wanted: undefined,
        recorded: undefined,
        live: undefined,
        severity: 'cosmetic',
        reason,
        install: 'end before its first write, because it cannot read this',
        missingPermission
      }))
  ]
}

/** A check that finds what `fail-on` names fails the step, after its outputs are known. */
function throwFindings({ inputs }: Run, findings: readonly Finding[]): void {
  const { failOn } = inputs.check
  const fatal = findings.filter(({ kind }) => failOn.includes(kind))
  if (fatal.length === 0) return
  const counts = countsOf(fatal)
  const kinds = failOn.filter((kind) => counts[kind] > 0).map((kind) => `${counts[kind]} ${kind}`)
  const first = fatal.slice(0, 5).map(({ title, reason }) => `${title}: ${reason}`)
  const more = fatal.length - first.length
  throw new UserError(
    `Karpenter on ${inputs.clusterName}`,
    [kinds.join(', '), ...first, ...(more > 0 ? [`and ${more} more (see the report)`] : [])].join('\n    '),
    adviceOn(counts, fatal.length)
  )
}

function adviceOn(counts: ReturnType<typeof countsOf>, all: number): string {
  if (counts.unknown === all)
    return 'Give the role what it lacks: docs/permissions/check.json and check-cluster-role.yaml beside it have all that mode check reads.'
  if (counts.unhealthy + counts.unknown === all)
    return 'Do what each line of the log names: no install mends what is as installed and does not work. `fail-on` says what fails a check.'
  return 'Mode install puts back what has drifted and applies what is pending; what is unhealthy needs what its line names. `fail-on` says what fails a check.'
}
