import { canonical, isMap } from './json.js'
import { duration, quantity } from './quantity.js'

/** One place where wanted is not contained in live. */
export interface FieldDifference {
  readonly path: string
  readonly wanted: unknown
  readonly live: unknown
}

/** How lists are compared: in order, or as sets, or by a key of their entries. */
export type ListRule = 'ordered' | 'set' | { readonly key: string }

/**
 * Where wanted is not a subset of live. Fields that only live has are others' or the server's affair and are no
 * difference. An empty map, an empty list, null and an absent field are the same. Scalars are equal when they say the
 * same as text, number, Kubernetes quantity or Go duration; labels, tags, environment and the like only as text.
 */
export function subsetDifferences(
  wanted: unknown,
  live: unknown,
  path = '',
  listRule: (path: string) => ListRule = defaultListRule
): readonly FieldDifference[] {
  return [...differing(wanted, live, path, remembered(listRule))]
}

/** One after the other, so that who asks whether there is one at all looks no further than the first. */
function* differing(
  wanted: unknown,
  live: unknown,
  path: string,
  listRule: (path: string) => ListRule
): Generator<FieldDifference, undefined> {
  if (isEmpty(wanted)) return
  if (isMap(wanted)) {
    if (!isMap(live)) yield { path, wanted, live }
    else
      for (const [key, value] of Object.entries(wanted))
        yield* differing(value, live[key], path === '' ? key : `${path}.${key}`, listRule)
  } else if (Array.isArray(wanted)) yield* differingLists(wanted, live, path, listRule)
  else if (!same(wanted, live, path)) yield { path, wanted, live }
}

/** Where `1` and `1000m` are two things: what a person or a program wrote, and nothing that Kubernetes counts with. */
const texts =
  /(^|\.)(labels|annotations|tags|matchLabels|nodeSelector|selector|data)\.|(^|\.)(env|args|command|values|userData|image|verbs|resourceNames|name|key|username)(\.value)?$/

function same(wanted: unknown, live: unknown, path: string): boolean {
  const [one, other] = [String(wanted), scalarText(live)]
  if (other === undefined || one === other) return one === other
  // Hardly two that are not alike to the letter mean the same: what a path is of is looked at last.
  return sameAmount(one, other) && !texts.test(plainOf(path))
}

/** Entries of sets are compared each with each, and have the same lists. */
function remembered(listRule: (path: string) => ListRule): (path: string) => ListRule {
  const rules = new Map<string, ListRule>()
  return (path) => {
    const rule = rules.get(path) ?? listRule(path)
    rules.set(path, rule)
    return rule
  }
}

/** The path without the entries of lists. */
function plainOf(path: string): string {
  return path.replaceAll(/\[[^\]]*\]/g, '')
}

function* differingLists(
  wanted: readonly unknown[],
  live: unknown,
  path: string,
  listRule: (path: string) => ListRule
): Generator<FieldDifference, undefined> {
  const entries: readonly unknown[] = Array.isArray(live) ? live : []
  const rule = listRule(path)
  if (rule === 'ordered') {
    if (entries.length !== wanted.length) yield { path, wanted, live }
    else
      for (const [index, value] of wanted.entries())
        yield* differing(value, entries[index], `${path}[${index}]`, listRule)
    return
  }
  if (rule === 'set') {
    const contains = containing(path, listRule)
    const isSame =
      wanted.every((value) => entries.some((entry) => contains(value, entry))) &&
      entries.every((entry) => wanted.some((value) => contains(value, entry)))
    if (!isSame) yield { path, wanted, live }
    return
  }
  // Entries that only live has were put there by others: injected containers, environment, volumes. Of two entries with
  // one name the later one counts, so each must be as wanted.
  for (const value of wanted) {
    const name = isMap(value) ? value[rule.key] : undefined
    const found = entries
      .filter((entry) => isMap(entry) && entry[rule.key] === name)
      .map((entry) => subsetDifferences(value, entry, `${path}[${String(name)}]`, listRule))
      .toSorted((a, b) => a.length - b.length)
    // What has no name (a container's only port) is any that says the same.
    const decisive = name === undefined ? found[0] : found.at(-1)
    yield* decisive ?? differing(value, undefined, `${path}[${String(name)}]`, listRule)
  }
}

function containing(path: string, listRule: (path: string) => ListRule) {
  return (wanted: unknown, live: unknown): boolean =>
    differing(wanted, live, path, listRule).next().done === true
}

/** What a list lacks of the wanted one, and what it has besides, whatever the order. */
export function setDifference(
  wanted: readonly unknown[],
  live: readonly unknown[],
  path = '',
  listRule: (path: string) => ListRule = defaultListRule
): { readonly lacking: readonly unknown[]; readonly surplus: readonly unknown[] } {
  const contains = containing(path, remembered(listRule))
  return {
    lacking: wanted.filter((value) => !live.some((entry) => contains(value, entry))),
    surplus: live.filter((entry) => !wanted.some((value) => contains(value, entry)))
  }
}

const keyed = /(^|\.)(containers|initContainers|env|volumes|volumeMounts|ports|imagePullSecrets|secrets)$/
const sets =
  /(^|\.)(values|verbs|resources|apiGroups|resourceNames|nonResourceURLs|accessModes|finalizers|rules|resourceRules|nonResourceRules|subjects|taints|startupTaints|tolerations|amiSelectorTerms|subnetSelectorTerms|securityGroupSelectorTerms|requirements|drop)$/

/** How Kubernetes reads the list at a path. */
export function defaultListRule(path: string): ListRule {
  const plain = plainOf(path)
  if (sets.test(plain)) return 'set'
  if (keyed.test(plain)) return { key: plain.endsWith('volumeMounts') ? 'mountPath' : 'name' }
  return 'ordered'
}

/** An empty map, an empty list, null and an absent field are the same. */
export function isEmpty(value: unknown): boolean {
  return (
    value === undefined ||
    value === null ||
    (Array.isArray(value) && value.length === 0) ||
    (isMap(value) && Object.keys(value).length === 0)
  )
}

/** Whether two texts stand for one amount: `1` and `1000m`, `720h` and `720h0m0s`. */
export function sameAmount(one: string, other: string): boolean {
  const [amount, time] = [quantity(one), duration(one)]
  return (
    (amount !== undefined && amount === quantity(other)) || (time !== undefined && time === duration(other))
  )
}

function scalarText(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : undefined
}

/** Whether two values are the same up to the order of keys; for wanted against recorded. */
export function sameValue(a: unknown, b: unknown): boolean {
  return canonical(a) === canonical(b)
}
