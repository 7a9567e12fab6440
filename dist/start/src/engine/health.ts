import type { Severity } from './difference.js'

/** Something that is there, as wanted or not, and does not do its work. */
export interface Ailment {
  /** What of it, as a field path: `status.availableReplicas`, `status.conditions[Ready]`. */
  readonly path: string
  readonly wanted: unknown
  readonly live: unknown
  /** One sentence for a person, with the reason that the thing itself gives. */
  readonly reason: string
  readonly severity: Severity
  /** What mode install would do about it; nothing where this is left out. */
  readonly install?: string
  /** What to do now, in a sentence. */
  readonly fix: string
}

/** What the caller may not read of it. */
export interface Unread {
  readonly reason: string
  readonly missingPermission: string
}

export interface Health {
  readonly ailments: readonly Ailment[]
  readonly unread: readonly Unread[]
}

export const well: Health = { ailments: [], unread: [] }

/** What a look at something's health may use: what a Step has for the same. */
export interface Look {
  readonly signal: AbortSignal
  now(): number
  pause(milliseconds: number): Promise<void>
}
