import { isMap } from './json.js'

/** What is kept of one resource after an install. */
export interface RecordedResource {
  /** `created` by us, or `found` as it was wanted: removal leaves what was found. */
  readonly origin: 'created' | 'found'
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
    if (isMap(entry) && (entry['origin'] === 'created' || entry['origin'] === 'found')) {
      resources[id] = { origin: entry['origin'], wanted: entry['wanted'] }
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

/** What a walk knows of a resource, for the record. */
export interface WalkedResource {
  readonly id: string
  readonly wanted: unknown
  /** Nothing was there when it was read. */
  readonly wasAbsent: boolean
}

/** The record after an install: what was absent is created, what was there keeps the origin that it had. */
export function nextRecord(
  previous: InstallRecord | undefined,
  facts: Pick<InstallRecord, 'karpenterVersion' | 'run' | 'time' | 'smokeTest'>,
  resources: readonly WalkedResource[]
): InstallRecord {
  return {
    schema: 1,
    ...facts,
    resources: Object.fromEntries(
      resources.map(({ id, wanted, wasAbsent }) => [
        id,
        { origin: previous?.resources[id]?.origin ?? (wasAbsent ? 'created' : 'found'), wanted }
      ])
    )
  }
}

/**
 * The record before the first write: says of what is absent that we are about to create it, so that a run that is killed
 * does not take its own work for somebody else's the next time. Undefined when there is nothing new to say.
 */
export function recordAhead(
  previous: InstallRecord | undefined,
  facts: Pick<InstallRecord, 'karpenterVersion' | 'run' | 'time'>,
  resources: readonly WalkedResource[]
): InstallRecord | undefined {
  const fresh = resources.filter(({ id, wasAbsent }) => wasAbsent && previous?.resources[id] === undefined)
  if (fresh.length === 0) return undefined
  const announced = fresh.map(({ id }) => [id, { origin: 'created' as const, wanted: undefined }] as const)
  return {
    schema: 1,
    ...facts,
    ...(previous !== undefined && { karpenterVersion: previous.karpenterVersion }),
    resources: { ...previous?.resources, ...Object.fromEntries(announced) }
  }
}
