import { createValidatedPolicy } from '@cloud-copilot/iam-policy'
import { runUnsafeSimulation, type SimulationIdentityPolicy } from '@cloud-copilot/iam-simulate'
import { defaultDocument, type IamState, type Role } from './iam/state.js'
import type { Context } from './operations.js'
import type { AskedQuestion, Caller, Question } from './service.js'

/** What decides besides the question: who asks, how, and when. */
export interface Asker {
  readonly caller: Caller
  readonly region: string
  readonly tags: Readonly<Record<string, string>>
  readonly sessionPolicy?: string
  readonly via?: string
}

export type Decision = { readonly allowed: true } | { readonly allowed: false; readonly reason: string }

type Verdict = 'Allowed' | 'ExplicitlyDenied' | 'ImplicitlyDenied'

const parsed = new Map<string, unknown>()

/** Policies come again and again: each text is parsed once. */
function parse(text: string): unknown {
  const known = parsed.get(text)
  if (known !== undefined) return known
  const policy: unknown = JSON.parse(text)
  parsed.set(text, policy)
  return policy
}

/** Answers one question as IAM would: identity policies, permissions boundary, session policy, conditions. */
export function decide(state: IamState, asker: Asker, question: Question): Decision {
  const { action, resource } = question
  const role = roleBehind(state, asker.caller)
  const identity = role === undefined ? [] : identityPolicies(state, role)
  const boundary = role?.boundary === undefined ? undefined : policyOf(state, role.boundary)
  const context = { ...globalContext(state, asker, role, resource), ...question.context }
  const judge = (policies: readonly SimulationIdentityPolicy[]) =>
    simulate(
      { principal: asker.caller.arn, action, resource, context, accountId: state.home.accountId },
      policies
    )

  const byIdentity = judge(identity)
  if (byIdentity === 'ExplicitlyDenied') return denied('with an explicit deny in an identity-based policy')
  const byBoundary = boundary === undefined ? 'Allowed' : judge([boundary])
  if (byBoundary === 'ExplicitlyDenied') return denied('with an explicit deny in a permissions boundary')
  const bySession =
    asker.sessionPolicy === undefined
      ? 'Allowed'
      : judge([{ name: 'session', policy: parse(asker.sessionPolicy) }])
  if (bySession === 'ExplicitlyDenied') return denied('with an explicit deny in a session policy')
  if (byIdentity !== 'Allowed') return denied(`because no identity-based policy allows the ${action} action`)
  if (byBoundary !== 'Allowed') return denied(`because no permissions boundary allows the ${action} action`)
  if (bySession !== 'Allowed') return denied(`because no session policy allows the ${action} action`)
  return { allowed: true }

  function denied(reason: string): Decision {
    return { allowed: false, reason }
  }
}

/** The question with all that decides it besides policies, so that it can be put to other policies later. */
export function asQuestioned(state: IamState, asker: Asker, question: Question): AskedQuestion {
  const role = roleBehind(state, asker.caller)
  return {
    action: question.action,
    resource: question.resource,
    context: { ...globalContext(state, asker, role, question.resource), ...question.context },
    principal: asker.caller.arn,
    accountId: state.home.accountId
  }
}

/** Whether this policy (a document, parsed) alone allows what was asked. */
export function policyAllows(policy: unknown, asked: AskedQuestion): boolean {
  return simulate(asked, [{ name: 'policy', policy }]) === 'Allowed'
}

/** The sentence that AWS answers with. */
export function refusal(caller: Caller, question: Question, reason: string): string {
  return `User: ${caller.arn} is not authorized to perform: ${question.action} on resource: ${question.resource} ${reason}`
}

/** A role that was deleted and made anew is another role: its old sessions have no permissions. */
function roleBehind(state: IamState, caller: Caller): Role | undefined {
  const role = state.roleByArn(caller.roleArn)
  return role !== undefined && caller.userId.split(':')[0] === role.id ? role : undefined
}

export function identityPolicies(state: IamState, role: Role): readonly SimulationIdentityPolicy[] {
  return [
    ...role.attached.map((arn) => policyOf(state, arn)),
    ...Object.entries(role.inline).map(([name, document]) => ({ name, policy: parse(document) }))
  ]
}

function policyOf(state: IamState, arn: string): SimulationIdentityPolicy {
  const policy = state.policies.get(arn)
  return {
    name: arn,
    policy: policy === undefined ? { Version: '2012-10-17', Statement: [] } : parse(defaultDocument(policy))
  }
}

/**
 * The evaluation takes a `*` in a request for "whatever overlaps"; IAM matches it as it stands. So `*` becomes a resource
 * that only `*` covers, and a `*` within an ARN a plain character.
 */
function concrete(resource: string): string {
  return resource === '*' ? 'arn:none:none:none:000000000000:none' : resource.replaceAll('*', 'x')
}

function simulate(
  { principal, action, resource, context, accountId }: AskedQuestion,
  policies: readonly SimulationIdentityPolicy[]
): Verdict {
  return runUnsafeSimulation(
    {
      request: {
        principal,
        action,
        resource: { resource: concrete(resource), accountId },
        contextVariables: mutable(context)
      },
      identityPolicies: [...policies],
      serviceControlPolicies: [],
      resourceControlPolicies: []
    },
    {}
  )
}

/** The evaluation names the policy that decided, so a trust policy goes in with a name. */
function trustPolicy(role: Role): unknown {
  return createValidatedPolicy(parse(role.trust), () => [], { name: 'trust policy' })
}

/** Whether `role`'s trust policy lets `principal` (a role session, a federated provider, a service) do `action`. */
export function trusts(
  role: Role,
  principal: string,
  action: string,
  context: Context,
  accountId: string
): Verdict {
  return runUnsafeSimulation(
    {
      request: {
        principal,
        action,
        resource: { resource: role.arn, accountId },
        contextVariables: mutable(context)
      },
      identityPolicies: [],
      serviceControlPolicies: [],
      resourceControlPolicies: [],
      resourcePolicy: trustPolicy(role)
    },
    {}
  )
}

function globalContext(state: IamState, asker: Asker, role: Role | undefined, resource: string): Context {
  const { caller, region, tags, via } = asker
  const now = new Date(state.now())
  const owner = resource.split(':')[4]
  const principalTags = Object.fromEntries([
    ...(role?.tags ?? []).map((tag) => [`aws:PrincipalTag/${tag.Key}`, tag.Value] as const),
    ...Object.entries(tags).map(([key, value]) => [`aws:PrincipalTag/${key}`, value] as const)
  ])
  return {
    'aws:RequestedRegion': region,
    'aws:PrincipalArn': caller.roleArn,
    'aws:PrincipalAccount': caller.accountId,
    'aws:PrincipalType': 'AssumedRole',
    'aws:PrincipalIsAWSService': 'false',
    'aws:userid': caller.userId,
    'aws:SecureTransport': 'true',
    'aws:SourceIp': '127.0.0.1',
    'aws:CurrentTime': now.toISOString(),
    'aws:EpochTime': Math.floor(now.getTime() / 1000).toString(),
    'aws:ResourceAccount': owner === undefined || owner === '' ? caller.accountId : owner,
    'aws:ViaAWSService': via === undefined ? 'false' : 'true',
    ...(via === undefined
      ? {}
      : { 'aws:CalledVia': [via], 'aws:CalledViaFirst': via, 'aws:CalledViaLast': via }),
    ...principalTags
  }
}

function mutable(context: Context): Record<string, string | string[]> {
  return Object.fromEntries(
    Object.entries(context).map(([key, value]) => [key, typeof value === 'string' ? value : [...value]])
  )
}

/** AssumeRole and TagSession need the trust policy's consent and, when that names the account only, the caller's own. */
export function mayAssume(
  state: IamState,
  { caller, region }: Pick<Asker, 'caller' | 'region'>,
  role: Role,
  action: string,
  extra: Context
): boolean {
  const own = roleBehind(state, caller)
  const context = { ...globalContext(state, { caller, region, tags: {} }, own, role.arn), ...extra }
  const verdict = runUnsafeSimulation(
    {
      request: {
        principal: caller.arn,
        action,
        resource: { resource: role.arn, accountId: state.home.accountId },
        contextVariables: mutable(context)
      },
      identityPolicies: own === undefined ? [] : [...identityPolicies(state, own)],
      serviceControlPolicies: [],
      resourceControlPolicies: [],
      resourcePolicy: trustPolicy(role),
      ...(own?.boundary === undefined ? {} : { permissionBoundaryPolicies: [policyOf(state, own.boundary)] })
    },
    {}
  )
  return verdict === 'Allowed'
}
