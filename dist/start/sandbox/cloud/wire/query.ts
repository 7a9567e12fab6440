/** Input of the query and EC2 protocols: form fields whose dotted names spell out lists, structures and maps. */

interface Tree {
  [name: string]: Tree | string
}

/**
 * `Tags.member.1.Key=a` (query) and `Tag.1.Key=a` (EC2) both become `{ Tags: [{ Key: 'a' }] }`. An empty list is sent as
 * an empty text and stays one.
 */
export function parseQuery(form: URLSearchParams): Readonly<Record<string, unknown>> {
  const tree: Tree = {}
  for (const [name, value] of form) {
    if (name === 'Action' || name === 'Version' || name.startsWith('X-Amz-')) continue
    place(tree, name.split('.'), value)
  }
  return Object.fromEntries(Object.entries(tree).map(([name, value]) => [name, shaped(value)]))
}

function place(tree: Tree, path: readonly string[], value: string): void {
  const [head, ...rest] = path
  if (head === undefined || head === '__proto__') return
  if (rest.length === 0) {
    tree[head] = value
    return
  }
  const next = tree[head]
  const branch: Tree = typeof next === 'object' ? next : {}
  tree[head] = branch
  place(branch, rest, value)
}

function shaped(value: Tree | string): unknown {
  if (typeof value === 'string') return value
  const names = Object.keys(value)
  const only = names.length === 1 ? value[names[0] ?? ''] : undefined
  if (names[0] === 'member' && typeof only === 'object') return shaped(only)
  if (names[0] === 'entry' && typeof only === 'object') return mapOf(shaped(only))
  if (names.length > 0 && names.every((name) => /^\d+$/.test(name))) {
    return names.toSorted((a, b) => Number(a) - Number(b)).map((name) => shaped(value[name] ?? ''))
  }
  return Object.fromEntries(names.map((name) => [name, shaped(value[name] ?? '')]))
}

function mapOf(entries: unknown): unknown {
  if (!Array.isArray(entries)) return {}
  return Object.fromEntries(
    entries.map((entry: unknown) => {
      const { key, value } = entry as { readonly key?: unknown; readonly value?: unknown }
      return [String(key), value]
    })
  )
}
