import { createHash } from 'node:crypto'
import type { Difference } from '../engine/difference.js'
import type { Finding } from '../engine/findings.js'
import { canonical, mapAt } from '../engine/json.js'
import type { InstallRecord, Mutation } from '../engine/record.js'
import type { AnyResource, Inspection } from '../engine/resource.js'
import { showsSecrets, withoutSecrets } from '../engine/secret-values.js'
import type { Kubernetes } from '../kubernetes/client.js'
import {
  clusterRoleBindings,
  clusterRoles,
  deployments,
  disruptionBudgets,
  type Kind,
  kindNamed,
  namespaces,
  roleBindings,
  roles,
  serviceAccounts,
  services
} from '../kubernetes/kinds.js'
import { field, isManifest, type Manifest } from '../kubernetes/manifest.js'
import { mayMutate, type Mutator, mutatorsFor, mutatorsOf, type Written } from '../kubernetes/mutators.js'
import { idOf } from '../resources/ids.js'

type Inspections = ReadonlyMap<string, Inspection>

const ofChart: readonly Kind<unknown>[] = [
  deployments,
  serviceAccounts,
  services,
  disruptionBudgets,
  roles,
  roleBindings,
  clusterRoles,
  clusterRoleBindings
]

/** `withoutMutations` by the record of the cluster; webhooks and policies are listed only where it names one. */
export async function asKept(
  inspections: Inspections,
  { record, kubernetes }: Found,
  signal: AbortSignal
): Promise<Inspections> {
  if (!Object.values(record?.resources ?? {}).some(({ mutated = [] }) => mutated.length > 0))
    return inspections
  return withoutMutations(inspections, record, await mutatorsOf(kubernetes.within(signal)))
}

interface Found {
  readonly record: InstallRecord | undefined
  readonly kubernetes: Kubernetes
}

/**
 * The inspections without the differences that an install has seen come back in its own write: another write would make
 * them again. What has moved since (the wanted value, the live one) differs as ever, and so does all of it when the one
 * that did it is gone. `mutators`: undefined when they may not be listed.
 */
function withoutMutations(
  inspections: Inspections,
  record: InstallRecord | undefined,
  mutators: readonly Mutator[] | undefined
): Inspections {
  const standing = new Set(mutators?.map(({ name }) => name))
  return new Map(
    [...inspections].map(([id, inspection]): readonly [string, Inspection] => {
      const mutated = (record?.resources[id]?.mutated ?? []).filter(
        ({ by }) => mutators === undefined || by.some((name) => standing.has(name))
      )
      return [id, mutated.length === 0 ? inspection : without(inspection, mutated)]
    })
  )
}

function without(inspection: Inspection, mutated: readonly Mutation[]): Inspection {
  const byDigest = new Map(mutated.map((mutation) => [mutation.digest, mutation]))
  const left = (all: readonly Difference[]): readonly Difference[] =>
    all.filter((one) => !byDigest.has(digestOf(one)))
  const kept = inspection.differences.filter((one) => byDigest.has(digestOf(one)))
  if (kept.length === 0) return inspection
  const differences = left(inspection.differences)
  return {
    ...inspection,
    differences,
    ...(differences.length === 0 && { state: 'as wanted' }),
    against: (wanted) => left(inspection.against(wanted)),
    notes: [
      ...(inspection.notes ?? []),
      ...kept.map((one) => {
        const by = byDigest.get(digestOf(one))?.by.join(' or ') ?? ''
        return `${withoutSecrets(one).reason}: ${by} keeps it so, and no install changes that`
      })
    ]
  }
}

/** What came back of a write otherwise than it was sent, and a warning for each. */
export interface ReadBack {
  readonly mutated: ReadonlyMap<string, readonly Mutation[]>
  readonly warnings: readonly string[]
}

/** Reads again what was written and what something in the cluster may change as it is written. */
export async function readBack(
  written: readonly AnyResource[],
  { kubernetes, mutators, signal }: Asked
): Promise<ReadBack> {
  const mutated = new Map<string, readonly Mutation[]>()
  const warnings: string[] = []
  for (const resource of written) {
    const kinds = kindsOf(resource)
    if (kinds.length === 0) continue
    const found: Mutation[] = []
    if (kinds.some((kind) => mutators.some((one) => mayMutate(one, kind)))) {
      const { differences } = await resource.inspect(signal)
      for (const difference of differences) {
        const by = await mutatorsAt(resource, difference, { kubernetes, mutators, signal })
        if (by.length === 0) continue
        if (mayBeRecorded(difference)) found.push({ path: difference.path, digest: digestOf(difference), by })
        warnings.push(warningOf(resource, difference, by))
      }
    }
    mutated.set(resource.id, found)
  }
  return { mutated, warnings }
}

interface Asked {
  readonly kubernetes: Kubernetes
  readonly mutators: readonly Mutator[]
  readonly signal: AbortSignal
}

/** What in the cluster may have changed the field as it was written. */
async function mutatorsAt(
  resource: Pick<AnyResource, 'id' | 'title' | 'wanted'>,
  { path }: Pick<Difference, 'path'>,
  { kubernetes, mutators, signal }: Asked
): Promise<readonly string[]> {
  const object = objectAt(resource, path)
  if (object === undefined || !mutators.some((one) => mayMutate(one, object.kind))) return []
  const { kind, name, namespace } = object
  const within = kubernetes.within(signal)
  const labels = mapAt(field(await within.get(kind, name, namespace), 'metadata'), 'labels')
  const written: Written = { kind, name, namespace, labels }
  return mutatorsFor(within, mutators, written)
}

function warningOf(resource: AnyResource, difference: Difference, by: readonly string[]): string {
  const inRelease = resource.id === idOf.helmRelease
  return [
    `${resource.title}: ${withoutSecrets(difference).reason}, though it was written so: ${by.join(' or ')} changes it as it is written.`,
    mayBeRecorded(difference)
      ? 'The next runs leave it at that.'
      : 'Nothing of a secret is recorded, not even a digest, so each install writes it anew and each check reports it.',
    `To have it as wanted, leave this object out of its rules (kubectl edit ${by[0] ?? ''})`,
    inRelease
      ? 'or of the policy behind it; to go along with it, give the same value in helm-values.'
      : 'or of the policy behind it; to go along with it, write the same value in node-pools.'
  ].join(' ')
}

function kindsOf({ id, wanted }: AnyResource): readonly Kind<unknown>[] {
  if (id === idOf.helmRelease) return ofChart
  if (id === idOf.namespace) return [namespaces]
  const kind = isManifest(wanted) ? kindNamed(wanted.kind) : undefined
  return kind === undefined ? [] : [kind]
}

type WrittenObject = Pick<Written, 'name' | 'namespace'> & { readonly kind: Kind<unknown> }

function objectOf({ kind: kindName, metadata: { name, namespace } }: Manifest): WrittenObject | undefined {
  const kind = kindNamed(kindName)
  return kind && { kind, name, namespace: kind.namespaced ? namespace : undefined }
}

/** The object of a field: the release names its objects in the path, the others are one. */
function objectAt(
  { id, title, wanted }: Pick<AnyResource, 'id' | 'title' | 'wanted'>,
  path: string
): WrittenObject | undefined {
  if (isManifest(wanted)) return objectOf(wanted)
  const [, kindName = '', name = ''] =
    (id === idOf.helmRelease ? /^([A-Z]\w*)\/([^.]+)\./.exec(path) : /^(\w+) (\S+)$/.exec(title)) ?? []
  const kind = kindNamed(kindName)
  if (kind === undefined) return undefined
  const { namespace } = mapAt({ wanted }, 'wanted')
  return { kind, name, namespace: kind.namespaced && typeof namespace === 'string' ? namespace : undefined }
}

/** A digest without a key would give a short password away to whoever tries words: the record is no Secret. */
function mayBeRecorded(difference: Difference): boolean {
  return !showsSecrets(difference)
}

/** What was wanted and what came of it, so that the record has no value of a field in clear. */
function digestOf({ path, wanted, live }: Difference): string {
  return createHash('sha256')
    .update(canonical([path, wanted ?? null, live ?? null]))
    .digest('base64url')
}

/** For a check: by id and path, what may change a field again that has drifted; nothing where that may not be listed. */
export async function mutatorsOfDrift(
  inspections: Inspections,
  kubernetes: Kubernetes,
  signal: AbortSignal
): Promise<ReadonlyMap<string, readonly string[]>> {
  const differing = [...inspections.values()].filter(
    ({ resource, state, differences }) =>
      state === 'differs' && differences.some(({ path }) => objectAt(resource, path) !== undefined)
  )
  const mutators = differing.length === 0 ? [] : ((await mutatorsOf(kubernetes.within(signal))) ?? [])
  const found = await Promise.all(
    differing.flatMap(({ resource, differences }) =>
      differences.map(async (difference): Promise<readonly [string, readonly string[]]> => [
        placeOf(resource.id, difference.path),
        await mutatorsAt(resource, difference, { kubernetes, mutators, signal })
      ])
    )
  )
  return new Map(found.filter(([, by]) => by.length > 0))
}

/** The finding, with what it takes that an install holds. */
export function withMutators(finding: Finding, mutators: ReadonlyMap<string, readonly string[]>): Finding {
  const by = mutators.get(placeOf(finding.id, finding.path))
  if (by === undefined || finding.kind !== 'drift') return finding
  return {
    ...finding,
    install: `${finding.install}; it may not stay so, because ${by.join(' and ')} may change the object as it is written`
  }
}

function placeOf(id: string, path: string): string {
  return `${id} ${path}`
}
