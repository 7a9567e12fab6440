import type { Finding } from '../engine/findings.js'
import type { CheckInput } from '../inputs/inputs.js'
import { findingLine } from './check-notes.js'
import { bySeverity } from './finding-block.js'
import type { LogOutput } from './journal.js'

/** GitHub keeps ten annotations of a step; one is for the error of the run. */
const mostAnnotations = 9
const longestAnnotation = 1000

/**
 * Annotates the gravest findings; the last one says how many more there are. `used`: warnings of the run that have been
 * annotated already.
 */
export function annotate(
  findings: readonly Finding[],
  { failOn }: Pick<CheckInput, 'failOn'>,
  out: Pick<LogOutput, 'error' | 'warning'>,
  used: number
): void {
  const room = Math.max(0, mostAnnotations - used)
  const all = bySeverity(findings)
  const shown = all.length <= room ? all : all.slice(0, Math.max(0, room - 1))
  for (const finding of shown) {
    const line = findingLine(finding)
    const text = line.length > longestAnnotation ? `${line.slice(0, longestAnnotation - 3)}...` : line
    if (failOn.includes(finding.kind) && finding.severity !== 'cosmetic') out.error(text)
    else out.warning(text)
  }
  const rest = all.length - shown.length
  if (rest > 0 && room > 0) out.warning(`${rest} more findings: the job summary and the report list them`)
}
