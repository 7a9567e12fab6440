import type { InstallRecord } from '../engine/record.js'
import { isMap } from '../engine/json.js'
import { cautionsBetween, type PassedCaution, readCautions } from '../karpenter/cautions.js'
import { type NamedPolicy, type PermissionChanges, policyChanges } from '../aws/policy/changes.js'
import { permissionChanges } from '../karpenter/permission-changes.js'
import type { BreakingChange } from '../karpenter/upgrade-guide.js'
import { baseOf, compareVersions } from '../karpenter/versions.js'
import type { Manifest } from '../kubernetes/manifest.js'
import { type ChartChanges, chartChanges, type ChartFacts } from './chart-changes.js'
import { unknownFields } from '../kubernetes/unknown-fields.js'
import { idOf, nameIn } from '../resources/ids.js'
import { type CrdChange, crdChanges } from './crd-changes.js'
import { type NodeDrift, nodeDrift, type NodeDriftFacts } from './node-drift.js'

export interface ComparedPermissions extends PermissionChanges {
  readonly by: 'recorded policies' | 'published policies'
}

/** All that a run changes beside the fields that it was asked to change, said before it is done. */
export interface UpgradeNotes {
  /** The version that runs; not there when it is not known. */
  readonly from?: string
  readonly to: string
  readonly direction: 'upgrade' | 'downgrade' | 'same version'
  /** Minors between the two, `1.3`: upstream asks for no stop at any of them from 1.0 on. */
  readonly passes: readonly string[]
  /** What the controller may do; `by`: what was compared. Not there without a change of version. */
  readonly permissions?: ComparedPermissions
  readonly crds: readonly CrdChange[]
  /** Fields that NodePools and EC2NodeClasses use and that the new CRDs do not have. */
  readonly fieldsLost: readonly { readonly object: string; readonly path: string }[]
  readonly chart?: ChartChanges
  readonly cautions: readonly PassedCaution[]
  /** Not there when NodeClaims may not be read. */
  readonly nodes?: NodeDrift
  /** What could not be read, so that nothing is said of it, and why. */
  readonly unread: readonly string[]
}

export interface UpgradeFacts {
  readonly from: string | undefined
  readonly to: string
  readonly record: InstallRecord | undefined
  /** Published policies of the two, where the table does not have the version. */
  readonly published?: { readonly from: readonly NamedPolicy[]; readonly to: readonly NamedPolicy[] }
  /** What upstream's guide calls breaking of versions that the table does not have. */
  readonly breaking: readonly BreakingChange[]
  /** Of the stack as it will be. */
  readonly policies: readonly NamedPolicy[]
  /** CRDs of the cluster and of the chart; none where they stay as they are, or could not be read. */
  readonly crds: { readonly live: readonly Manifest[]; readonly wanted: readonly Manifest[] }
  /** Of the cluster, and of this run, which replace those of the same name. */
  readonly objects: { readonly live: readonly Manifest[]; readonly wanted: readonly Manifest[] }
  readonly chart: ChartFacts | undefined
  /** Undefined where NodeClaims could not be read. */
  readonly nodes: Omit<NodeDriftFacts, 'from' | 'to' | 'wantedNodeClasses'> | undefined
  readonly unread: readonly string[]
}

/** Pure: what is to be said of a change of version, or of one of NodePools and EC2NodeClasses alone. */
export function upgradeNotes(facts: UpgradeFacts): UpgradeNotes {
  const { from, to, nodes, unread } = facts
  const direction = directionOf(from, to)
  const objects = merged(facts.objects)
  const nodeClasses = objects.filter(({ kind }) => kind === 'EC2NodeClass')
  const nodePools = objects.filter(({ kind }) => kind === 'NodePool')
  const versions = from !== undefined && direction !== 'same version'
  return {
    ...(from !== undefined && { from }),
    to,
    direction,
    passes: versions ? minorsBetween(from, to) : [],
    ...(versions && { permissions: permissionsOf(from, facts) }),
    crds: crdChanges(facts.crds.live, facts.crds.wanted),
    fieldsLost: objects.flatMap((object) => lost(object, facts.crds.wanted)),
    ...(versions && facts.chart !== undefined && { chart: chartChanges(facts.chart) }),
    cautions: versions
      ? [
          ...cautionsBetween(from, to, { nodePools, nodeClasses, values: facts.chart?.values ?? {} }),
          ...readCautions(from, to, facts.breaking)
        ]
      : [],
    ...(nodes !== undefined && { nodes: nodeDrift({ ...nodes, from, to, wantedNodeClasses: nodeClasses }) }),
    unread
  }
}

function directionOf(from: string | undefined, to: string): UpgradeNotes['direction'] {
  if (from === undefined || compareVersions(from, to) === 0) return 'same version'
  return compareVersions(from, to) < 0 ? 'upgrade' : 'downgrade'
}

/** Minors that lie between two versions of one major, in the order in which they are passed. */
export function minorsBetween(from: string, to: string): readonly string[] {
  const [majorBefore = 0, first = 0] = baseOf(from).split('.').map(Number)
  const [major = 0, last = 0] = baseOf(to).split('.').map(Number)
  if (majorBefore !== major) return []
  const least = Math.min(first, last) + 1
  const between = Array.from({ length: Math.max(Math.abs(last - first) - 1, 0) }, (_, at) => least + at)
  return (first < last ? between : between.toReversed()).map((minor) => `${major}.${minor}`)
}

/** What was installed is in the record; where it is not, what was published says it. */
function permissionsOf(from: string, facts: UpgradeFacts): ComparedPermissions {
  const recorded = recordedPolicies(facts.record)
  if (recorded.length > 0) return { ...policyChanges(recorded, facts.policies), by: 'recorded policies' }
  const { published } = facts
  return {
    ...(published === undefined
      ? permissionChanges(from, facts.to)
      : policyChanges(published.from, published.to)),
    by: 'published policies'
  }
}

function recordedPolicies(record: InstallRecord | undefined): readonly NamedPolicy[] {
  return Object.entries(record?.resources ?? {}).flatMap(([id, { wanted }]) => {
    const name = nameIn(idOf.policy, id)
    return name !== undefined && isMap(wanted) && isMap(wanted['document'])
      ? [{ name, document: wanted['document'] }]
      : []
  })
}

function merged({ live, wanted }: UpgradeFacts['objects']): readonly Manifest[] {
  const same = (a: Manifest, b: Manifest): boolean => a.kind === b.kind && a.metadata.name === b.metadata.name
  return [...wanted, ...live.filter((object) => !wanted.some((one) => same(one, object)))]
}

function lost(object: Manifest, crds: readonly Manifest[]): UpgradeNotes['fieldsLost'] {
  const crd = crds.find(
    ({ spec }) => isMap(spec) && isMap(spec['names']) && spec['names']['kind'] === object.kind
  )
  if (crd === undefined) return []
  return unknownFields(object, crd).map((path) => ({
    object: `${object.kind} ${object.metadata.name}`,
    path
  }))
}
