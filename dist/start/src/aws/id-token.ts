import { messageOf, UserError } from '../engine/errors.js'
import { isMap } from '../engine/json.js'

/** Ends every failure to get the job's OIDC token. */
const permissionHint = `Give the job permission to ask for a token:
    permissions:
      id-token: write
      contents: read
  A reusable workflow needs it in the calling job as well. GitHub gives no token to pull requests from forks, and none
  to Dependabot unless the job's permissions say so: skip this step there, or pass AWS credentials in the environment.`

/** Throws before any call when the runner offers this job no OIDC token. */
export function requireIdToken(env: Readonly<Record<string, string | undefined>>): void {
  const lacking = ['ACTIONS_ID_TOKEN_REQUEST_URL', 'ACTIONS_ID_TOKEN_REQUEST_TOKEN'].filter(
    (name) => !env[name]
  )
  if (lacking.length === 0) return
  throw new UserError(
    'role-to-assume',
    `this job may not ask GitHub for an OIDC token (${lacking.join(' and ')} not set), so no role can be assumed`,
    permissionHint,
    { state: 'Nothing was changed.' }
  )
}

/** Whether another try may help, from what @actions/core throws: it puts the HTTP status into its message. */
export function idTokenMayComeLater(error: unknown): boolean {
  const code = /Error Code : (\w+)/.exec(messageOf(error))?.[1]
  return code === undefined || code === 'undefined' || code === '429' || /^5\d\d$/.test(code)
}

export function idTokenProblem(error: unknown, tries: number): UserError {
  const text = messageOf(error)
    .replace(/\s+/g, ' ')
    .replace(/^Error message: /, '')
    .trim()
  return idTokenMayComeLater(error)
    ? new UserError(
        'role-to-assume',
        `GitHub gave no OIDC token in ${tries} tries: ${text}`,
        'Run again. On a runner of your own, check that it reaches the token service (HTTPS_PROXY, NO_PROXY).',
        { state: 'Nothing was changed.', cause: error }
      )
    : new UserError('role-to-assume', `GitHub refused an OIDC token: ${text}`, permissionHint, {
        state: 'Nothing was changed.',
        cause: error
      })
}

/** The claims of a token that a trust policy can ask for. None of them is secret; the token itself is. */
export interface TokenClaims {
  readonly issuer: string
  readonly subject: string
  readonly audience: string
  /** org/repo */
  readonly repository: string
  readonly repositoryId: string
  readonly repositoryOwnerId: string
}

/** Reads a JWT's payload without verifying it; undefined when it is none. */
export function claimsOf(token: string): TokenClaims | undefined {
  try {
    const payload: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'))
    if (!isMap(payload)) return undefined
    const text = (claim: string): string => {
      const value = payload[claim]
      return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
    }
    return {
      issuer: text('iss'),
      subject: text('sub'),
      audience: Array.isArray(payload['aud']) ? payload['aud'].map(String).join(', ') : text('aud'),
      repository: text('repository'),
      repositoryId: text('repository_id'),
      repositoryOwnerId: text('repository_owner_id')
    }
  } catch {
    return undefined
  }
}

/**
 * The subject as GitHub writes it for repositories up to July 2026 (`repo:ORG/REPO:...`) and for newer or opted-in ones
 * (`repo:ORG@OWNERID/REPO@REPOID:...`). One element when the subject is a custom one, or the ids are not in the token.
 */
export function subjectForms(claims: TokenClaims): readonly string[] {
  const rest = /^repo:[^:]+:(.*)$/.exec(claims.subject)?.[1]
  const [owner, repository] = claims.repository.split('/')
  if (rest === undefined || owner === undefined || repository === undefined) return [claims.subject]
  if (claims.repositoryId === '' || claims.repositoryOwnerId === '') return [claims.subject]
  return [
    `repo:${owner}/${repository}:${rest}`,
    `repo:${owner}@${claims.repositoryOwnerId}/${repository}@${claims.repositoryId}:${rest}`
  ]
}
