import type { Severity } from './difference.js'

/** How much a difference matters, and why. */
export interface Judgement {
  readonly severity: Severity
  /** What depends on it, in a few words that read on after the severity. */
  readonly effect?: string
}

export interface SeverityRule extends Judgement {
  /** The paths that it speaks of. */
  readonly at: RegExp
  readonly effect: string
}

/** The first rule that speaks of the path. What none speaks of works on, and otherwise than was asked for. */
export function judged(rules: readonly SeverityRule[], path: string): Judgement {
  const rule = rules.find(({ at }) => at.test(path))
  return rule === undefined
    ? { severity: 'changes behaviour' }
    : { severity: rule.severity, effect: rule.effect }
}
