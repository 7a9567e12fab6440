import { UserError } from '../engine/errors.js'
import type { Check, Finding } from './finding.js'

export type { Check, Finding } from './finding.js'

/**
 * Runs all checks at once. Throws one UserError that lists every error found; else returns warnings and notes. A check
 * that fails itself (a read that AWS refuses) is thrown as it is, when no check found an error.
 */
export async function runPreflight(checks: readonly Check[]): Promise<readonly Finding[]> {
  const outcomes = await Promise.allSettled(checks.map(async (check) => check.run()))
  const findings = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? outcome.value : []))
  const errors = findings.filter((finding) => finding.level === 'error')
  if (errors.length > 0) throw asError(errors)
  const broken = outcomes.find((outcome) => outcome.status === 'rejected')
  if (broken !== undefined) throw broken.reason
  return findings
}

/** A finding as one line, for annotations and the log. */
export function findingText(finding: Finding): string {
  return `${finding.subject}: ${problemText(finding)}. ${finding.fix}`
}

function problemText(finding: Finding): string {
  return finding.evidence === '' ? finding.problem : `${finding.problem} (${finding.evidence})`
}

function asError(errors: readonly Finding[]): UserError {
  const [first, ...others] = errors
  const problem = [
    ...(first === undefined ? [] : [problemText(first)]),
    ...others.map((finding) => `${finding.subject}: ${problemText(finding)}`)
  ]
  const fixes = [...new Set(errors.map((finding) => finding.fix))]
  return new UserError(first?.subject ?? 'preflight', problem.join('\n'), fixes.join('\n'), {
    state: 'Nothing was changed.'
  })
}
