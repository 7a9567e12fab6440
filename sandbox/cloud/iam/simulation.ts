import { type Asker, decide, identityPolicies } from '../authorisation.js'
import { isRecord, list, optionalText, text, texts } from '../input.js'
import type { Context } from '../operations.js'
import { AwsError, type AwsCall } from '../service.js'
import { page } from './pages.js'
import { type IamState, missing, type Role } from './state.js'

/** SimulatePrincipalPolicy: every action with every resource, decided as a call of the role would be. */
export function simulatePrincipalPolicy(state: IamState, call: AwsCall): Readonly<Record<string, unknown>> {
  const source = text(call.input, 'PolicySourceArn')
  if (!/^arn:[a-z-]+:iam::\d{12}:(role|user|group)\/.+$/.test(source)) {
    throw new AwsError(
      'InvalidInput',
      `Invalid Entity Arn: ${source} does not clearly define entity type and name.`
    )
  }
  const role = state.roleByArn(source) ?? missing(`The role with ARN ${source} cannot be found.`)
  const context = contextOf(call.input)
  const resources = texts(call.input, 'ResourceArns')
  const asker: Asker = {
    caller: { ...call.caller, arn: role.arn, roleArn: role.arn, userId: `${role.id}:simulation` },
    region: call.region,
    tags: {}
  }
  const results = texts(call.input, 'ActionNames').flatMap((action) =>
    (resources.length === 0 ? ['*'] : resources).map((resource) => {
      const decision = decide(state, asker, { action, resource, context })
      return {
        EvalActionName: action,
        EvalResourceName: resource,
        EvalDecision: decision.allowed
          ? 'allowed'
          : decision.reason.startsWith('with an explicit deny')
            ? 'explicitDeny'
            : 'implicitDeny',
        MatchedStatements: [],
        MissingContextValues: missingKeys(state, role, action, resource, context),
        ...(role.boundary !== undefined && {
          PermissionsBoundaryDecisionDetail: {
            AllowedByPermissionsBoundary:
              decision.allowed || !decision.reason.includes('permissions boundary')
          }
        })
      }
    })
  )
  return page(call.input, 'EvaluationResults', results)
}

function contextOf(input: AwsCall['input']): Context {
  return Object.fromEntries(
    list(input, 'ContextEntries').flatMap((entry) => {
      if (!isRecord(entry)) return []
      const values = texts(entry, 'ContextKeyValues')
      const single = !(optionalText(entry, 'ContextKeyType') ?? 'string').endsWith('List')
      return [[text(entry, 'ContextKeyName'), single ? (values[0] ?? '') : values]]
    })
  )
}

/** Condition keys of the statements about this action and resource that the simulation was not given. */
function missingKeys(
  state: IamState,
  role: Role,
  action: string,
  resource: string,
  context: Context
): readonly string[] {
  const given = new Set(Object.keys(context).map((key) => key.toLowerCase()))
  const keys = identityPolicies(state, role)
    .flatMap(({ policy }) => (isRecord(policy) ? statementsOf(policy['Statement']) : []))
    .filter(
      (statement) => covers(statement['Action'], action, 'i') && covers(statement['Resource'], resource, '')
    )
    .flatMap((statement) => Object.values(isRecord(statement['Condition']) ? statement['Condition'] : {}))
    .flatMap((operands) => (isRecord(operands) ? Object.keys(operands) : []))
  return [...new Set(keys)].filter((key) => !given.has(key.toLowerCase()))
}

function statementsOf(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return (Array.isArray(value) ? value : [value]).filter(isRecord)
}

function covers(patterns: unknown, name: string, flags: 'i' | ''): boolean {
  return (Array.isArray(patterns) ? patterns : [patterns]).some((pattern) => {
    const escaped = String(pattern).replace(/[.+^${}()|[\]\\]/g, '\\$&')
    return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`, flags).test(name)
  })
}
