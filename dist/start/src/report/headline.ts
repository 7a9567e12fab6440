import { type FindingKind, notInstalledId } from '../engine/findings.js'
import { planHeadline } from './plan-text.js'
import type { Report } from './report.js'

/** Whether all is well, in a few words. */
export function headlineOf(report: Omit<Report, 'headline'>): string {
  const { mode, result, findings, counts, removal } = report
  if (result === 'cancelled') return 'cancelled'
  if (report.plan !== undefined) return planHeadline(report.plan)
  if (findings !== undefined && report.adoption !== undefined && result !== 'failed') return 'not adopted yet'
  if (findings?.some(({ id }) => id === notInstalledId) === true) return 'not installed'
  if (findings !== undefined) return countsText(counts) ?? 'all as installed'
  if (removal !== undefined && removal.leftovers.length > 0) return `${removal.leftovers.length} left over`
  if (result === 'failed') return 'failed'
  if (mode === 'uninstall') return removal?.removed.length === 0 ? 'nothing to remove' : 'nothing is left'
  if (mode === 'smoke-test') return 'scales'
  if (report.adoption !== undefined) return 'adopted'
  return report.changed ? 'installed' : 'all as wanted'
}

/** `3 drift, 1 pending`; undefined when nothing was found. */
export function countsText(
  counts: Readonly<Partial<Record<FindingKind, number>>> | undefined
): string | undefined {
  const found = Object.entries(counts ?? {}).filter(([, count]) => count > 0)
  return found.length === 0 ? undefined : found.map(([kind, count]) => `${count} ${kind}`).join(', ')
}
