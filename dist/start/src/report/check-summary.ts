import type { Finding } from '../engine/findings.js'
import { findingSections } from './finding-block.js'
import { fitting } from './sections.js'

/** Bytes of the summary, which keep the whole below its limit; the report has all. */
const mostBytes = 120_000

/** The findings, the gravest first; those that do not fit are counted. */
export function findingsText(findings: readonly Finding[]): string {
  return `### Found\n\n${fitting(findingSections(findings), mostBytes)}`
}
