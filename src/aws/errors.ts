import { messageOf, RunEndedError, UserError } from '../engine/errors.js'
import { isMap } from '../engine/json.js'
import type { Live } from '../engine/resource.js'
import { deniedAction, deniedElsewhere, denialFix, denialIn, type DenialText } from './denials.js'
import { orPassBoundary } from './policy/bounded-actions.js'
import { NoAwsAnswerError } from './whole-answers.js'

/** The parts of an AWS error that decide anything, whichever SDK client threw it. */
interface AwsFailure {
  /** Without the suffix that some services add: NoSuchEntity, ResourceNotFound, InvalidSubnetID.NotFound. */
  readonly code: string
  readonly message: string
  /** HTTP status; 0 when no answer came. */
  readonly status: number
}

function failureOf(error: unknown): AwsFailure | undefined {
  if (!(error instanceof Error)) return undefined
  const metadata = '$metadata' in error ? error.$metadata : undefined
  const status =
    typeof metadata === 'object' &&
    metadata !== null &&
    'httpStatusCode' in metadata &&
    typeof metadata.httpStatusCode === 'number'
      ? metadata.httpStatusCode
      : 0
  return { code: error.name.replace(/(?<=.)(Exception|Error)$/, ''), message: error.message, status }
}

/** The error's code without its `Exception` suffix; undefined for what is no error at all. */
export function codeOf(error: unknown): string | undefined {
  return failureOf(error)?.code
}

/** The thing asked for does not exist. Access denied is never that. */
export function isNotFound(error: unknown): boolean {
  const failure = failureOf(error)
  if (failure === undefined || failure.status === 0) return false
  if (/^(NoSuchEntity|ResourceNotFound|ChangeSetNotFound)$/.test(failure.code)) return true
  if (/\.NotFound$/.test(failure.code)) return true
  // SQS's name for it before it spoke JSON comes with an answer still, as the error's code.
  if (failure.code === 'QueueDoesNotExist' || failure.code.endsWith('.NonExistentQueue')) return true
  return failure.code === 'Validation' && /does not exist/.test(failure.message)
}

export function isAlreadyExists(error: unknown): boolean {
  const code = codeOf(error)
  return (
    code !== undefined &&
    (/^(EntityAlreadyExists|AlreadyExists|ResourceInUse)$/.test(code) || code.endsWith('.Duplicate'))
  )
}

/** The call was tried more than once: an earlier try may have been carried out although its answer was lost. */
export function wasRepeated(error: unknown): boolean {
  const metadata = error instanceof Error && '$metadata' in error ? error.$metadata : undefined
  const attempts = isMap(metadata) ? metadata['attempts'] : undefined
  return typeof attempts === 'number' && attempts > 1
}

export function isThrottled(error: unknown): boolean {
  const failure = failureOf(error)
  return (
    failure !== undefined &&
    (failure.status === 429 ||
      /^(Throttling|ThrottledException|Throttled|RequestLimitExceeded|TooManyRequests|RequestThrottled|SlowDown)/.test(
        failure.code
      ))
  )
}

/** No answer, or one that says try again. */
export function isTransient(error: unknown): boolean {
  const failure = failureOf(error)
  if (failure === undefined) return false
  if (isThrottled(error) || failure.status >= 500) return true
  const system = error instanceof Error && 'code' in error ? error.code : undefined
  return (
    failure.status === 0 &&
    ((typeof system === 'string' && /^(E[A-Z_]+|UND_ERR.*)$/.test(system)) || failure.code === 'Timeout')
  )
}

/**
 * STS did not reach the issuer of a web identity token, which passes: IDPCommunicationError (@aws-sdk/client-sts marks it
 * retryable), and what GitHub's OIDC answers with most, InvalidIdentityToken "Couldn't retrieve verification key from your
 * identity provider" (aws-actions/configure-aws-credentials#299, #348).
 */
export function issuerUnread(error: unknown): boolean {
  const failure = failureOf(error)
  return (
    failure !== undefined &&
    (failure.code === 'IDPCommunicationError' ||
      (failure.code === 'InvalidIdentityToken' && /retrieve verification key/i.test(failure.message)))
  )
}

/** The session's credentials are no longer accepted because of their age. */
export function isExpired(error: unknown): boolean {
  const code = codeOf(error)
  return code === 'ExpiredToken' || code === 'RequestExpired'
}

export interface Denial extends DenialText {
  readonly action: string
}

/**
 * What was denied, read from AWS's own sentence; undefined when the error is no denial. NotAuthorized is of the common errors
 * of the query APIs' references ("You do not have permission to perform this action").
 */
export function accessDenied(error: unknown): Denial | undefined {
  const failure = failureOf(error)
  if (failure === undefined) return undefined
  if (
    !/^(AccessDenied|UnauthorizedOperation|UnauthorizedAccess|AuthorizationError|NotAuthorized)$/.test(
      failure.code
    )
  )
    return undefined
  return {
    ...denialIn(failure.message),
    action: (error instanceof Error ? deniedAction(error) : undefined) ?? 'an action that AWS does not name'
  }
}

/** Where every statement that a mode needs can be looked up. */
const everyStatement =
  'docs/permissions/install.json and install-iam.json (check.json and uninstall.json for those modes) have every statement that is needed.'

/** The policies that are published for the role that runs this action. */
export const installPolicy = 'docs/permissions/install.json and install-iam.json'
/** The same for mode uninstall. */
export const uninstallPolicy = 'docs/permissions/uninstall.json'
/** What CloudFormation needs where it acts by a service role. */
export const stackRolePolicy = 'docs/permissions/stack-role.json'

/**
 * An AWS error for a person. `subject` is the resource or input at fault; `doing` reads on from it: `could not be read`.
 * A UserError is handed back as it is, and so is what ends the run.
 */
export function awsProblem(subject: string, doing: string, error: unknown, fix?: string): Error {
  if (error instanceof UserError || error instanceof RunEndedError) return error
  const denial = accessDenied(error)
  if (denial !== undefined) {
    const on = denial.resource === undefined ? '' : ` on ${denial.resource}`
    const policy = denial.because === undefined ? '' : ` (${denial.because})`
    return new UserError(
      subject,
      `${doing}: the run's role may not call ${denial.action}${on}${policy}`,
      denialFix(
        denial.action,
        denial.because,
        orPassBoundary(denial.action, `Add ${denial.action} to the role's policy; ${everyStatement}`)
      ),
      { cause: error }
    )
  }
  const code = error instanceof Error ? `${error.name}: ` : ''
  return new UserError(
    subject,
    `${doing}: ${code}${error instanceof Error ? error.message : String(error)}`,
    fix ??
      (error instanceof NoAwsAnswerError
        ? 'A proxy between the runner and AWS may answer in its place: check HTTPS_PROXY and NO_PROXY. Then run again; a second run finishes what is missing.'
        : isTransient(error)
          ? 'Run again: AWS did not answer, or was too busy. A second run finishes what is missing.'
          : 'Put right what AWS says above and run again; a second run finishes what is missing.'),
    { cause: error }
  )
}

/**
 * Reads one thing: its value, absent when AWS says that it does not exist, unreadable when the call is denied, and a
 * UserError for everything else.
 */
export async function liveOf<L>(subject: string, read: () => Promise<L | undefined>): Promise<Live<L>> {
  try {
    const value = await read()
    return value === undefined ? { state: 'absent' } : { state: 'present', value }
  } catch (error) {
    if (isNotFound(error)) return { state: 'absent' }
    const denial = accessDenied(error)
    if (denial === undefined) throw awsProblem(subject, 'could not be read', error)
    return {
      state: 'unreadable',
      reason: `the run's role may not call ${denial.action}${deniedElsewhere(denial.because)}`,
      missingPermission: denial.action
    }
  }
}

/** No answer, or none but throttling and 5xx, to the calls that prove the credentials. */
export function stsUnreachable(region: string, error: unknown): UserError {
  return new UserError(
    'region',
    `STS in ${region} could not be reached: ${messageOf(error)}`,
    'Check the network of the runner (HTTPS_PROXY, NO_PROXY), and that the region exists; then run again.',
    { state: 'Nothing was changed.', cause: error }
  )
}
