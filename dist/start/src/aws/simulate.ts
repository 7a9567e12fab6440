import type { ContextEntry, EvaluationResult, ResourceSpecificResult } from '@aws-sdk/client-iam'
import { canonical } from '../engine/json.js'
import { messageOf } from '../engine/errors.js'
import type { ConditionContext, Need } from './policy/need.js'
import type { Aws } from './clients.js'
import { accessDenied, codeOf, isNotFound, isTransient } from './errors.js'

/** An action that the principal's policies do not allow. */
export interface MissingPermission {
  readonly action: string
  readonly resource: string
  /** Denied by a policy that says so, not merely allowed by none. */
  readonly explicit: boolean
  /** What keeps the principal's own policies from mattering, when IAM says it. */
  readonly beyond?: 'control policy' | 'permissions boundary'
}

/** An action that IAM's answer decides nothing about. */
export interface UnknownPermission {
  readonly action: string
  readonly resource: string
  /** Condition keys that the policies ask for and that are known at the real call only; empty when IAM said nothing. */
  readonly keys: readonly string[]
}

export type Simulation =
  | {
      readonly state: 'known'
      readonly missing: readonly MissingPermission[]
      readonly unknown: readonly UnknownPermission[]
    }
  /** `reason` and `fix` as a person may read them. */
  | { readonly state: 'unknown'; readonly reason: string; readonly fix: string }

/**
 * ARN whose policies iam:SimulatePrincipalPolicy looks at: the role's own of an assumed role, whose path its session's
 * ARN does not say. `assumed` is the role that this run assumed itself. Undefined for an account's root user.
 */
export function principalOf(callerArn: string, assumed: string | undefined): string | undefined {
  const [, partition = '', service, , account = '', ...rest] = callerArn.split(':')
  const name = rest.join(':')
  if (service === 'iam') return name === 'root' ? undefined : callerArn
  const role = /^assumed-role\/([^/]+)\//.exec(name)?.[1]
  if (role === undefined) return undefined
  return assumed?.endsWith(`/${role}`) === true ? assumed : `arn:${partition}:iam::${account}:role/${role}`
}

/**
 * Asks IAM about all needs, those under the same conditions in one request. Nothing that goes wrong is thrown: the
 * simulation is a courtesy, and the run finds out by itself.
 */
export async function simulate(aws: Aws, principal: string, needs: readonly Need[]): Promise<Simulation> {
  const groups = new Map<string, Need[]>()
  for (const need of needs) {
    const key = canonical(need.context)
    groups.set(key, [...(groups.get(key) ?? []), need])
  }
  try {
    const verdicts = await Promise.all([...groups.values()].map(async (group) => ask(aws, principal, group)))
    return {
      state: 'known',
      missing: verdicts.flatMap(({ missing }) => missing),
      unknown: verdicts.flatMap(({ unknown }) => unknown)
    }
  } catch (error) {
    return { state: 'unknown', ...whyUnknown(principal, error) }
  }
}

function whyUnknown(principal: string, error: unknown): { readonly reason: string; readonly fix: string } {
  const denial = accessDenied(error)
  if (denial !== undefined) {
    return {
      reason: `the run's role may not call ${denial.action}`,
      fix: `To have it looked at before the first write, allow the role ${denial.action} on itself.`
    }
  }
  return {
    reason: `iam:SimulatePrincipalPolicy of ${principal} failed: ${messageOf(error)}`,
    fix: isNotFound(error)
      ? 'A session does not say the path of its role: where the role has one, pass its whole ARN as `role-to-assume`.'
      : isTransient(error)
        ? 'Nothing to do: IAM did not answer, and the next run asks again.'
        : 'Nothing to do unless the run ends with a denial.'
  }
}

type Verdicts = Pick<Extract<Simulation, { state: 'known' }>, 'missing' | 'unknown'>

/**
 * Actions that need "different authorization information" are refused together (InvalidInput: "Invalid Input Actions:
 * [...] and [...] require different authorization information."); they are asked again, one a request.
 */
async function ask(aws: Aws, principal: string, needs: readonly Need[]): Promise<Verdicts> {
  const actions = new Set(needs.flatMap((need) => need.actions))
  try {
    return verdictsOf(await resultsOf(aws, principal, needs), needs)
  } catch (error) {
    if (actions.size === 1 || !refusedTogether(error)) throw error
    const each = await Promise.all(
      [...actions].map(async (action) => {
        const own = needs
          .filter((need) => need.actions.includes(action))
          .map((need) => ({ ...need, actions: [action] }))
        return verdictsOf(await resultsOf(aws, principal, own), own)
      })
    )
    return {
      missing: each.flatMap(({ missing }) => missing),
      unknown: each.flatMap(({ unknown }) => unknown)
    }
  }
}

/** IAM does not answer of these actions in one request. */
export function refusedTogether(error: unknown): boolean {
  return codeOf(error) === 'InvalidInput' && messageOf(error).includes('different authorization information')
}

async function resultsOf(
  aws: Aws,
  principal: string,
  needs: readonly Need[]
): Promise<readonly EvaluationResult[]> {
  const { paginateSimulatePrincipalPolicy } = await import('./sdk/iam.js')
  const client = await aws.iam()
  const asked = {
    PolicySourceArn: principal,
    ActionNames: [...new Set(needs.flatMap(({ actions }) => actions))],
    ResourceArns: [...new Set(needs.flatMap(({ resources }) => resources))],
    ContextEntries: entriesOf(needs[0]?.context ?? {}),
    MaxItems: 1000
  }
  const results: EvaluationResult[] = []
  for await (const page of paginateSimulatePrincipalPolicy({ client }, asked)) {
    results.push(...(page.EvaluationResults ?? []))
  }
  return results
}

/** Of each action with each resource, only what is needed counts. */
function verdictsOf(results: readonly EvaluationResult[], needs: readonly Need[]): Verdicts {
  const missing: MissingPermission[] = []
  const unknown: UnknownPermission[] = []
  for (const { actions, resources } of needs) {
    for (const action of actions) {
      for (const resource of resources) {
        const answer = answerFor(results, action, resource)
        if (answer?.decision === 'allowed' && answer.beyond === undefined) continue
        if (answer === undefined || (answer.keys.length > 0 && answer.decision !== 'explicitDeny')) {
          unknown.push({ action, resource, keys: answer?.keys ?? [] })
        } else {
          const explicit = answer.decision === 'explicitDeny'
          missing.push({ action, resource, explicit, ...(answer.beyond && { beyond: answer.beyond }) })
        }
      }
    }
  }
  return { missing, unknown }
}

interface Answer {
  readonly decision: string | undefined
  /** A policy asks for condition keys that were not given: a real call may well have them. */
  readonly keys: readonly string[]
  readonly beyond: MissingPermission['beyond']
}

/**
 * IAM gives one result an action. Its EvalResourceName is a template of ARNs and its EvalDecision the worst of all
 * resources, so each resource's own stands in ResourceSpecificResults; where one resource was asked about, the result may
 * have no such part and names the resource itself (documentation of EvaluationResult in @aws-sdk/client-iam).
 */
function answerFor(
  results: readonly EvaluationResult[],
  action: string,
  resource: string
): Answer | undefined {
  for (const result of results) {
    if (result.EvalActionName?.toLowerCase() !== action.toLowerCase()) continue
    const own = result.ResourceSpecificResults?.find((one) => one.EvalResourceName === resource)
    if (own !== undefined) {
      return {
        decision: own.EvalResourceDecision,
        keys: own.MissingContextValues ?? [],
        beyond: beyond(result, own)
      }
    }
    if (result.EvalResourceName === resource) {
      return {
        decision: result.EvalDecision,
        keys: result.MissingContextValues ?? [],
        beyond: beyond(result, result)
      }
    }
  }
  return undefined
}

/** Control policies are looked at for a result as a whole, a boundary for each resource (EvaluationResult, ResourceSpecificResult). */
function beyond(
  { OrganizationsDecisionDetail: organisation }: EvaluationResult,
  { PermissionsBoundaryDecisionDetail: boundary }: EvaluationResult | ResourceSpecificResult
): MissingPermission['beyond'] {
  if (organisation?.AllowedByOrganizations === false) return 'control policy'
  return boundary?.AllowedByPermissionsBoundary === false ? 'permissions boundary' : undefined
}

function entriesOf(context: ConditionContext): ContextEntry[] {
  return Object.entries(context).map(([name, value]) => ({
    ContextKeyName: name,
    ContextKeyValues: typeof value === 'string' ? [value] : [...value],
    ContextKeyType: typeof value === 'string' ? 'string' : 'stringList'
  }))
}
