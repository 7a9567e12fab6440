import { defaultListRule, isEmpty, sameValue, subsetDifferences } from '../engine/compare.js'
import { isMap } from '../engine/json.js'
import { additionsTo } from './additions.js'
import type { Kubernetes } from './client.js'
import type { JsonPatchOperation } from './patch.js'
import { isKubernetesError } from './errors.js'
import type { Kind } from './kinds.js'
import { writerOf } from './managed-fields.js'
import { contentOf, field, textField, type Manifest } from './manifest.js'
import { isNoise, type Owners } from './noise.js'

/**
 * What makes the live object as its manifest says and takes out what others added; empty when nothing has to be done.
 * Server-side apply and helm take away only what they have put there themselves. Refused by the server (422) when the
 * object has changed since it was read.
 */
export function operationsToPutBack(
  wanted: Manifest,
  live: unknown,
  owners: Owners
): readonly JsonPatchOperation[] {
  const cleared = without(
    live,
    additionsTo(wanted, live, owners).map(({ at }) => at)
  )
  const isOthers = (path: string): boolean =>
    isNoise({ wanted, path, added: false, live: undefined, writer: writerOf(live, path, owners.own) })
  const changes = Object.entries(contentOf(wanted)).flatMap(([name, value]) =>
    name === 'metadata'
      ? ['labels', 'annotations'].map((part) => ({
          at: ['metadata', part],
          value: overlaid(field(value, part), field(cleared, 'metadata', part), `metadata.${part}`, isOthers)
        }))
      : [{ at: [name], value: overlaid(value, field(cleared, name), name, isOthers) }]
  )
  const extra = Object.keys(isMap(live) ? live : {})
    .filter((name) => !['apiVersion', 'kind', 'metadata', 'status'].includes(name) && !(name in wanted))
    .map((name) => ({ at: [name], value: field(cleared, name) }))
  const writes = [...changes, ...extra].flatMap(({ at, value }): JsonPatchOperation[] => {
    const now = field(live, ...at)
    if (sameValue(value, now) || (isEmpty(value) && isEmpty(now))) return []
    const path = `/${at.join('/')}`
    return value === undefined ? [{ op: 'remove', path }] : [{ op: 'add', path, value }]
  })
  if (writes.length === 0) return []
  const version = textField(live, 'metadata', 'resourceVersion')
  return [{ op: 'test', path: '/metadata/resourceVersion', value: version }, ...writes]
}

/** Writes what has to be put back, however often others write meanwhile. Whether there was anything to do. */
export async function putBack<T>(
  kubernetes: Kubernetes,
  kind: Kind<T>,
  wanted: Manifest,
  read: unknown,
  owners: Owners
): Promise<boolean> {
  const namespace = textField(read, 'metadata', 'namespace')
  const at = { name: wanted.metadata.name, namespace }
  let live: unknown = read
  for (let attempt = 1; ; attempt++) {
    const operations = operationsToPutBack(wanted, live, owners)
    if (operations.length === 0) return false
    try {
      await kubernetes.patch(kind, at, { type: 'json', operations })
      return true
    } catch (error) {
      const raced = isKubernetesError(error, 422) || isKubernetesError(error, 409)
      if (!raced || attempt === 5) throw error
      live = await kubernetes.get(kind, at.name, at.namespace)
      if (live === undefined) throw error
    }
  }
}

/** The value without what stands at these places. */
function without(value: unknown, places: readonly (readonly (string | number)[])[]): unknown {
  const own = places.filter(([first]) => first !== undefined)
  if (own.length === 0) return value
  const below = (key: string | number): readonly (readonly (string | number)[])[] =>
    own.filter(([first]) => first === key).map(([, ...rest]) => rest)
  const gone = (key: string | number): boolean => below(key).some((rest) => rest.length === 0)
  if (Array.isArray(value)) {
    const entries: readonly unknown[] = value
    return entries.flatMap((entry, index) => (gone(index) ? [] : [without(entry, below(index))]))
  }
  if (!isMap(value)) return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, entry]) => (gone(key) ? [] : [[key, without(entry, below(key))]]))
  )
}

/** The live value with what is wanted laid over it; what says the same in other words stays as it is. */
function overlaid(
  wanted: unknown,
  live: unknown,
  path: string,
  isOthers: (path: string) => boolean
): unknown {
  if (subsetDifferences(wanted, live, path).length === 0 || isOthers(path)) return live
  if (isMap(wanted) && isMap(live)) {
    const laid = Object.entries(wanted)
      .map(([key, value]) => [key, overlaid(value, live[key], `${path}.${key}`, isOthers)] as const)
      .filter(([, value]) => value !== undefined)
    return { ...live, ...Object.fromEntries(laid) }
  }
  if (!Array.isArray(wanted) || !Array.isArray(live)) return wanted
  const rule = defaultListRule(path)
  const entries: readonly unknown[] = live
  const own: readonly unknown[] = wanted
  if (rule === 'ordered' && own.length === entries.length) {
    return own.map((entry, index) => overlaid(entry, entries[index], `${path}[${index}]`, isOthers))
  }
  if (typeof rule !== 'object') return wanted
  const named = (name: unknown) => (entry: unknown) => field(entry, rule.key) === name
  return [
    ...entries.map((entry) => {
      const name = field(entry, rule.key)
      return overlaid(own.find(named(name)), entry, `${path}[${String(name)}]`, isOthers)
    }),
    ...own.filter((entry) => !entries.some(named(field(entry, rule.key))))
  ]
}
