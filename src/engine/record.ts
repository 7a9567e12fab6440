import { isMap } from './json.js'

/** What is kept of one resource after an install. */
export interface RecordedResource {
  /** Names of what was there of it before our first write; removal leaves them. Empty: all of it is our work. */
  readonly before: readonly string[]
  /** Undefined while a run that was broken off has only said that it is about to make it. */
  readonly wanted: unknown
}

/** What is kept in the ConfigMap kube-system/setup-karpenter after each install. */
export interface InstallRecord {
  readonly schema: 1
  readonly karpenterVersion: string
  readonly run: string
  /** ISO 8601. */
  readonly time: string
  /** The last smoke test that passed on what is recorded; gone with the next change. */
  readonly smokeTest?: { readonly time: string }
  readonly resources: Readonly<Record<string, RecordedResource>>
}

export function parseRecord(text: string): InstallRecord | undefined {
  const value: unknown = JSON.parse(text)
  if (!isMap(value) || value['schema'] !== 1 || !isMap(value['resources'])) return undefined
  const { karpenterVersion, run, time } = value
  if (typeof karpenterVersion !== 'string' || typeof run !== 'string' || typeof time !== 'string')
    return undefined
  const resources: Record<string, RecordedResource> = {}
  for (const [id, entry] of Object.entries(value['resources'])) {
    if (isMap(entry) && isTexts(entry['before'])) {
      resources[id] = { before: entry['before'], wanted: entry['wanted'] }
    }
  }
  const passed = isMap(value['smokeTest']) ? value['smokeTest']['time'] : undefined
  return {
    schema: 1,
    karpenterVersion,
    run,
    time,
    ...(typeof passed === 'string' && { smokeTest: { time: passed } }),
    resources
  }
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string')
}

/** What a walk knows of a resource, for the record. */
export interface WalkedResource {
  readonly id: string
  readonly wanted: unknown
  /** Names of what was there of it when it was read, before this run wrote anything. */
  readonly found: readonly string[]
}

/** The record after an install. What was there before is what was found by the first run that saw the resource. */
export function nextRecord(
  previous: InstallRecord | undefined,
  facts: Pick<InstallRecord, 'karpenterVersion' | 'run' | 'time' | 'smokeTest'>,
  resources: readonly WalkedResource[]
): InstallRecord {
  return {
    schema: 1,
    ...facts,
    resources: Object.fromEntries(
      resources.map(({ id, wanted, found }) => [
        id,
        { before: previous?.resources[id]?.before ?? found, wanted }
      ])
    )
  }
}

/**
 * The record before the first write: says what was there before us of every resource that no run has seen yet, so that a
 * run that is killed does not take its own work for somebody else's the next time. Undefined when there is nothing new.
 */
export function recordAhead(
  previous: InstallRecord | undefined,
  facts: Pick<InstallRecord, 'karpenterVersion' | 'run' | 'time'>,
  resources: readonly WalkedResource[]
): InstallRecord | undefined {
  const fresh = resources.filter(({ id }) => previous?.resources[id] === undefined)
  if (fresh.length === 0) return undefined
  const announced = fresh.map(({ id, found }) => [id, { before: found, wanted: undefined }] as const)
  return {
    schema: 1,
    ...facts,
    ...(previous !== undefined && { karpenterVersion: previous.karpenterVersion }),
    resources: { ...previous?.resources, ...Object.fromEntries(announced) }
  }
}
