import type { PreflightFinding } from '../preflight/finding.js'
import { bold, prose } from './markdown.js'
import { adviceText } from './prose.js'
import type { Section } from './sections.js'

/** What the preflight has noted and nothing refuses, folded; warnings have a place of their own. */
export function noteSections(findings: readonly PreflightFinding[]): readonly Section[] {
  const notes = findings.filter(({ level }) => level === 'note')
  if (notes.length === 0) return []
  const blocks = notes.map(({ subject, problem, evidence, fix }) => {
    const seen = evidence === '' ? '' : ` (${prose(evidence)})`
    return `- ${bold(subject)}: ${prose(problem)}${seen}\n  - ${adviceText(fix)}`
  })
  return [{ title: notes.length === 1 ? '1 note' : `${notes.length} notes`, blocks }]
}
