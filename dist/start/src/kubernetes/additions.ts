import { compareText } from '../engine/order.js'
import { defaultListRule, isEmpty, subsetDifferences } from '../engine/compare.js'
import { isMap } from '../engine/json.js'
import { childrenOf, isAtomic, isEntry, managedEntries, type ManagedEntry } from './managed-fields.js'
import { field, type Manifest } from './manifest.js'
import { isNoise, type Owners } from './noise.js'

/** A field that somebody put into an object that is ours, and of which the manifest says nothing. */
export interface Addition {
  readonly path: string
  /** Where it is in the live object: names, and indexes of lists. */
  readonly at: readonly (string | number)[]
  readonly live: unknown
  readonly writer: ManagedEntry
}

/** One place in both trees. */
interface Place {
  readonly wanted: unknown
  readonly live: unknown
  readonly path: string
  readonly at: readonly (string | number)[]
}

/**
 * What others than we added, told by metadata.managedFields: defaults of the server have no owner there, or the one that
 * made the object. The topmost of what was added is named, not each field in it.
 */
export function additionsTo(wanted: Manifest, live: unknown, owners: Owners): readonly Addition[] {
  if (!owners.whole || !isMap(live)) return []
  const identity = ['f:apiVersion', 'f:kind', 'f:status']
  const found = managedEntries(live)
    .filter((entry) => entry.subresource === '' && !owners.own(entry))
    .flatMap((writer) =>
      childrenOf(writer.fields)
        .filter(([key]) => !identity.includes(key))
        .flatMap(([key, node]) => {
          const name = key.slice(2)
          return addedBelow(node, { wanted: wanted[name], live: live[name], path: name, at: [name] })
        })
        .map((place) => ({ path: place.path, at: place.at, live: place.live, writer }))
    )
    .filter((one) => !isNoise({ ...one, wanted, added: true }))
  const latestFirst = found.toSorted((a, b) => compareText(b.writer.time, a.writer.time))
  return latestFirst.filter((one, index) => latestFirst.findIndex(({ path }) => path === one.path) === index)
}

function addedBelow(node: unknown, place: Place): readonly Place[] {
  const { wanted, live } = place
  if (isEmpty(live)) return []
  if (isAtomic(node)) return surplusIn(place)
  // Labels and annotations have many writers: each is told by itself.
  const open = /(^|\.)(labels|annotations)$/.test(place.path)
  if (isEmpty(wanted) && !open && place.path !== 'metadata' && field(node, '.') !== undefined) return [place]
  return childrenOf(node).flatMap(([key, child]) => {
    if (key.startsWith('f:')) return addedBelow(child, member(place, key.slice(2)))
    if (!Array.isArray(live)) return []
    const index = live.findIndex((entry) => isEntry(key, entry))
    return index === -1 ? [] : addedBelow(child, listed(place, index, key))
  })
}

function member({ wanted, live, path, at }: Place, name: string): Place {
  return {
    wanted: isMap(wanted) ? wanted[name] : undefined,
    live: isMap(live) ? live[name] : undefined,
    path: path === '' ? name : `${path}.${name}`,
    at: [...at, name]
  }
}

/** An entry of a list, by its index in the live one; named as comparisons name it. */
function listed({ wanted, live, path, at }: Place, index: number, key?: string): Place {
  const own: readonly unknown[] = Array.isArray(wanted) ? wanted : []
  const entry: unknown = Array.isArray(live) ? live[index] : undefined
  const rule = defaultListRule(path)
  const name = typeof rule === 'object' ? field(entry, rule.key) : undefined
  const twin =
    typeof rule === 'object' && name !== undefined
      ? own.find((one) => field(one, rule.key) === name)
      : key !== undefined
        ? own.find((one) => isEntry(key, one))
        : rule === 'ordered'
          ? own[index]
          : own.find((one) => subsetDifferences(one, entry, path).length === 0)
  return {
    wanted: twin,
    live: entry,
    path: `${path}[${typeof name === 'string' ? name : index}]`,
    at: [...at, index]
  }
}

/** Where a value that another wrote as a whole has more than the wanted one. */
function surplusIn(place: Place): readonly Place[] {
  const { wanted, live } = place
  if (isEmpty(live)) return []
  if (isEmpty(wanted)) return [place]
  if (isMap(wanted) && isMap(live)) {
    return Object.keys(live).flatMap((name) => surplusIn(member(place, name)))
  }
  if (!Array.isArray(wanted) || !Array.isArray(live)) return []
  const rule = defaultListRule(place.path)
  return live
    .map((_entry, index) => listed(place, index))
    .flatMap((one) =>
      // Of a list that is compared as a whole, an entry that is not wanted is a difference of the list already.
      one.wanted === undefined && typeof rule !== 'object' ? [] : surplusIn(one)
    )
}
