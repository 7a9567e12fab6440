import type { Finding } from '../engine/findings.js'
import type { Inspection } from '../engine/resource.js'
import type { Discovery } from './discovery.js'
import { idOf } from '../resources/ids.js'

type Found = Pick<Discovery, 'record' | 'brokenRecord' | 'denied'>

/** Whether something stands, and no record says that it was installed: not where the caller may not read the record. */
export function recordIsLost(found: Found, inspections: ReadonlyMap<string, Inspection>): boolean {
  if (found.record !== undefined || found.denied.some(({ what }) => what === 'record')) return false
  return [...inspections.values()].some(
    ({ resource: { id }, present }) => id === idOf.helmRelease && present.length > 0
  )
}

/**
 * Whether all stands as it is wanted, and the record says otherwise: the run that made it so ended before it wrote the
 * record, or somebody did by hand what the inputs ask for now. Until it is written, a check takes that for drift.
 */
export function recordIsBehind(
  { record }: Pick<Discovery, 'record'>,
  version: string,
  inspections: ReadonlyMap<string, Inspection>
): boolean {
  if (record === undefined) return false
  if (record.karpenterVersion !== version) return true
  return [...inspections.values()].some((inspection) => {
    if (inspection.resource.wanted === undefined) return false
    const recorded = record.resources[inspection.resource.id]?.wanted
    return recorded === undefined || inspection.against(recorded).length > 0
  })
}

/** What a check says of it. */
export function lostRecordFinding(
  found: Found,
  inspections: ReadonlyMap<string, Inspection>
): readonly Finding[] {
  if (!recordIsLost(found, inspections)) return []
  const { brokenRecord } = found
  return [
    {
      kind: 'pending',
      id: 'record',
      title: 'ConfigMap kube-system/setup-karpenter',
      layer: 'kubernetes',
      path: '',
      wanted: 'the record of the install',
      recorded: undefined,
      live: undefined,
      severity: 'changes behaviour',
      reason:
        brokenRecord === undefined
          ? 'the record of the install is not there, so drift cannot be told from what the inputs changed'
          : `the record of the install cannot be read: ${brokenRecord}`,
      install: `write it anew, from marks and from what is there${brokenRecord === undefined ? '' : ', and keep the other as Secret setup-karpenter-unreadable'}`
    }
  ]
}

/** What a check says of helm-values that do not stand where they belong: a line, because it harms no node. */
export function recordValuesNotes({ recordValues }: Pick<Discovery, 'recordValues'>): readonly string[] {
  if (recordValues === undefined) return []
  const where = 'Secret kube-system/setup-karpenter'
  return [
    recordValues === 'in clear'
      ? `the record (ConfigMap kube-system/setup-karpenter) has helm-values that may be secret in clear; the next install moves them into ${where}`
      : `the record's helm-values are gone from ${where}; the next install writes them anew`
  ]
}
