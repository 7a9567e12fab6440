/** Reading values of unknown shape (parsed YAML and JSON) without casts. */

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The value as an object; an empty one when it is none. */
export function record(value: unknown): Readonly<Record<string, unknown>> {
  return isRecord(value) ? value : {}
}

/** The value as a list; an empty one when it is none. */
export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

/** A scalar as text; undefined for anything else. */
export function text(value: unknown): string | undefined {
  if (typeof value === 'string') {
    return value
  }
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined
}

/** The scalar entries of an object, as text. */
export function textRecord(value: unknown): Record<string, string> {
  const entries: Record<string, string> = {}
  for (const [key, entry] of Object.entries(record(value))) {
    const scalar = text(entry)
    if (scalar !== undefined) {
      entries[key] = scalar
    }
  }
  return entries
}
