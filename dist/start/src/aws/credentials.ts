import type { AwsCredentialIdentity } from '@smithy/types'
import { messageOf, UserError } from '../engine/errors.js'
import { sharedRead } from '../engine/once.js'
import { clientDefaults, requestLogging, type Connection } from './connection.js'
import { accessDenied, codeOf, isTransient, issuerUnread, stsUnreachable } from './errors.js'
import { claimsOf, idTokenMayComeLater, idTokenProblem, requireIdToken } from './id-token.js'
import { roleProblem } from './role-problem.js'

export type CredentialsInput =
  | {
      readonly kind: 'oidc'
      readonly roleArn: string
      readonly sessionName: string
      readonly durationSeconds: number
      /** Undefined: by the region's partition. */
      readonly audience: string | undefined
    }
  /** The standard AWS chain. */
  | { readonly kind: 'chain' }

/** AWS credentials of the run, renewed before they expire. */
export interface Credentials {
  /** For the log: `role arn:... by GitHub OIDC`, `environment variables`. */
  readonly source: string
  get(): Promise<AwsCredentialIdentity>
  /** Drops what is there and gets new ones; `because` is AWS's refusal. Throws UserError when that is not possible. */
  renew(because: unknown): Promise<void>
  /** What to throw when renewed credentials are refused as expired as well. */
  expired(error: unknown): UserError
}

export interface CredentialPorts {
  readonly env: Readonly<Record<string, string | undefined>>
  /** The job's OIDC token for an audience: @actions/core's getIDToken. */
  idToken(audience: string): Promise<string>
  /** Hides a secret in everything the runner shows from now on. */
  mask(secret: string): void
  /** Resolves after so many milliseconds, rejects when the run is cancelled. */
  pause(milliseconds: number): Promise<void>
}

const tries = 3
/** A role is assumed, or it is said why not, within this time. */
const deadlineMilliseconds = 60_000

/** Credentials by the job's OIDC token when a role is given, else by the standard AWS chain. Nothing is called yet. */
export function credentialsFor(
  input: CredentialsInput,
  connection: Connection,
  ports: CredentialPorts
): Credentials {
  if (input.kind === 'chain') return chainCredentials(connection, ports)
  requireIdToken(ports.env)
  const source = `role ${input.roleArn} by GitHub OIDC`
  return renewable(() => connection.serverTime.now(), {
    source,
    fetch: async () => assumeRole(input, connection, ports),
    expired: (error) =>
      new UserError(
        'role-to-assume',
        `the session of ${input.roleArn} expired during the run and could not be renewed: ${messageOf(error)}`,
        'Run again, a second run finishes what is missing; or raise `role-duration-seconds`. If it comes back, check the clock of the runner.',
        { cause: error }
      )
  })
}

/** sts.amazonaws.com, and in the China partition sts.amazonaws.com.cn. */
function defaultAudience(region: string): string {
  return region.startsWith('cn-') ? 'sts.amazonaws.com.cn' : 'sts.amazonaws.com'
}

/** The OIDC token is asked for in each try: GitHub's tokens live for minutes only. */
async function assumeRole(
  input: Extract<CredentialsInput, { kind: 'oidc' }>,
  connection: Connection,
  ports: CredentialPorts
): Promise<AwsCredentialIdentity> {
  const { STSClient, AssumeRoleWithWebIdentityCommand } = await import('./sdk/sts.js')
  const sts = new STSClient({ ...clientDefaults(connection), maxAttempts: 1 })
  sts.middlewareStack.use(requestLogging(connection))
  const audience = input.audience ?? defaultAudience(connection.region)
  const deadline = connection.now() + deadlineMilliseconds
  for (let attempt = 1; ; attempt++) {
    const last = attempt === tries || connection.now() > deadline
    let token: string
    try {
      token = await ports.idToken(audience)
    } catch (error) {
      if (last || !idTokenMayComeLater(error)) throw idTokenProblem(error, attempt)
      await ports.pause(500 * 2 ** attempt)
      continue
    }
    ports.mask(token)
    try {
      const answer = await sts.send(
        new AssumeRoleWithWebIdentityCommand({
          RoleArn: input.roleArn,
          RoleSessionName: input.sessionName,
          DurationSeconds: input.durationSeconds,
          WebIdentityToken: token
        })
      )
      const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = answer.Credentials ?? {}
      if (AccessKeyId === undefined || SecretAccessKey === undefined || SessionToken === undefined) {
        throw new UserError('role-to-assume', 'STS answered without credentials', 'Run again.')
      }
      const identity = {
        accessKeyId: AccessKeyId,
        secretAccessKey: SecretAccessKey,
        sessionToken: SessionToken,
        ...(Expiration !== undefined && { expiration: Expiration })
      }
      hide(identity, ports)
      return identity
    } catch (error) {
      if (error instanceof UserError) throw error
      const keysUnread = issuerUnread(error)
      const again = isTransient(error) || codeOf(error) === 'ExpiredToken' || keysUnread
      if (last || !again || accessDenied(error) !== undefined) {
        if (isTransient(error)) throw stsUnreachable(connection.region, error)
        const { roleArn, durationSeconds } = input
        throw roleProblem({ roleArn, audience, durationSeconds, claims: claimsOf(token) }, error)
      }
      await ports.pause((keysUnread ? 1_500 : 500) * 2 ** attempt)
    }
  }
}

function chainCredentials(connection: Connection, ports: CredentialPorts): Credentials {
  const source = chainSource(ports.env)
  return renewable(() => connection.serverTime.now(), {
    source,
    fetch: async () => {
      const given = environmentCredentials(ports.env)
      if (given !== undefined) {
        hide(given, ports)
        return given
      }
      const { defaultProvider } = await import('@aws-sdk/credential-provider-node')
      const { region, requestHandler } = clientDefaults(connection)
      try {
        const identity = await defaultProvider({ clientConfig: { region, requestHandler } })()
        hide(identity, ports)
        return identity
      } catch (error) {
        throw new UserError(
          'role-to-assume',
          `no AWS credentials: the input is empty, and the standard chain found none (${messageOf(error)})`,
          'Pass `role-to-assume` with `permissions: id-token: write`, or set AWS credentials in an earlier step.',
          { state: 'Nothing was changed.', cause: error }
        )
      }
    },
    expired: (error) =>
      new UserError(
        'credentials',
        `the AWS credentials from ${source} expired during the run: ${messageOf(error)}`,
        'Pass `role-to-assume`: a role that this action assumes itself is renewed during the run. Or make the session longer. A second run finishes what is missing.',
        { cause: error }
      )
  })
}

/**
 * The first link of the standard chain, as it reads them (credential-provider-env 3, fromEnv): to load the whole chain for it
 * would take a tenth of a start.
 */
function environmentCredentials(
  env: Readonly<Record<string, string | undefined>>
): AwsCredentialIdentity | undefined {
  if (env['AWS_PROFILE']) return undefined
  const accessKeyId = env['AWS_ACCESS_KEY_ID']
  const secretAccessKey = env['AWS_SECRET_ACCESS_KEY']
  if (!accessKeyId || !secretAccessKey) return undefined
  const sessionToken = env['AWS_SESSION_TOKEN']
  const expiration = env['AWS_CREDENTIAL_EXPIRATION']
  return {
    accessKeyId,
    secretAccessKey,
    ...(sessionToken && { sessionToken }),
    ...(expiration && { expiration: new Date(expiration) })
  }
}

/** Where the standard chain will find credentials, in the chain's own order. */
function chainSource(env: Readonly<Record<string, string | undefined>>): string {
  if (env['AWS_PROFILE']) return `profile ${env['AWS_PROFILE']}`
  if (env['AWS_ACCESS_KEY_ID'] && env['AWS_SECRET_ACCESS_KEY']) return 'environment variables'
  if (env['AWS_WEB_IDENTITY_TOKEN_FILE']) return 'a web identity token file'
  if (env['AWS_CONTAINER_CREDENTIALS_FULL_URI'] || env['AWS_CONTAINER_CREDENTIALS_RELATIVE_URI']) {
    return 'the container credentials endpoint'
  }
  return 'the standard AWS chain (shared files, else the instance)'
}

function hide(identity: AwsCredentialIdentity, ports: CredentialPorts): void {
  ports.mask(identity.secretAccessKey)
  if (identity.sessionToken !== undefined) ports.mask(identity.sessionToken)
}

/**
 * Keeps credentials until a part of their life is left: five minutes, or a third of a life that is short. `now` is AWS's
 * time, by which they expire.
 */
function renewable(
  now: () => number,
  own: {
    readonly source: string
    readonly fetch: () => Promise<AwsCredentialIdentity>
    readonly expired: (error: unknown) => UserError
  }
): Credentials {
  let kept: { readonly identity: AwsCredentialIdentity; readonly until: number } | undefined
  const fresh = sharedRead(async () => {
    const identity = await own.fetch()
    const expiration = identity.expiration?.getTime() ?? Infinity
    kept = { identity, until: expiration - Math.min(300_000, (expiration - now()) / 3) }
    return identity
  })
  return {
    source: own.source,
    expired: own.expired,
    get: async () => {
      if (kept === undefined) return fresh()
      if (now() < kept.until) return kept.identity
      try {
        return await fresh()
      } catch (error) {
        // An STS that is away for a moment need not end a run whose credentials still work.
        if ((kept.identity.expiration?.getTime() ?? Infinity) > now() + 10_000) return kept.identity
        throw own.expired(error)
      }
    },
    renew: async (because) => {
      const before = kept?.identity.accessKeyId
      const identity = await fresh().catch((error: unknown) => {
        throw own.expired(error)
      })
      if (identity.accessKeyId === before) throw own.expired(because)
    }
  }
}
