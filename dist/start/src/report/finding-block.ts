import type { Author, Difference, Severity } from '../engine/difference.js'
import type { Finding } from '../engine/findings.js'
import { changedValue } from './changed-value.js'
import { bold, code, cut, literal, prose, shown } from './markdown.js'
import { adviceText } from './prose.js'
import { opening, type Section } from './sections.js'

const longestReason = 600
/** The first are open, the others folded. */
const mostOpen = 12

/** All findings of a check as blocks, the gravest first. */
export function findingSections(findings: readonly Finding[]): readonly Section[] {
  return opening(bySeverity(findings).map(findingBlock), mostOpen)
}

/** The gravest first; otherwise in the order in which they were found. */
export function bySeverity(findings: readonly Finding[]): readonly Finding[] {
  const rank = ({ kind, severity }: Finding): number => (kind === 'unknown' ? 2 : severityRanks[severity])
  return findings.toSorted((a, b) => rank(a) - rank(b))
}

export const severityRanks: Readonly<Record<Severity, number>> = {
  'breaks scaling': 0,
  'weakens security': 1,
  'changes behaviour': 3,
  cosmetic: 4
}

/** A point of a list: what it is, why, was and is, who and when, and what an install would do. */
export function findingBlock(finding: Finding): string {
  const { kind, title, path, severity, by, install } = finding
  const field = path === '' ? '' : ` ${shown(code(path))}`
  const matters = kind === 'unknown' ? '' : `, ${severity}`
  return [
    `- ${bold(title)}${field}: ${kind}${matters}`,
    ...[
      reasonText(finding),
      ...(kind === 'unknown' || kind === 'unhealthy' ? [] : valuesOf(finding)),
      ...(by === undefined ? [] : [`by ${literal(authorText(by))}`]),
      adviceText(`install would ${install}`)
    ]
      // A point with nothing in it would make a heading of what stands before it.
      .filter((line) => line !== '')
      .map((line) => `  - ${line}`)
  ].join('\n')
}

/** The same in a line, for a list that has the blocks elsewhere. */
export function findingPoint(finding: Finding): string {
  const { kind, title, path } = finding
  const field = path === '' ? '' : ` ${shown(code(path))}`
  return `- ${kind}: ${bold(title)}${field}: ${reasonText(finding)}`
}

/** Why something is not as wanted, and what depends on it. */
export function reasonText({
  reason,
  effect,
  missingPermission
}: Pick<Difference, 'reason' | 'effect'> & Pick<Finding, 'missingPermission'>): string {
  const lacks = missingPermission === undefined ? '' : ` (missing: ${missingPermission})`
  const matters = effect === undefined ? '' : `; ${effect}`
  return prose(cut(`${reason}${lacks}${matters}`, longestReason))
}

/** `kubectl-edit, Update, 2026-11-24T10:00:00Z`. */
export function authorText({ manager, operation, time }: Author): string {
  return [manager, operation, time].filter((part) => part !== undefined).join(', ')
}

/** What was installed, or is wanted where no record has it, and what is there; of what is pending, what is to be. */
function valuesOf({ kind, recorded, wanted, live }: Finding): readonly string[] {
  const moved =
    kind === 'pending'
      ? changedValue(live, wanted, ['is', 'is to be'])
      : recorded === undefined
        ? changedValue(wanted, live, ['wanted', 'is'])
        : changedValue(recorded, live)
  return moved.map(shown)
}
