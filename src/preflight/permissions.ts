import type { MissingPermission } from '../aws/simulate.js'
import { installPolicy } from '../aws/errors.js'
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
        fix: 'To have it looked at before the first write, allow the role iam:SimulatePrincipalPolicy on itself.'
      }
    ]
  }
  return simulation.missing.length === 0 ? [] : [lacking(principal, simulation.missing)]
}

function lacking(principal: string, missing: readonly MissingPermission[]): Concern {
  const byAction = new Map<string, string[]>()
  for (const { action, resource, explicit } of missing) {
    const on = explicit ? `${resource} (explicitly denied)` : resource
    byAction.set(action, [...new Set([...(byAction.get(action) ?? []), on])])
  }
  return {
    level: 'error',
    subject: 'permissions',
    problem: `${principal} may not do all that is planned:\n${[...byAction].map(([action, on]) => `    ${action} on ${on.join(', ')}`).join('\n')}\n   `,
    evidence: 'iam:SimulatePrincipalPolicy',
    fix: `Give the role what it lacks (${installPolicy} has every statement), and take back what denies it.`,
    override: 'permissions'
  }
}
