import type { Finding } from '../engine/findings.js'
import type { Graph } from '../engine/graph.js'
import type { InstallRecord } from '../engine/record.js'

/** What a check found, for the log: a line a finding, then how many resources were compared with what. */
export function checkLines(
  graph: Graph,
  findings: readonly Finding[],
  record: InstallRecord | undefined
): readonly string[] {
  const touched = new Set(findings.map(({ id }) => id))
  const clean = graph.resources.filter(({ id }) => !touched.has(id)).length
  return [
    ...findings.map(findingLine),
    `${clean} of ${graph.resources.length} resources are as ${record === undefined ? 'wanted; there is no record of an install' : `installed on ${record.time}`}`
  ]
}

/** `drift: NodePool default: spec.limits.cpu is "500", not "1000" (by kubectl-edit, 2026-11-24T10:00:00Z); install would change it back to 1000`. */
export function findingLine(finding: Finding): string {
  const { kind, title, reason, severity, effect, by, install, missingPermission } = finding
  const who =
    by === undefined
      ? ''
      : ` (by ${[by.manager, by.operation, by.time].filter((part) => part !== undefined).join(', ')})`
  const lacks = missingPermission === undefined ? '' : ` (missing: ${missingPermission})`
  const matters = effect === undefined ? '' : `; ${severity}: ${effect}`
  return `${kind}: ${title}: ${reason}${who}${lacks}${matters}; install would ${install}`
}

/** The same of what does not work. */
export function healthLines(findings: readonly Finding[]): readonly string[] {
  return findings.length === 0 ? ['what is installed works'] : findings.map(findingLine)
}
