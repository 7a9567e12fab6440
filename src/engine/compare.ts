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
 * same as text, number, Kubernetes quantity or Go duration.
 */
export function subsetDifferences(
  wanted: unknown,
  live: unknown,
  path = '',
  listRule: (path: string) => ListRule = defaultListRule
): readonly FieldDifference[] {
  if (isEmpty(wanted)) return []
  if (isMap(wanted)) {
    if (!isMap(live)) return [{ path, wanted, live }]
    return Object.entries(wanted).flatMap(([key, value]) =>
      subsetDifferences(value, live[key], path === '' ? key : `${path}.${key}`, listRule)
    )
  }
  if (Array.isArray(wanted)) return listDifferences(wanted, live, path, listRule)
  return sameScalar(wanted, live) ? [] : [{ path, wanted, live }]
}

function listDifferences(
  wanted: readonly unknown[],
  live: unknown,
  path: string,
  listRule: (path: string) => ListRule
): readonly FieldDifference[] {
  const entries: readonly unknown[] = Array.isArray(live) ? live : []
  const rule = listRule(path)
  if (rule === 'ordered') {
    if (entries.length !== wanted.length) return [{ path, wanted, live }]
    return wanted.flatMap((value, index) =>
      subsetDifferences(value, entries[index], `${path}[${index}]`, listRule)
    )
  }
  if (rule === 'set') {
    const same = (a: unknown, b: unknown): boolean => subsetDifferences(a, b, path, listRule).length === 0
    const contained = wanted.every((value) => entries.some((entry) => same(value, entry)))
    const surplus = entries.some((entry) => !wanted.some((value) => same(value, entry)))
    return contained && !surplus ? [] : [{ path, wanted, live }]
  }
  // Entries that only live has were put there by others: injected containers, environment, volumes.
  return wanted.flatMap((value) => {
    const name = isMap(value) ? value[rule.key] : undefined
    const found = entries.find((entry) => isMap(entry) && entry[rule.key] === name)
    return subsetDifferences(value, found, `${path}[${String(name)}]`, listRule)
  })
}

const keyed = /(^|\.)(containers|initContainers|env|volumes|volumeMounts|ports)$/
const sets =
  /(^|\.)(values|verbs|resources|apiGroups|resourceNames|accessModes|finalizers|imagePullSecrets|subjects|taints|startupTaints|tolerations|amiSelectorTerms|subnetSelectorTerms|securityGroupSelectorTerms|requirements)$/

function defaultListRule(path: string): ListRule {
  const plain = path.replaceAll(/\[[^\]]*\]/g, '')
  if (sets.test(plain)) return 'set'
  if (keyed.test(plain)) return { key: plain.endsWith('volumeMounts') ? 'mountPath' : 'name' }
  return 'ordered'
}

function isEmpty(value: unknown): boolean {
  return (
    value === undefined ||
    value === null ||
    (Array.isArray(value) && value.length === 0) ||
    (isMap(value) && Object.keys(value).length === 0)
  )
}

/** Whether two scalars say the same: `1` and `"1000m"`, `720h` and `720h0m0s`. */
export function sameScalar(a: unknown, b: unknown): boolean {
  if (a === b) return true
  const [left, right] = [scalarText(a), scalarText(b)]
  if (left === undefined || right === undefined) return false
  if (left === right) return true
  const quantities = [quantity(left), quantity(right)]
  if (quantities[0] !== undefined && quantities[0] === quantities[1]) return true
  const durations = [duration(left), duration(right)]
  return durations[0] !== undefined && durations[0] === durations[1]
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
