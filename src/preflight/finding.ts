import type { CheckName } from './catalogue.js'

/** One thing that a check found before anything was written. */
export interface Finding {
  /** Name of the check: `queue`. */
  readonly check: string
  /** An error stops the run; a warning becomes an annotation; a note is a line in the log. */
  readonly level: 'error' | 'warning' | 'note'
  /** The input or resource at fault. */
  readonly subject: string
  readonly problem: string
  /** What was seen that says so; empty when the problem says it all. */
  readonly evidence: string
  /** What the user can do now. */
  readonly fix: string
  /** Name for `preflight-allow`; undefined where going on all the same could only break the installation. */
  readonly override?: string
  /** Set on an error that `preflight-allow` has made a warning. */
  readonly overridden?: true
}

/** A check with its facts in it. It reads at most what it cannot be given, and writes nothing. */
export interface Check {
  readonly name: CheckName
  run(): Promise<readonly Finding[]>
}
