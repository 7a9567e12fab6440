import type { CredentialStore, Session } from '../credentials/store.js'
import type { Role } from '../iam/state.js'
import { type Input, optionalInteger, text } from '../input.js'
import type { Home } from '../partition.js'
import { AwsError } from '../service.js'

/** arn:aws:sts::111122223333:assumed-role/<role name>/<session name>: the role's path is not in it. */
function sessionArn(home: Home, role: Role, sessionName: string): string {
  return `arn:${home.partition}:sts::${home.accountId}:assumed-role/${role.name}/${sessionName}`
}

export interface SessionRequest {
  readonly name: string
  /** Milliseconds since 1970. */
  readonly expiresAt: number
  readonly tags?: Readonly<Record<string, string>>
  readonly policy?: string
}

export function openSession(
  store: CredentialStore,
  home: Home,
  role: Role,
  { name, expiresAt, ...more }: SessionRequest
): Session {
  const caller = {
    arn: sessionArn(home, role, name),
    accountId: home.accountId,
    userId: `${role.id}:${name}`,
    roleArn: role.arn
  }
  return store.mint(caller, expiresAt, more)
}

export function sessionName(input: Input): string {
  const name = text(input, 'RoleSessionName')
  const rule =
    name.length < 2
      ? 'Member must have length greater than or equal to 2'
      : name.length > 64
        ? 'Member must have length less than or equal to 64'
        : /^[\w+=,.@-]+$/.test(name)
          ? undefined
          : 'Member must satisfy regular expression pattern: [\\w+=,.@-]*'
  if (rule !== undefined) throw constraint(name, 'roleSessionName', rule)
  return name
}

/** Seconds. A session never lasts longer than its role allows, nor an hour when one role session opens it. */
export function duration(input: Input, longest: number, chained: boolean): number {
  const seconds = optionalInteger(input, 'DurationSeconds') ?? 3600
  if (seconds < 900)
    throw constraint(seconds, 'durationSeconds', 'Member must have value greater than or equal to 900')
  if (seconds > 43_200)
    throw constraint(seconds, 'durationSeconds', 'Member must have value less than or equal to 43200')
  if (chained && seconds > 3600) {
    throw new AwsError(
      'ValidationError',
      'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining'
    )
  }
  if (seconds > longest) {
    throw new AwsError(
      'ValidationError',
      'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.'
    )
  }
  return seconds
}

function constraint(value: string | number, field: string, rule: string): AwsError {
  return new AwsError(
    'ValidationError',
    `1 validation error detected: Value '${value}' at '${field}' failed to satisfy constraint: ${rule}`
  )
}

export function credentialsOutput(session: Session): Readonly<Record<string, unknown>> {
  const { accessKeyId, secretAccessKey, sessionToken, expiration } = session.credentials
  return {
    AccessKeyId: accessKeyId,
    SecretAccessKey: secretAccessKey,
    SessionToken: sessionToken,
    Expiration: expiration
  }
}
