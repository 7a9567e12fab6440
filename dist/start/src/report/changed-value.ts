import { canonical, isMap } from '../engine/json.js'
import { code, markdown, type Markdown, shown, value } from './markdown.js'

/** A value that is longer is told by where it differs. */
const longestValue = 160
const mostPlaces = 6

/** What stands before the two values: `was`, `is`. */
export type ValueWords = readonly [string, string]

/**
 * How a value has moved, a text each: the two values where they are short, else the places in which they differ, whatever
 * the order of keys and of what stands in lists.
 */
export function changedValue(
  was: unknown,
  is: unknown,
  words: ValueWords = ['was', 'is']
): readonly Markdown[] {
  if (was === undefined && is === undefined) return []
  if (isShort(was) && isShort(is)) return [moved(was, is, words)]
  // Of what is there as a whole, or not at all, the reason says so.
  if (was === undefined || is === undefined) return []
  const places = placesOf(was, is, '', words)
  const more = places.length - mostPlaces
  return [
    ...places.slice(0, mostPlaces),
    ...(more > 0 ? [markdown(`and in ${more} more places (see the report)`)] : [])
  ]
}

function isShort(of: unknown): boolean {
  return of === undefined || textOf(of).length <= longestValue
}

function textOf(of: unknown): string {
  return typeof of === 'string' ? of : canonical(of)
}

function moved(was: unknown, is: unknown, [before, after]: ValueWords): Markdown {
  const from = whereTheyPart(was, is)
  return markdown(`${before} ${valueText(was, from)} → ${after} ${valueText(is, from)}`)
}

/** Of two long texts, such as user data, the place from which on they are told; 0 for all others. */
function whereTheyPart(was: unknown, is: unknown): number {
  if (typeof was !== 'string' || typeof is !== 'string' || (isShort(was) && isShort(is))) return 0
  let at = 0
  while (at < was.length && was[at] === is[at]) at += 1
  return Math.max(0, at - 30)
}

function valueText(of: unknown, from = 0): string {
  if (of === undefined) return 'not there'
  return shown(value(typeof of === 'string' && from > 0 ? `...${of.slice(from)}` : of))
}

function placesOf(was: unknown, is: unknown, path: string, words: ValueWords): readonly Markdown[] {
  if (canonical(was) === canonical(is)) return []
  if (isMap(was) && isMap(is)) {
    const keys = [...new Set([...Object.keys(was), ...Object.keys(is)])].toSorted()
    return keys.flatMap((key) => placesOf(was[key], is[key], path === '' ? key : `${path}.${key}`, words))
  }
  if (Array.isArray(was) && Array.isArray(is)) return listPlaces(was, is, path, words)
  const at = path === '' ? '' : `${shown(code(path))}: `
  return [markdown(`${at}${shown(moved(was, is, words))}`)]
}

/** Whatever the order: what one of them has and the other has not. Entries with a name are compared by it. */
function listPlaces(
  was: readonly unknown[],
  is: readonly unknown[],
  path: string,
  words: ValueWords
): readonly Markdown[] {
  const named = new Map(was.flatMap((one) => (nameOf(one) === undefined ? [] : [[nameOf(one), one]])))
  const others = new Map(is.flatMap((one) => (nameOf(one) === undefined ? [] : [[nameOf(one), one]])))
  if (named.size === was.length && others.size === is.length) {
    const names = [...new Set([...named.keys(), ...others.keys()])]
    return names.flatMap((name) =>
      placesOf(named.get(name), others.get(name), `${path}[${name ?? ''}]`, words)
    )
  }
  const at = path === '' ? '' : `${shown(code(path))} `
  const without = lacking(was, is).map((one) => markdown(`${at}lacks ${valueText(one)}`))
  return [...without, ...lacking(is, was).map((one) => markdown(`${at}has ${valueText(one)} besides`))]
}

function lacking(of: readonly unknown[], other: readonly unknown[]): readonly unknown[] {
  const there = new Set(other.map(canonical))
  return of.filter((one) => !there.has(canonical(one)))
}

/** By which an entry of a list is known: of a statement, a container, a requirement, a tag. */
function nameOf(of: unknown): string | undefined {
  if (!isMap(of)) return undefined
  const name = of['Sid'] ?? of['name'] ?? of['key'] ?? of['Key']
  return typeof name === 'string' ? name : undefined
}
