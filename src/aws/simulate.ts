import type { ContextEntry, EvaluationResult } from '@aws-sdk/client-iam'
import { canonical } from '../engine/json.js'
import { messageOf } from '../engine/errors.js'
import type { ConditionContext, Need } from '../preflight/install-permissions.js'
import type { Aws } from './clients.js'
import { accessDenied } from './errors.js'

/** An action that the principal's policies do not allow. */
export interface MissingPermission {
  readonly action: string
  readonly resource: string
  /** Denied by a policy that says so, not merely allowed by none. */
  readonly explicit: boolean
}

export type Simulation =
  | { readonly state: 'known'; readonly missing: readonly MissingPermission[] }
  /** `reason` as a person may read it. */
  | { readonly state: 'unknown'; readonly reason: string }

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
    const missing = await Promise.all([...groups.values()].map(async (group) => ask(aws, principal, group)))
    return { state: 'known', missing: missing.flat() }
  } catch (error) {
    const denial = accessDenied(error)
    return {
      state: 'unknown',
      reason:
        denial === undefined
          ? `iam:SimulatePrincipalPolicy of ${principal} failed: ${messageOf(error)}`
          : `the run's role may not call ${denial.action}`
    }
  }
}

async function ask(
  aws: Aws,
  principal: string,
  needs: readonly Need[]
): Promise<readonly MissingPermission[]> {
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
  // Of each action with each resource, only what is needed counts.
  return needs.flatMap(({ actions, resources }) =>
    actions.flatMap((action) =>
      resources.flatMap((resource) => {
        const result = results.find(
          (one) => one.EvalActionName === action && one.EvalResourceName === resource
        )
        if (result === undefined || result.EvalDecision === 'allowed' || isUncertain(result)) return []
        return [{ action, resource, explicit: result.EvalDecision === 'explicitDeny' }]
      })
    )
  )
}

/** A policy asks for a condition key that was not given: a real call may well have it. */
function isUncertain({ MissingContextValues = [] }: EvaluationResult): boolean {
  return MissingContextValues.length > 0
}

function entriesOf(context: ConditionContext): ContextEntry[] {
  return Object.entries(context).map(([name, value]) => ({
    ContextKeyName: name,
    ContextKeyValues: typeof value === 'string' ? [value] : [...value],
    ContextKeyType: typeof value === 'string' ? 'string' : 'stringList'
  }))
}
