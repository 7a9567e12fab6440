import { messageOf, UserError } from '../engine/errors.js'
import { codeOf, issuerUnread } from './errors.js'
import { subjectForms, type TokenClaims } from './id-token.js'

export interface Assumption {
  readonly roleArn: string
  readonly audience: string
  readonly durationSeconds: number
  /** Undefined when the token was no JWT. */
  readonly claims: TokenClaims | undefined
}

const nothingChanged = 'Nothing was changed.'

/** Why AssumeRoleWithWebIdentity was refused, with what the user's trust policy must say. Never holds the token. */
export function roleProblem(assumption: Assumption, error: unknown): UserError {
  const code = codeOf(error)
  const text = messageOf(error)
  const issuer = issuerHost(assumption)
  const options = { state: nothingChanged, cause: error }
  if (code === 'AccessDenied') {
    return new UserError(
      'role-to-assume',
      denied(assumption, text),
      trustPolicyFix(assumption, issuer),
      options
    )
  }
  if (issuerUnread(error)) {
    return new UserError(
      'role-to-assume',
      `STS could not read the keys of ${issuer}, with which it checks the job's OIDC token: ${text.trim()}`,
      'Run again: it passes most often. With an issuer of your own, check that AWS reaches its /.well-known/jwks.',
      options
    )
  }
  if (code === 'InvalidIdentityToken' && /audience/i.test(text)) {
    return new UserError(
      'audience',
      `the account's OIDC provider for ${issuer} does not accept the audience "${assumption.audience}"`,
      `Add "${assumption.audience}" to that provider's audiences in IAM, or pass \`audience\` as one that it has.`,
      options
    )
  }
  if (code === 'InvalidIdentityToken' && /No OpenIDConnect provider/i.test(text)) {
    return new UserError(
      'role-to-assume',
      `account ${accountOf(assumption.roleArn)} has no IAM OIDC provider for ${issuer}`,
      `Make it once: aws iam create-open-id-connect-provider --url https://${issuer} --client-id-list ${assumption.audience}`,
      options
    )
  }
  if (code === 'Validation' && /DurationSeconds/.test(text)) {
    return new UserError(
      'role-duration-seconds',
      `${assumption.durationSeconds} is longer than the longest session that ${assumption.roleArn} allows`,
      "Use at most the role's MaxSessionDuration (3600 unless it was raised), or raise it: aws iam update-role --max-session-duration. " +
        'Credentials are renewed during a long run, so 3600 is enough.',
      options
    )
  }
  if (code === 'RegionDisabled') {
    return new UserError(
      'region',
      `STS is not active in this region for account ${accountOf(assumption.roleArn)}`,
      'Activate it in the account settings of IAM, or use another region.',
      options
    )
  }
  return new UserError(
    'role-to-assume',
    `${assumption.roleArn} could not be assumed: ${code ?? 'error'}: ${text}`,
    'Put right what AWS says above and run again.',
    options
  )
}

function issuerHost(assumption: Assumption): string {
  return (assumption.claims?.issuer || 'https://token.actions.githubusercontent.com').replace(
    /^https:\/\//,
    ''
  )
}

function accountOf(roleArn: string): string {
  return roleArn.split(':')[4] ?? ''
}

function denied({ roleArn, claims }: Assumption, text: string): string {
  const first = `${roleArn} may not be assumed with this job's OIDC token: no such role, or its trust policy asks for something else (${text.trim()})`
  if (claims === undefined) return first
  const lines: readonly [string, string][] = [
    ['sub', claims.subject],
    ['aud', claims.audience],
    ['repository_id', claims.repositoryId],
    ['repository_owner_id', claims.repositoryOwnerId]
  ]
  const shown = lines.filter(([, value]) => value !== '')
  return `${first}\n  The token says:\n${shown.map(([name, value]) => `    ${name.padEnd(21)}${value}`).join('\n')}`
}

function trustPolicyFix({ roleArn, claims, audience }: Assumption, issuer: string): string {
  if (claims === undefined) return "Let the role's trust policy accept the job's token."
  const forms = subjectForms(claims)
  const partition = roleArn.split(':')[1] ?? 'aws'
  const alternatives = forms
    .map(
      (form) => `    "${issuer}:sub": "${form}"${form === claims.subject ? '   <- what this token says' : ''}`
    )
    .join('\n')
  return (
    `Compare the role's trust policy, letter by letter (IAM's conditions are case-sensitive). Its principal is\n` +
    `    "Federated": "arn:${partition}:iam::${accountOf(roleArn)}:oidc-provider/${issuer}"\n` +
    `  and its condition StringEquals has\n` +
    `    "${issuer}:aud": "${audience}"\n` +
    `  and ${forms.length > 1 ? 'one of these, or both in a list (GitHub writes the second form for repositories since July 2026)' : 'this'}:\n` +
    alternatives
  )
}
