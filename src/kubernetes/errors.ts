import { isMap } from '../engine/json.js'
import { messageOf, UserError } from '../engine/errors.js'
import { listField, textField } from './manifest.js'
import { lacksRight, refusedIn } from './refusals.js'
import type { Request } from './request.js'

/** Who calls the API server, for the commands that let them in. */
export interface Caller {
  /** As GetCallerIdentity says it. */
  readonly arn: string
  readonly clusterName: string
  readonly region: string
  readonly authenticationMode: 'API' | 'API_AND_CONFIG_MAP' | 'CONFIG_MAP'
}

/** An answer of the API server that is not the one asked for. */
export class KubernetesError extends UserError {
  /** HTTP status. */
  readonly status: number
  /** The server's machine-readable reason: Forbidden, Conflict, AlreadyExists, Invalid, Expired... */
  readonly reason: string
  /** `get configmaps in kube-system`; set when the caller may not. */
  readonly permission: string | undefined
  /** Who refused what the caller may do: an admission webhook, Pod Security, a quota. */
  readonly refusedBy: string | undefined
  /** It refuses a write of which an earlier try may have been carried out. */
  readonly repeated: boolean
  constructor(
    subject: string,
    problem: string,
    fix: string,
    answer: {
      status: number
      reason: string
      permission?: string
      refusedBy?: string
      repeated?: boolean | undefined
    }
  ) {
    super(subject, problem, fix)
    this.name = 'KubernetesError'
    this.status = answer.status
    this.reason = answer.reason
    this.permission = answer.permission
    this.refusedBy = answer.refusedBy
    this.repeated = answer.repeated === true
  }
}

const wayToTheEndpoint =
  'If the endpoint is private, run the job on a runner inside the VPC (or one that reaches it through HTTPS_PROXY), ' +
  'or enable public access for this runner: ' +
  'aws eks update-cluster-config --resources-vpc-config endpointPublicAccess=true,publicAccessCidrs=<runner CIDR>'

/** The API server gave no answer. */
export class UnreachableError extends UserError {
  constructor(endpoint: string, problem: string, cause: unknown, fix = wayToTheEndpoint) {
    super('cluster endpoint', `${endpoint} ${problem}`, fix, { cause })
    this.name = 'UnreachableError'
  }
}

/** An endpoint that was reached in this run and is not any more. */
export class StoppedAnsweringError extends UnreachableError {
  constructor(endpoint: string, seconds: number, error: unknown) {
    const tried = seconds === 0 ? '' : `, and did not in ${seconds} s of trying`
    super(
      endpoint,
      `stopped answering during this run${tried}: ${messageOf(error)}`,
      error,
      'Run again when it answers: kubectl get --raw /readyz?verbose. What is already done is kept, and the next run goes on from there.'
    )
  }
}

/** Something answers at the endpoint, and not as an API server does. */
export class NoApiServerError extends UnreachableError {
  constructor(endpoint: string, seconds: number, error: unknown) {
    const tried = seconds === 0 ? '' : `, and did not in ${seconds} s of trying`
    super(
      endpoint,
      `did not answer as an API server does${tried}: ${messageOf(error)}`,
      error,
      `${aProxyMayAnswer} Then run again: what is already done is kept, and the next run goes on from there.`
    )
  }
}

export const aProxyMayAnswer =
  'A proxy between the runner and the cluster may answer in its place: check HTTPS_PROXY and NO_PROXY.'

/** What the API server's answer means for a person. */
export function errorOf(
  request: Request,
  answer: { status: number; body: string; repeated?: boolean },
  caller: Caller,
  before: 'accepted' | 'new'
): KubernetesError {
  const status = parseStatus(answer.body)
  const subject = [request.resource, request.name].filter(Boolean).join(' ')
  const where = request.namespace === undefined ? '' : ` in namespace ${request.namespace}`
  if (isRefusedPatch(answer)) {
    const message = status.message.replace(/^failed to create typed patch object \([^)]*\): /, '')
    return new KubernetesError(subject, message, fixOf(422, 'Invalid'), {
      status: 422,
      reason: 'Invalid'
    })
  }
  const reason = status.reason ?? reasonByStatus(answer.status)
  if (answer.status === 401) return unauthorized(caller, before)
  // Reads pass no admission: what refuses them is authorization.
  const read = /^(get|list|watch)$/.test(request.verb)
  if (answer.status === 403 && (read || lacksRight(status.message))) {
    const permission = `${request.verb} ${request.resource}${where}`
    return new KubernetesError(
      subject,
      `the caller may not ${permission}: ${status.message}`,
      `Give it cluster-admin for the run. ${letIn(caller)}`,
      { status: 403, reason, permission }
    )
  }
  const namespace =
    request.namespace ??
    (request.resource === 'namespaces' ? request.name : undefined) ??
    namespaceIn(status.message)
  const refused = refusedIn(status.message, namespace)
  if (refused !== undefined) {
    return new KubernetesError(
      subject,
      `${request.verb}${where} was refused by ${refused.by}: ${status.message}`,
      refused.fix,
      { status: answer.status, reason, refusedBy: refused.by, repeated: answer.repeated }
    )
  }
  if (answer.status === 403) {
    return new KubernetesError(
      subject,
      `${request.verb}${where} was refused: ${status.message}`,
      'It is no missing right: ask who keeps the admission of the cluster, or the proxy before it, for an exception, and run again.',
      { status: 403, reason, refusedBy: 'the API server' }
    )
  }
  return new KubernetesError(
    subject,
    `${request.verb}${where} failed with ${answer.status} ${reason}: ${status.message}`,
    fixOf(answer.status, reason),
    { status: answer.status, reason, repeated: answer.repeated }
  )
}

/** `unable to create new content in namespace x because ...` */
function namespaceIn(message: string): string | undefined {
  return /\bnamespace "?([a-z0-9-]+)"? because/.exec(message)?.[1]
}

/** Server-side apply answers a field that the schema does not know with 500 (Kubernetes 1.32 to 1.35). */
export function isRefusedPatch(answer: { readonly status: number; readonly body: string }): boolean {
  return answer.status === 500 && answer.body.includes('failed to create typed patch object')
}

export function isKubernetesError(
  thrown: unknown,
  status: number,
  reason?: string
): thrown is KubernetesError {
  return (
    thrown instanceof KubernetesError &&
    thrown.status === status &&
    (reason === undefined || thrown.reason === reason)
  )
}

function parseStatus(body: string): { reason: string | undefined; message: string } {
  try {
    const parsed: unknown = JSON.parse(body)
    if (isMap(parsed) && parsed['kind'] === 'Status') {
      const causes = listField(parsed, 'details', 'causes')
        .map((cause) => [textField(cause, 'field'), textField(cause, 'message')].filter(Boolean).join(': '))
        .filter((text) => text !== '')
      const message = textField(parsed, 'message') ?? causes.join('; ')
      return { reason: textField(parsed, 'reason'), message }
    }
  } catch {
    // Proxies and the server's own panics answer in plain text: shown as it is.
  }
  return { reason: undefined, message: body.trim().slice(0, 500) || 'no message' }
}

function reasonByStatus(status: number): string {
  const names: Readonly<Record<number, string>> = {
    400: 'BadRequest',
    401: 'Unauthorized',
    403: 'Forbidden',
    404: 'NotFound',
    409: 'Conflict',
    410: 'Expired',
    422: 'Invalid',
    429: 'TooManyRequests'
  }
  return names[status] ?? 'InternalError'
}

function fixOf(status: number, reason: string): string {
  if (status === 409 && reason === 'Conflict') {
    return 'Another writer owns a field: run again; if it stays, take the field out of the other tool or the manifest.'
  }
  if (status === 422 || status === 400) return 'Correct the field that the message names, and run again.'
  if (status === 404) return 'Check that the API is served: kubectl api-resources.'
  return 'The API server is in trouble; run again when it answers: kubectl get --raw /readyz?verbose'
}

function unauthorized(caller: Caller, before: 'accepted' | 'new'): KubernetesError {
  if (before === 'accepted') {
    return new KubernetesError(
      'cluster access',
      `the API server no longer accepts ${caller.arn}, which it accepted earlier in this run`,
      'The credentials expired or the access was taken away: raise role-duration-seconds, or restore the access, and run again; ' +
        'what is already done is kept.',
      { status: 401, reason: 'Unauthorized' }
    )
  }
  return new KubernetesError(
    'cluster access',
    `${caller.arn} is not known to cluster ${caller.clusterName}`,
    letIn(caller),
    {
      status: 401,
      reason: 'Unauthorized'
    }
  )
}

/** The IAM principal behind a session: a role's session ARN carries the role's name without its path. */
function principalOf(arn: string): string {
  const session = /^arn:([^:]+):sts::(\d+):assumed-role\/([^/]+)\//.exec(arn)
  return session === null
    ? arn
    : `arn:${session[1] ?? 'aws'}:iam::${session[2] ?? ''}:role/${session[3] ?? ''}`
}

function letIn(caller: Caller): string {
  const principal = principalOf(caller.arn)
  const partition = principal.split(':')[1] ?? 'aws'
  const at = `${caller.clusterName} --region ${caller.region}`
  if (caller.authenticationMode === 'CONFIG_MAP') {
    return [
      'Let it in:',
      `  eksctl create iamidentitymapping --cluster ${at} --arn ${principal} --group system:masters --username setup-karpenter`
    ].join('\n')
  }
  return [
    'Let it in:',
    `  aws eks create-access-entry --cluster-name ${at} --principal-arn ${principal}`,
    `  aws eks associate-access-policy --cluster-name ${at} --principal-arn ${principal} \\`,
    `    --policy-arn arn:${partition}:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy --access-scope type=cluster`
  ].join('\n')
}
