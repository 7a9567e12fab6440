import { isMap } from '../engine/json.js'
import { subsetDifferences } from '../engine/compare.js'
import { missing, type Difference, type Severity } from '../engine/difference.js'
import type { Live, Resource, Step } from '../engine/resource.js'
import type { Ownership } from '../environment.js'
import { awaitObject } from '../kubernetes/conditions.js'
import type { Kubernetes } from '../kubernetes/client.js'
import { KubernetesError } from '../kubernetes/errors.js'
import type { Kind } from '../kubernetes/kinds.js'
import { field, textField, type Manifest } from '../kubernetes/manifest.js'
import { decided } from '../kubernetes/view.js'

/** What the Kubernetes resources work with. */
export interface KubernetesPorts {
  readonly kubernetes: Kubernetes
  readonly ownership: Ownership
  /** Ids of what must be there before. */
  readonly dependsOn: readonly string[]
}

export const ownerLabel = 'app.kubernetes.io/managed-by'
export const runAnnotation = 'setup-karpenter/run'

/** Reads into the walk's terms: a refusal is unreadable, never absent. */
export async function liveOf<T>(read: () => Promise<T | undefined>): Promise<Live<T>> {
  try {
    const value = await read()
    return value === undefined ? { state: 'absent' } : { state: 'present', value }
  } catch (error) {
    if (error instanceof KubernetesError && error.permission !== undefined) {
      return { state: 'unreadable', reason: error.message, missingPermission: error.permission }
    }
    throw error
  }
}

/** Whether we made it: it carries our label, or the annotation that only we write. */
export function isOurs(object: unknown, ownership: Ownership): boolean {
  return (
    textField(object, 'metadata', 'labels', ownerLabel) === ownership.owner ||
    textField(object, 'metadata', 'annotations', runAnnotation) !== undefined
  )
}

/**
 * The manifest as it is applied. What we make carries our name and the run; what was there before us does not. Server-side
 * apply drops what is left out, so a later run repeats the first run's annotation.
 */
export function withOwnership(manifest: Manifest, live: unknown, ownership: Ownership): Manifest {
  if (live !== undefined && !isOurs(live, ownership)) return manifest
  const run = textField(live, 'metadata', 'annotations', runAnnotation) ?? ownership.run
  return {
    ...manifest,
    metadata: {
      ...manifest.metadata,
      labels: { [ownerLabel]: ownership.owner, ...manifest.metadata.labels },
      annotations: { ...manifest.metadata.annotations, [runAnnotation]: run }
    }
  }
}

/**
 * Where the live object is not as the manifest says, and what an earlier run put there that the manifest no longer has.
 */
export function manifestDifferences(
  wanted: Manifest,
  live: unknown,
  severity: (path: string) => Severity,
  prefix = ''
): readonly Difference[] {
  const named = (path: string): string => (prefix === '' ? path : `${prefix}.${path}`)
  const changed = subsetDifferences(contentOf(wanted), live).map((found) => ({
    path: named(found.path),
    wanted: found.wanted,
    live: found.live,
    reason:
      found.live === undefined
        ? `${named(found.path)} is not set`
        : `${named(found.path)} is ${shown(found.live)}, not ${shown(found.wanted)}`,
    severity: severity(found.path)
  }))
  const surplus = ownedPaths(live)
    .filter((path) => field(wanted, ...path) === undefined && field(live, ...path) !== undefined)
    .filter((path) => path.at(-1) !== runAnnotation && path.at(-1) !== ownerLabel)
    .map((path) => ({
      path: named(path.join('.')),
      wanted: undefined,
      live: field(live, ...path),
      reason: `${named(path.join('.'))} was set by an earlier run and is no longer wanted`,
      severity: severity(path.join('.'))
    }))
  return [...changed, ...surplus]
}

/** Everything but the fields that say which object it is. */
function contentOf(manifest: Manifest): Record<string, unknown> {
  const { labels, annotations } = manifest.metadata
  const identity = ['apiVersion', 'kind', 'metadata', 'status']
  return {
    metadata: { labels, annotations },
    ...Object.fromEntries(Object.entries(manifest).filter(([name]) => !identity.includes(name)))
  }
}

/** The leaves that our own server-side apply set, read from the object's managedFields. */
function ownedPaths(live: unknown): readonly (readonly string[])[] {
  const managed = field(live, 'metadata', 'managedFields')
  const ours = (Array.isArray(managed) ? managed : []).filter(
    (entry: unknown) => field(entry, 'manager') === 'setup-karpenter' && field(entry, 'operation') === 'Apply'
  )
  const walk = (node: unknown, path: readonly string[]): readonly (readonly string[])[] => {
    const inner = isMap(node) ? Object.entries(node).filter(([key]) => key.startsWith('f:')) : []
    // Entries of keyed lists (k:, v:) are compared as part of their list.
    if (inner.length === 0) return path.length === 0 ? [] : [path]
    return inner.flatMap(([key, value]) => walk(value, [...path, key.slice(2)]))
  }
  return ours.flatMap((entry: unknown) => walk(field(entry, 'fieldsV1'), []))
}

function shown(value: unknown): string {
  const text = JSON.stringify(value)
  return text.length > 120 ? `${text.slice(0, 117)}...` : text
}

/** Waits through a watch until the object is gone. */
export async function awaitGone<T>(
  kubernetes: Kubernetes,
  kind: Kind<T>,
  at: { readonly name: string; readonly namespace?: string | undefined },
  step: Step,
  blocker: (object: T) => string
): Promise<void> {
  try {
    await awaitObject(kubernetes, kind, at, step.signal, (object) => {
      if (object === undefined) return decided(undefined)
      step.waiting(`${kind.kind} ${at.name} to go${blocker(object)}`)
      return undefined
    })
  } finally {
    step.waiting(undefined)
  }
}

/** `, held by finalizer x`. */
export function finalizersOf(object: unknown): string {
  const found = field(object, 'metadata', 'finalizers')
  return Array.isArray(found) && found.length > 0 ? `, held by finalizer ${found.join(', ')}` : ''
}

export interface ManifestResourceOptions extends KubernetesPorts {
  readonly id: string
  readonly layer: Resource<Manifest, Manifest>['layer']
  readonly kind: Kind<Manifest>
  readonly manifest: Manifest
  readonly severity: (path: string) => Severity
  /** `known`: the object as it was read, when nothing was applied since. */
  readonly settle: (step: Step, known: Manifest | undefined) => Promise<void>
  readonly remove: (step: Step) => ReturnType<Resource<Manifest, Manifest>['remove']>
}

/** A resource that is one Kubernetes object, wanted as its manifest. */
export function manifestResource(options: ManifestResourceOptions): Resource<Manifest, Manifest> {
  const { kubernetes, kind, manifest, ownership } = options
  const { name, namespace } = manifest.metadata
  const title = `${kind.kind} ${name}`
  let known: Manifest | undefined
  return {
    id: options.id,
    layer: options.layer,
    title,
    dependsOn: options.dependsOn,
    wanted: manifest,
    read: async (signal) =>
      liveOf(async () => {
        known = await kubernetes.within(signal).get(kind, name, namespace)
        return known
      }),
    compare: (wanted, live) => manifestDifferences(wanted, live, options.severity),
    absent: (wanted) => [missing(title, wanted)],
    apply: async (live, differences, step) => {
      const now = live.state === 'present' ? live.value : undefined
      const applied = withOwnership(manifest, now, ownership)
      known = undefined
      await kubernetes.within(step.signal).apply(kind, applied, { force: true, fieldValidation: 'Strict' })
      if (now === undefined) step.changed(`created ${title}`)
      else for (const difference of differences) step.changed(`${title}: ${changeText(difference)}`)
    },
    settle: async (step) => options.settle(step, known),
    remove: options.remove
  }
}

/** `set spec.limits.cpu to 1000 (was 500)`. */
export function changeText(difference: Difference): string {
  if (difference.wanted === undefined) return `removed ${difference.path}`
  const was = difference.live === undefined ? '' : ` (was ${shown(difference.live)})`
  return `set ${difference.path} to ${shown(difference.wanted)}${was}`
}
