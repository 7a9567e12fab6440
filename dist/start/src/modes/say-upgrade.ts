import type { Decisions } from '../plan/decisions.js'
import { releaseName } from '../karpenter/names.js'
import type { Discovery } from '../plan/discovery.js'
import type { Inspection } from '../engine/resource.js'
import { nodeClassEffect, nodePoolEffect } from '../karpenter/drift-hash.js'
import { knownHash, parseFacts } from '../karpenter/version-facts.js'
import { compareVersions, exactVersion } from '../karpenter/versions.js'
import type { Manifest } from '../kubernetes/manifest.js'
import { upgradeLines, upgradeWarnings } from '../report/upgrade-lines.js'
import { type Run, stage } from '../run/run.js'
import type { ChangedObject } from '../upgrade/node-drift.js'
import { type UpgradeNotes, upgradeNotes } from '../upgrade/notes.js'
import { readForNotes } from '../upgrade/reads.js'
import { idOf } from '../resources/ids.js'

/** What a run is about to do. */
interface Planned {
  readonly found: Pick<Discovery, 'kubernetes' | 'record'>
  readonly decisions: Pick<
    Decisions,
    | 'version'
    | 'facts'
    | 'ownPolicies'
    | 'publishedPolicies'
    | 'installed'
    | 'stack'
    | 'chart'
    | 'values'
    | 'nodePools'
    | 'nodeClasses'
  >
  readonly inspections: ReadonlyMap<string, Inspection>
}

/**
 * Says what a change of version brings, and which nodes Karpenter replaces because of this run, to log, summary and report,
 * before anything is done. Reads, and says, nothing where neither a version nor what nodes are made by changes. `when`: a
 * check looks at changes of version alone, for what somebody has changed by hand is drift to it.
 */
export async function sayUpgrade(
  run: Run,
  planned: Planned,
  when: 'anything changes' | 'the version changes' = 'anything changes'
): Promise<UpgradeNotes | undefined> {
  const from = exactVersion(planned.decisions.installed)
  const versions = from !== undefined && compareVersions(from, planned.decisions.version) !== 0
  if (!versions && (when === 'the version changes' || !reachesNodes(planned))) return undefined
  return stage(run, 'Upgrade', async (step) => {
    const notes = await notesOf(run, planned, from, versions)
    run.ledger.upgrade(notes)
    for (const line of upgradeLines(notes, run.inputs.mode)) step.note(line)
    for (const line of upgradeWarnings(notes, run.inputs.mode)) step.warning(line)
    return notes
  })
}

async function notesOf(
  { inputs }: Run,
  planned: Planned,
  from: string | undefined,
  versions: boolean
): Promise<UpgradeNotes> {
  const { found, decisions, inspections } = planned
  const { chart, version, facts, ownPolicies } = decisions
  const crdsChange = versions && (inspections.get(idOf.crds)?.differences.length ?? 0) > 0
  const wanted = crdsChange ? chart.crds : []
  const read = await readForNotes(found.kubernetes, {
    crds: wanted.map(({ metadata }) => metadata.name),
    objects: versions,
    release: versions ? { name: releaseName, namespace: inputs.namespace } : undefined
  })
  return upgradeNotes({
    from,
    to: version,
    record: found.record,
    ...(ownPolicies !== undefined &&
      from !== undefined && { published: { from: decisions.publishedPolicies(from), to: ownPolicies } }),
    breaking: facts.upgradeNotes.value,
    policies: decisions.stack.policies,
    crds: read.crds === undefined ? { live: [], wanted: [] } : { live: read.crds, wanted },
    objects: { live: read.objects ?? [], wanted: [...decisions.nodeClasses, ...decisions.nodePools] },
    chart: {
      installed: read.release?.chart,
      releaseValues: read.release?.given ?? {},
      chart: chart.values,
      helmValues: inputs.helmValues,
      values: decisions.values
    },
    nodes: read.claims && {
      hashes: {
        from: knownHash(from, parseFacts(found.record?.facts)),
        to: facts.nodeClassHash.value
      },
      claims: read.claims,
      nodePools: changed('node-pool', decisions.nodePools, inspections),
      nodeClasses: changed('ec2-node-class', decisions.nodeClasses, inspections),
      securityGroupTags: tagsGroups(inspections)
    },
    unread: read.unread
  })
}

function changed(
  kind: 'node-pool' | 'ec2-node-class',
  manifests: readonly Manifest[],
  inspections: ReadonlyMap<string, Inspection>
): readonly ChangedObject[] {
  return manifests.flatMap((manifest) => {
    const inspection = inspections.get(`${kind}/${manifest.metadata.name}`)
    return inspection?.state === 'differs' ? [{ manifest, differences: inspection.differences }] : []
  })
}

function tagsGroups(inspections: ReadonlyMap<string, Inspection>): boolean {
  return (inspections.get(idOf.securityGroupTags)?.differences.length ?? 0) > 0
}

/** Whether the plan changes anything that Karpenter replaces nodes for; of a first install there are no nodes. */
function reachesNodes({ decisions, inspections }: Planned): boolean {
  if (decisions.installed === undefined) return false
  const paths = (changes: readonly ChangedObject[]): readonly string[] =>
    changes.flatMap(({ differences }) => differences.map(({ path }) => path))
  return (
    tagsGroups(inspections) ||
    paths(changed('node-pool', decisions.nodePools, inspections)).some(
      (path) => nodePoolEffect(path) !== 'none'
    ) ||
    paths(changed('ec2-node-class', decisions.nodeClasses, inspections)).some(
      (path) => path === 'spec.amiFamily' || nodeClassEffect(path, decisions.version) !== 'none'
    )
  )
}
