import { mapAt } from '../engine/json.js'
import { type InstallRecord, readRecordText } from '../engine/record.js'
import type { Step } from '../engine/resource.js'
import { readDeployedValues } from '../helm/release.js'
import { releaseName } from '../karpenter/names.js'
import type { Kubernetes } from '../kubernetes/client.js'
import { isKubernetesError } from '../kubernetes/errors.js'
import { readRecord, readRecordValues } from '../kubernetes/record-store.js'
import type { Denied } from '../resources/denied.js'
import { parseValues, type RecordValues, withoutValues, withValues } from './record-values.js'
import { recordedNamespace } from '../resources/recorded.js'

/** The record of the last install, as far as it can be read. */
export interface Stored {
  readonly record: InstallRecord | undefined
  readonly broken?: string
  readonly values?: 'in clear' | 'lost'
}

/** Losing the record loses no cluster: without it everything is compared afresh. */
export async function installRecord(kubernetes: Kubernetes, step: Step, denied: Denied[]): Promise<Stored> {
  const stored = await readRecord(kubernetes)
  if (stored.state === 'absent') return { record: undefined }
  const read = stored.state === 'present' ? readRecordText(stored.text) : undefined
  if (read !== undefined && !('broken' in read)) return withItsValues(read, kubernetes, step, denied)
  const reason = read?.broken ?? (stored.state === 'present' ? '' : stored.reason)
  if (stored.state === 'unreadable') {
    const { missingPermission } = stored
    denied.push({ what: 'record', layer: 'kubernetes', missingPermission, reason })
  }
  step.warning(`record kube-system/setup-karpenter: ${reason}; going on without it`)
  return { record: undefined, ...(stored.state !== 'unreadable' && { broken: reason }) }
}

async function withItsValues(
  record: InstallRecord,
  kubernetes: Kubernetes,
  step: Step,
  denied: Denied[]
): Promise<Stored> {
  if (record.valuesIn === undefined) {
    return { record, ...(withoutValues(record).values !== undefined && { values: 'in clear' }) }
  }
  let values: RecordValues | undefined
  try {
    values = parseValues(await readRecordValues(kubernetes, record.time))
  } catch (error) {
    if (!isKubernetesError(error, 403)) throw error
    const { permission: missingPermission = 'get secrets in namespace kube-system', message: reason } = error
    denied.push({ what: 'values of the record', layer: 'kubernetes', missingPermission, reason })
    return { record: await withLiveValues(record, kubernetes) }
  }
  if (values !== undefined) return { record: withValues(record, values) }
  step.warning(
    'record kube-system/setup-karpenter: its helm-values are gone from Secret kube-system/setup-karpenter; going on with those of the release'
  )
  return { record: await withLiveValues(record, kubernetes), values: 'lost' }
}

/**
 * With the values that the release has now: an installation that was taken over goes on with its own, and what else
 * differs from the record is still found.
 */
async function withLiveValues(record: InstallRecord, kubernetes: Kubernetes): Promise<InstallRecord> {
  const where = recordedNamespace(record) ?? mapAt(record, 'adoption')['namespace']
  if (typeof where !== 'string') return record
  const given = mapAt(await readDeployedValues(kubernetes, releaseName, where), 'given')
  return withValues(record, { release: given, adoption: given })
}
