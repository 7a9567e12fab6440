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
  return { schema: 1, karpenterVersion, run, time, resources }
}

/** The record after an install: what was absent is created, what was there keeps the origin that it had. */
export function nextRecord(
  previous: InstallRecord | undefined,
  facts: Pick<InstallRecord, 'karpenterVersion' | 'run' | 'time'>,
  resources: readonly { readonly id: string; readonly wanted: unknown; readonly wasAbsent: boolean }[]
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
