import type { MissingPermission, Simulation } from '../aws/simulate.js'
import { installPolicy } from '../aws/errors.js'
import type { Need } from './install-permissions.js'
import type { Check, Finding } from './finding.js'

export interface PermissionsFacts {
  /** Whose policies are asked about; undefined for a caller that has none, such as an account's root user. */
  readonly principal: string | undefined
  /** What the plan calls; empty when nothing is to be changed. */
  readonly needs: () => Promise<readonly Need[]>
  readonly simulate: (principal: string, needs: readonly Need[]) => Promise<Simulation>
}

/** Everything that the role lacks for what is planned, at once, instead of one denial a run. */
export function permissions({ principal, needs, simulate }: PermissionsFacts): Check {
  return {
    name: 'permissions',
    run: async () => {
      const needed = await needs()
      if (principal === undefined || needed.length === 0) return []
      const simulation = await simulate(principal, needed)
      if (simulation.state === 'unknown') {
        return [
          {
            check: 'permissions',
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
  }
}

function lacking(principal: string, missing: readonly MissingPermission[]): Finding {
  const byAction = new Map<string, string[]>()
  for (const { action, resource, explicit } of missing) {
    const on = explicit ? `${resource} (explicitly denied)` : resource
    byAction.set(action, [...new Set([...(byAction.get(action) ?? []), on])])
  }
  return {
    check: 'permissions',
    level: 'error',
    subject: 'permissions',
    problem: `${principal} may not do all that is planned:\n${[...byAction].map(([action, on]) => `    ${action} on ${on.join(', ')}`).join('\n')}\n   `,
    evidence: 'iam:SimulatePrincipalPolicy',
    fix: `Give the role what it lacks (${installPolicy} has every statement), and take back what denies it.`,
    override: 'permissions'
  }
}
