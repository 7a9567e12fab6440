import { compareText } from '../engine/order.js'
import type { Author } from '../engine/difference.js'
import { isMap } from '../engine/json.js'
import { field, listField, textField } from './manifest.js'

/** What one manager wrote, as metadata.managedFields has it (Kubernetes server-side apply, fieldsV1). */
export interface ManagedEntry {
  readonly manager: string
  readonly operation: string
  /** ISO 8601; empty when the server does not say. */
  readonly time: string
  /** `status`, `scale`; empty for the object itself. */
  readonly subresource: string
  /** fieldsV1: `f:` a field, `k:` an entry of a keyed list, `v:` one of a set, `.` the thing itself. */
  readonly fields: unknown
}

export function managedEntries(live: unknown): readonly ManagedEntry[] {
  return listField(live, 'metadata', 'managedFields').map((entry) => ({
    manager: textField(entry, 'manager') ?? '',
    operation: textField(entry, 'operation') ?? '',
    time: textField(entry, 'time') ?? '',
    subresource: textField(entry, 'subresource') ?? '',
    fields: field(entry, 'fieldsV1')
  }))
}

export function authorOf(entry: ManagedEntry): Author {
  const { manager, operation, time } = entry
  return { manager, ...(operation !== '' && { operation }), ...(time !== '' && { time }) }
}

/**
 * Who wrote the field at a path as comparisons write it (`spec.template.spec.containers[controller].image`,
 * `metadata.labels.app.kubernetes.io/name`): the deepest owner, the latest of several; one of our own managers only when
 * it is nobody else's.
 */
export function writerOf(
  live: unknown,
  path: string,
  own: (entry: ManagedEntry) => boolean
): ManagedEntry | undefined {
  const owners = managedEntries(live).flatMap((entry) => {
    const { depth, owned } = reach(entry.fields, path, live)
    return owned ? [{ entry, depth }] : []
  })
  const others = owners.filter(({ entry }) => !own(entry))
  return latest(deepest(others.length > 0 ? others : owners))
}

/**
 * Who may have taken the field away that is no longer there: nobody owns such a field, so it is the latest manager to
 * write beside it, or else to the object, since we did. Undefined when there is none: nothing is guessed.
 */
export function removerOf(
  live: unknown,
  path: string,
  own: (entry: ManagedEntry) => boolean,
  passedOver: (entry: ManagedEntry) => boolean
): ManagedEntry | undefined {
  const reached = managedEntries(live)
    .filter((entry) => entry.subresource === '')
    .map((entry) => ({ entry, depth: reach(entry.fields, path, live).depth }))
  const since = reached
    .filter(({ entry }) => own(entry))
    .reduce((time, { entry }) => (entry.time > time ? entry.time : time), '')
  const others = reached.filter(
    ({ entry }) => !own(entry) && !passedOver(entry) && entry.time !== '' && entry.time >= since
  )
  const parent = Math.max(...reached.map(({ depth }) => depth))
  const beside = others.filter(({ depth }) => depth > 0 && depth === parent)
  return latest(beside.length > 0 ? beside : others)
}

interface Reached {
  readonly entry: ManagedEntry
  readonly depth: number
}

function deepest(reached: readonly Reached[]): readonly Reached[] {
  const most = Math.max(...reached.map(({ depth }) => depth))
  return reached.filter(({ depth }) => depth === most)
}

function latest(reached: readonly Reached[]): ManagedEntry | undefined {
  return reached.map(({ entry }) => entry).toSorted((a, b) => compareText(b.time, a.time))[0]
}

/** How far an entry's fields follow a path, and whether they hold what it leads to. */
function reach(
  node: unknown,
  path: string,
  live: unknown,
  depth = 0
): { readonly depth: number; readonly owned: boolean } {
  const inner = childrenOf(node)
  if (path === '') return { depth, owned: isMap(node) }
  // A list or map that is one value: whoever owns it owns all that is in it.
  if (isAtomic(node)) return { depth, owned: depth > 0 }
  const tried = path.startsWith('[')
    ? entryChildren(inner, path, live).map(({ child, rest, value }) => reach(child, rest, value, depth + 1))
    : inner
        .filter(([key]) => key.startsWith('f:') && leadsTo(key.slice(2), path))
        .map(([key, child]) => {
          const name = key.slice(2)
          const rest = path.slice(name.length).replace(/^\./, '')
          return reach(child, rest, isMap(live) ? live[name] : undefined, depth + 1)
        })
  // Names hold dots, so that a path may be read in two ways.
  return tried.reduce(
    (best, one) =>
      one.owned && !best.owned ? one : one.owned === best.owned && one.depth > best.depth ? one : best,
    { depth, owned: false }
  )
}

function leadsTo(name: string, path: string): boolean {
  return path.startsWith(name) && ['', '.', '['].includes(path.charAt(name.length))
}

/** `{}`: a scalar, or a list or map that is one value. */
export function isAtomic(node: unknown): boolean {
  return isMap(node) && Object.keys(node).length === 0
}

/** Fields and entries below a node of fieldsV1. */
export function childrenOf(node: unknown): readonly (readonly [string, unknown])[] {
  return isMap(node) ? Object.entries(node).filter(([key]) => key !== '.') : []
}

function entryChildren(
  inner: readonly (readonly [string, unknown])[],
  path: string,
  live: unknown
): readonly { readonly child: unknown; readonly rest: string; readonly value: unknown }[] {
  const end = path.indexOf(']')
  const name = path.slice(1, end)
  const rest = path.slice(end + 1).replace(/^\./, '')
  const entries: readonly unknown[] = Array.isArray(live) ? live : []
  const named = entries.find((entry) => [field(entry, 'name'), field(entry, 'mountPath')].includes(name))
  const value = named ?? entries[Number(name)]
  return inner
    .filter(([key]) => (value === undefined ? isNamed(key, name) : isEntry(key, value)))
    .map(([, child]) => ({ child, rest, value }))
}

/** Whether `k:{"containerPort":8080,"protocol":"TCP"}` or `v:"x"` is this entry of a list. */
export function isEntry(key: string, entry: unknown): boolean {
  const said = saidBy(key)
  if (key.startsWith('v:')) return said === entry
  return isMap(said) && Object.entries(said).every(([name, value]) => field(entry, name) === value)
}

function isNamed(key: string, name: string): boolean {
  const said = saidBy(key)
  return isMap(said) ? Object.values(said).some((value) => String(value) === name) : said === name
}

function saidBy(key: string): unknown {
  if (!/^[kv]:/.test(key)) return undefined
  try {
    const said: unknown = JSON.parse(key.slice(2))
    return said
  } catch {
    return undefined
  }
}
