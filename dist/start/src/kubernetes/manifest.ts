import { isMap } from '../engine/json.js'

/** Any Kubernetes object, for kinds whose fields are their own affair. */
export interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: ManifestMetadata
  readonly [field: string]: unknown
}

export interface ManifestMetadata {
  readonly name: string
  readonly namespace?: string
  readonly uid?: string
  readonly resourceVersion?: string
  readonly generation?: number
  readonly creationTimestamp?: string
  readonly deletionTimestamp?: string
  readonly finalizers?: readonly string[]
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly [field: string]: unknown
}

export function isManifest(value: unknown): value is Manifest {
  return (
    isMap(value) &&
    typeof value['apiVersion'] === 'string' &&
    typeof value['kind'] === 'string' &&
    isMap(value['metadata']) &&
    typeof value['metadata']['name'] === 'string'
  )
}

/** What a manifest says beside which object it is: labels, annotations, and every field of its kind. */
export function contentOf(manifest: Manifest): Record<string, unknown> {
  const { labels, annotations } = manifest.metadata
  const identity = ['apiVersion', 'kind', 'metadata', 'status']
  return {
    metadata: { labels, annotations },
    ...Object.fromEntries(Object.entries(manifest).filter(([name]) => !identity.includes(name)))
  }
}

/** The value at a path of field names, or undefined where the path ends early. */
export function field(value: unknown, ...path: readonly string[]): unknown {
  let at = value
  for (const name of path) {
    if (!isMap(at)) return undefined
    at = at[name]
  }
  return at
}

export function textField(value: unknown, ...path: readonly string[]): string | undefined {
  const found = field(value, ...path)
  return typeof found === 'string' ? found : undefined
}

/** The entries of a list at a path; empty where there is none. */
export function listField(value: unknown, ...path: readonly string[]): readonly unknown[] {
  const found = field(value, ...path)
  return Array.isArray(found) ? found : []
}
