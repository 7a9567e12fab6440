import { UserError } from './errors.js'

/** Why something could not be read. */
export interface Unreadable {
  readonly reason: string
  /** `iam:GetRole`, `get configmaps in namespace kube-system`; undefined where it is no permission that is missing. */
  readonly missingPermission?: string
}

/** What to do about it, as a sentence. */
export function unreadableFix({ missingPermission }: Unreadable): string {
  return missingPermission === undefined
    ? 'Run again when it can be read.'
    : `Allow the run's role ${missingPermission}; docs/permissions has what each mode needs, in AWS and in the cluster.`
}

/** To write over what could not be read would be guessing: says so instead. `state`: how things were left. */
export function unreadableError(title: string, why: Unreadable, state: string): UserError {
  return new UserError(title, `could not be read: ${why.reason}`, unreadableFix(why), { state })
}
