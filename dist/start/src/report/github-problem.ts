import { messageOf } from '../engine/errors.js'
import { GitHubError } from '../github/api.js'

/** What was to be written to GitHub, and how it is asked for. */
export interface GitHubWriting {
  /** `drift-issue: the issue in org/repo` */
  readonly what: string
  /** What the job lacks where GitHub refuses: `issues: write`. */
  readonly permission: string
  /** `drift-issue` */
  readonly input: string
  /** What tries again: `check`. */
  readonly again: string
}

/** Why it could not be written, and what to do, as one sentence. */
export function gitHubProblem(error: unknown, writing: GitHubWriting): string {
  const fix =
    error instanceof GitHubError ? fixOf(error, writing) : 'see that the runner reaches GITHUB_API_URL'
  return `${writing.what} could not be kept: ${messageOf(error)}; ${fix}`
}

/** Whether GitHub refused because of what the token may do, as it does for pull requests of forks. */
export function lacksRights(error: unknown): boolean {
  return error instanceof GitHubError && !error.limited && [401, 403, 404].includes(error.status)
}

function fixOf({ status, limited }: GitHubError, { permission, input, again }: GitHubWriting): string {
  if (limited) return `the next ${again} tries again`
  if (status === 401) return 'pass a token that is still good: `github-token: ${{ github.token }}`'
  if (status === 403 || status === 404)
    return `give the job \`permissions: ${permission}\`, or github-token a token that may write there`
  if (status === 410) return `turn on issues in the repository's settings, or leave out \`${input}\``
  return `the next ${again} tries again`
}
