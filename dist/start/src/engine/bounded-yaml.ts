import { isMap } from './json.js'

/** What YAML text may come to once its aliases are written out; far more than any manifest or map of values has. */
const mostValues = 100_000
/** Characters. etcd takes objects up to 1.5 MiB. */
const mostCharacters = 2_000_000

/**
 * Text from outside that is small enough to be read as YAML, and a value read from it that is small enough to be walked:
 * an alias costs its reader nothing and each walk the whole of what it stands for. Both throw an Error that says which.
 */
export function boundedText(text: string): string {
  if (text.length > mostCharacters)
    throw new Error(`it has ${text.length} characters, more than the ${mostCharacters} that are read`)
  return text
}

export function boundedValue(value: unknown): unknown {
  const counted = new Map<unknown, number>()
  const open = new Set<unknown>()
  const count = (of: unknown): number => {
    if (!Array.isArray(of) && !isMap(of)) return 1
    const known = counted.get(of)
    if (known !== undefined) return known
    if (open.has(of)) throw new Error('an alias in it stands for what it is part of')
    open.add(of)
    const parts: readonly unknown[] = Array.isArray(of) ? of : Object.values(of)
    const sum = parts.reduce<number>((all, part) => all + count(part), 1)
    if (sum > mostValues) throw new Error(`its aliases come to more than ${mostValues} values`)
    open.delete(of)
    counted.set(of, sum)
    return sum
  }
  count(value)
  return value
}
