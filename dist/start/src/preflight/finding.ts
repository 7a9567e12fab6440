/** One thing that a check found before anything was written. */
export interface PreflightFinding {
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

/** A finding as its check says it: whose it is and what the inputs make of it is for the run to say. */
export type Concern = Omit<PreflightFinding, 'check' | 'overridden'>

/** What a check answers. It reads at most what it cannot be given, and writes nothing. */
export type Concerns = readonly Concern[] | Promise<readonly Concern[]>

/** The fix of what the caller may not look at: nothing that a plan or a check has to be given more rights for. */
export const leftToInstall =
  'An install looks at it before its first write, by a role that has docs/permissions/install.json; nothing else needs it.'
