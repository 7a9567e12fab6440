import type { Finding } from '../engine/findings.js'
import { moreThan, shown as cellText, table, type Text, value } from './markdown.js'

/** What a person reads; the report has all. The bytes keep the whole below the summary's limit. */
const mostRows = 200
const mostBytes = 120_000

/** The findings, grouped by layer, the gravest first; those that do not fit are counted. */
export function findingsText(findings: readonly Finding[]): string {
  const shown = fitting(bySeverity(findings).slice(0, mostRows))
  const layers = [...new Set(shown.map(({ layer }) => layer))]
  return [
    ...layers.map((layer) => {
      const rows = shown.filter((one) => one.layer === layer).map(({ cells }) => cells)
      const head = ['', 'Resource', 'Field', 'Wanted', 'Recorded', 'Found', 'Severity', 'By', 'Install would']
      return `### ${layer}\n\n${table(head, rows)}`
    }),
    ...moreThan(shown.length, findings.length).filter((line) => line !== '')
  ].join('\n\n')
}

function fitting(
  findings: readonly Finding[]
): readonly { readonly layer: string; readonly cells: readonly Text[] }[] {
  const rows = findings.map((finding) => ({ layer: finding.layer, cells: row(finding) }))
  let used = 0
  const first = rows.findIndex(
    ({ cells }) => (used += Buffer.byteLength(cells.map(cellText).join(' | '))) > mostBytes
  )
  return first === -1 ? rows : rows.slice(0, first)
}

/** The gravest first; otherwise in the order in which they were found. */
export function bySeverity(findings: readonly Finding[]): readonly Finding[] {
  const rank = ({ kind, severity }: Finding): number =>
    kind === 'unknown'
      ? 2
      : { 'breaks scaling': 0, 'weakens security': 1, 'changes behaviour': 3, cosmetic: 4 }[severity]
  return findings.toSorted((a, b) => rank(a) - rank(b))
}

function row(finding: Finding): readonly Text[] {
  const { kind, title, path, wanted, recorded, live, severity, by, install, reason, missingPermission } =
    finding
  const unknown = kind === 'unknown'
  const said = unknown || kind === 'unhealthy'
  const lacks = missingPermission === undefined ? '' : ` (missing: ${missingPermission})`
  return [
    kind,
    title,
    value(path === '' ? undefined : path),
    value(wanted),
    value(recorded),
    said ? `${reason}${lacks}` : value(live),
    unknown ? '' : severity,
    by === undefined ? '' : [by.manager, by.time].filter((part) => part !== undefined).join(', '),
    install
  ]
}
