import { isRecord } from '../input.js'

/** Output of the JSON protocols: times as seconds since the epoch, absent members left out. */
export function toJson(value: unknown): string {
  return JSON.stringify(plain(value))
}

function plain(value: unknown): unknown {
  if (value instanceof Date) return value.getTime() / 1000
  if (Array.isArray(value)) return value.map(plain)
  if (isRecord(value))
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, plain(item)]))
  return value
}

/** A body that is no JSON object reads as undefined. An empty one is an empty input. */
export function parseJsonObject(body: string): Readonly<Record<string, unknown>> | undefined {
  if (body === '') return {}
  try {
    const parsed: unknown = JSON.parse(body)
    return isRecord(parsed) ? parsed : undefined
  } catch {
    return undefined
  }
}
