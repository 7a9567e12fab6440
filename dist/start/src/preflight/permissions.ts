import type { MissingPermission, UnknownPermission } from '../aws/simulate.js'
import { installPolicy } from '../aws/errors.js'
import { boundedActions } from '../aws/policy/bounded-actions.js'
import type { Facts } from './facts.js'
import type { Concern } from './finding.js'

/** Everything that the role lacks for what is planned, at once, instead of one denial a run. */
export async function permissions({
  principal,
  needs,
  simulate
}: Pick<Facts, 'principal' | 'needs' | 'simulate'>): Promise<readonly Concern[]> {
  const needed = await needs()
  if (principal === undefined || needed.length === 0) return []
  const simulation = await simulate(principal, needed)
  if (simulation.state === 'unknown') {
    return [
      {
        level: 'note',
        subject: 'permissions',
        problem: `whether the role may do all that is planned could not be asked: ${simulation.reason}`,
        evidence: '',
        fix: simulation.fix
      }
    ]
  }
  const unbounded = needed.every(({ context }) => !(boundaryKey in context))
  // A role that this run makes has no boundary then: a statement that asks for one does not let it through.
  const refused = simulation.unknown.filter(
    ({ action, keys }) => unbounded && action === 'iam:CreateRole' && keys.includes(boundaryKey)
  )
  const missing = [...simulation.missing, ...refused.map((one) => ({ ...one, explicit: false }))]
  const unknown = simulation.unknown.filter((one) => !refused.includes(one))
  return [
    ...(missing.length === 0 ? [] : [lacking(principal, missing, unbounded)]),
    ...(unknown.length === 0 ? [] : [undecided(principal, unknown)])
  ]
}

const boundaryKey = 'iam:PermissionsBoundary'

function lacking(principal: string, missing: readonly MissingPermission[], unbounded: boolean): Concern {
  const denied = missing.map((one) => ({ ...one, resource: `${one.resource}${how(one)}` }))
  const beyond = [...new Set(missing.flatMap((one) => (one.beyond === undefined ? [] : keeper[one.beyond])))]
  return {
    level: 'error',
    subject: 'permissions',
    problem: `${principal} may not do all that is planned:\n${byAction(denied)}\n   `,
    evidence: 'iam:SimulatePrincipalPolicy',
    fix: [
      ...(unbounded && missing.some(({ action }) => boundedActions.includes(action))
        ? [
            'If the role may write roles only with a permissions boundary (docs/permissions/install-iam-bounded.json), pass it as `permissions-boundary`.'
          ]
        : []),
      `Give the role what it lacks (every statement is in ${installPolicy}), and take back what denies it.`,
      ...(beyond.length > 0
        ? [
            `What ${beyond.join(' or ')} does not allow must be allowed there: the role's own statements do not help against it.`
          ]
        : [])
    ].join(' '),
    override: 'permissions'
  }
}

const keeper = {
  'control policy': 'a control policy of the organisation',
  'permissions boundary': "the role's permissions boundary"
} as const

function how({ explicit, beyond }: MissingPermission): string {
  if (beyond !== undefined) return ` (not allowed by ${keeper[beyond]})`
  return explicit ? ' (explicitly denied)' : ''
}

/** What was not decided is never taken for allowed, and refuses nothing either. */
function undecided(principal: string, unknown: readonly UnknownPermission[]): Concern {
  const keys = [...new Set(unknown.flatMap((one) => one.keys))].sort()
  const fix = [
    ...(keys.length > 0
      ? [
          `The role's policies, a boundary or a control policy ask for ${keys.join(', ')}, which is known at the real call only: see that such a statement lets the call through.`
        ]
      : []),
    ...(unknown.some((one) => one.keys.length === 0)
      ? [
          `IAM's answer says nothing of ${keys.length > 0 ? 'the others' : 'them'}: see that the role has their statements (every one is in ${installPolicy}).`
        ]
      : [])
  ]
  return {
    level: 'note',
    subject: 'permissions',
    problem: `whether ${principal} may do this could not be found out:\n${byAction(unknown)}\n   `,
    evidence: 'iam:SimulatePrincipalPolicy',
    fix: fix.join(' ')
  }
}

/** One line an action, with the resources that it is about. */
function byAction(
  pairs: readonly { readonly action: string; readonly resource: string; readonly keys?: readonly string[] }[]
): string {
  const lines = new Map<string, Set<string>>()
  for (const { action, resource, keys = [] } of pairs) {
    const on = keys.length === 0 ? resource : `${resource} (without ${keys.join(', ')})`
    lines.set(action, (lines.get(action) ?? new Set()).add(on))
  }
  return [...lines].map(([action, on]) => `    ${action} on ${[...on].join(', ')}`).join('\n')
}
