import { apart, here } from '../engine/calls.js'
import { UserError } from '../engine/errors.js'
import type { CheckName } from './catalogue.js'
import type { Concerns, PreflightFinding } from './finding.js'

/** Checks by their names, each with its facts in it. */
export type Checks = Readonly<Partial<Record<CheckName, () => Concerns>>>

/** What the inputs say of findings. */
export interface PreflightChoice {
  /** `strict`: a warning refuses as well; `off`: it is a note. */
  readonly warnings: 'strict' | 'warn' | 'off'
  /** Override names of errors that are warnings now. */
  readonly allow: readonly string[]
}

/** Every finding of a preflight that refuses, for the report. */
export class PreflightError extends UserError {
  readonly findings: readonly PreflightFinding[]
  /** Those that refuse, a text each. */
  readonly refusals: readonly string[]
  constructor(findings: readonly PreflightFinding[], refused: readonly PreflightFinding[]) {
    const [first, ...others] = refused
    const text = first === undefined ? '' : others.length === 0 ? problemText(first) : lineOf(first)
    super(
      first?.subject ?? 'preflight',
      [text, ...others.map((finding) => `${finding.subject}: ${lineOf(finding)}`)].join('\n'),
      [
        first !== undefined && others.length === 0
          ? first.fix
          : `Put these ${refused.length} right and run again.`,
        ...allowHint(refused)
      ].join('\n'),
      { state: 'Nothing was changed.' }
    )
    this.name = 'PreflightError'
    this.findings = findings
    this.refusals = refused.map(findingText)
  }
}

/**
 * Runs all checks at once. Throws one PreflightError that lists every finding that refuses; else returns warnings and
 * notes. A check that fails itself (a read that AWS refuses) is thrown as it is, when nothing refuses.
 */
export async function runPreflight(
  checks: Checks,
  choice: PreflightChoice = { warnings: 'warn', allow: [] }
): Promise<readonly PreflightFinding[]> {
  const needs = here()
  const outcomes = await Promise.allSettled(
    Object.entries(checks).map(async ([check, ask]) => {
      const concerns = await apart(async () => ask(), { needs })
      return concerns.map((concern): PreflightFinding => ({ check, ...concern }))
    })
  )
  const findings = outcomes
    .flatMap((outcome) => (outcome.status === 'fulfilled' ? outcome.value : []))
    .map((finding) => chosen(finding, choice))
  const refused = findings.filter(
    ({ level, overridden }) =>
      level === 'error' || (choice.warnings === 'strict' && level === 'warning' && overridden !== true)
  )
  if (refused.length > 0) throw new PreflightError(findings, refused)
  const broken = outcomes.find((outcome) => outcome.status === 'rejected')
  if (broken !== undefined) throw broken.reason
  return findings
}

function chosen(finding: PreflightFinding, { warnings, allow }: PreflightChoice): PreflightFinding {
  const { level, override } = finding
  if (level === 'error' && override !== undefined && allow.includes(override))
    return { ...finding, level: 'warning', overridden: true }
  return level === 'warning' && warnings === 'off' ? { ...finding, level: 'note' } : finding
}

/** A finding as one line, for annotations and the log. */
export function findingText(finding: PreflightFinding): string {
  const why = finding.overridden === true ? `allowed by \`preflight-allow: ${finding.override ?? ''}\`: ` : ''
  return `${finding.subject}: ${why}${lineOf(finding)}`
}

function lineOf(finding: PreflightFinding): string {
  // Some end with a full stop already.
  return `${problemText(finding).replace(/\.$/, '')}. ${finding.fix}`
}

function problemText(finding: PreflightFinding): string {
  return finding.evidence === '' ? finding.problem : `${finding.problem} (${finding.evidence})`
}

function allowHint(refused: readonly PreflightFinding[]): readonly string[] {
  const errors = new Set(
    refused.flatMap(({ level, override }) => (level === 'error' ? (override ?? []) : []))
  )
  const warnings = refused.some(({ level }) => level === 'warning')
  return [
    ...(errors.size === 0
      ? []
      : [`To go on all the same, pass \`preflight-allow: ${[...errors].join(',')}\` (docs/preflight.md).`]),
    ...(warnings ? ['Warnings refuse because of `preflight: strict`.'] : [])
  ]
}
