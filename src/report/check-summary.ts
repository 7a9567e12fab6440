import type { Finding } from '../engine/findings.js'
import { literal, table, value } from './markdown.js'
import type { Report } from './report.js'

/** Rows that a person reads; the report has them all. */
const mostRows = 200

/** `3 drift, 1 pending`; undefined when nothing was found. */
export function countsText(counts: Report['counts']): string | undefined {
  const found = Object.entries(counts ?? {}).filter(([, count]) => count > 0)
  return found.length === 0 ? undefined : found.map(([kind, count]) => `${count} ${kind}`).join(', ')
}

/** Every finding, grouped by layer, the gravest first. */
export function findingsText(findings: readonly Finding[]): string {
  const shown = bySeverity(findings).slice(0, mostRows)
  const layers = [...new Set(shown.map(({ layer }) => layer))]
  const rest = findings.length - shown.length
  return [
    ...layers.map((layer) => {
      const rows = shown.filter((finding) => finding.layer === layer).map(row)
      const head = ['', 'Resource', 'Field', 'Wanted', 'Recorded', 'Found', 'Severity', 'By', 'Install would']
      return `### ${layer}\n\n${table(head, rows)}`
    }),
    ...(rest > 0 ? [`and ${rest} more (see the report)`] : [])
  ].join('\n\n')
}

/** The gravest first; otherwise in the order in which they were found. */
export function bySeverity(findings: readonly Finding[]): readonly Finding[] {
  const rank = ({ kind, severity }: Finding): number =>
    kind === 'unknown' ? 2 : { 'breaks scaling': 0, 'weakens security': 1, cosmetic: 3 }[severity]
  return findings.toSorted((a, b) => rank(a) - rank(b))
}

function row(finding: Finding): readonly string[] {
  const { kind, title, path, wanted, recorded, live, severity, by, install, reason } = finding
  const unknown = kind === 'unknown'
  return [
    kind,
    literal(title),
    value(path === '' ? undefined : path),
    value(wanted),
    value(recorded),
    unknown ? literal(reason) : value(live),
    unknown ? '' : severity,
    by === undefined ? '' : literal([by.manager, by.time].filter((part) => part !== undefined).join(', ')),
    literal(install)
  ]
}
