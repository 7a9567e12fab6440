import { byText } from './order.js'
/** A JSON object, as YAML and AWS give it. */
export type JsonMap = Record<string, unknown>

export function isMap(value: unknown): value is JsonMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** `over` wins; maps are merged key by key, everything else is replaced, as helm merges values. */
export function overlay(base: Readonly<JsonMap>, over: Readonly<JsonMap>): JsonMap {
  const merged: JsonMap = { ...base }
  for (const [key, value] of Object.entries(over)) {
    const below = merged[key]
    merged[key] = isMap(below) && isMap(value) ? overlay(below, value) : value
  }
  return merged
}

/** Same text for the same value, whatever the order of keys. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    isMap(part) ? Object.fromEntries(Object.entries(part).sort(byText(([key]) => key))) : part
  )
}

/** The map under a key; an empty one where there is none. */
export function mapAt(value: unknown, key: string): JsonMap {
  const own = isMap(value) ? value[key] : undefined
  return isMap(own) ? own : {}
}

/** The given keys that are there, with their values. */
export function picked(from: JsonMap, keys: readonly string[]): JsonMap {
  return Object.fromEntries(keys.filter((key) => from[key] !== undefined).map((key) => [key, from[key]]))
}
