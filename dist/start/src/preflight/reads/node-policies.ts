import type { Aws } from '../../aws/clients.js'
import { accessDenied, awsProblem, isNotFound } from '../../aws/errors.js'
import { attachedPolicies, inlinePolicies } from '../../aws/iam-role.js'
import { readManagedPolicy } from '../../aws/managed-policy.js'

/** Policies of nodes, as far as they may be read. */
export interface NodePolicies {
  readonly documents: readonly unknown[]
  /** `policy arn:...: the run's role may not call iam:GetPolicy`. */
  readonly unread: readonly string[]
}

/** Of managed policies, by their ARNs. One that is not there allows nothing. */
export function managedPolicies(aws: Aws): (arns: readonly string[]) => Promise<NodePolicies> {
  return async (arns) =>
    together(
      await Promise.all(
        arns.map(async (arn) =>
          orUnread(`policy ${arn}`, async () => [(await readManagedPolicy(aws, arn)).document ?? '{}'])
        )
      )
    )
}

/** All that are on a role. */
export function policiesOfRole(aws: Aws): (roleName: string) => Promise<NodePolicies> {
  return async (roleName) => {
    const seen: { arns: readonly string[] } = { arns: [] }
    const own = await orUnread(`policies of role ${roleName}`, async () => {
      const [arns, inline] = await Promise.all([
        attachedPolicies(aws, roleName),
        inlinePolicies(aws, roleName)
      ])
      seen.arns = arns
      return Object.values(inline)
    })
    return together([own, await managedPolicies(aws)(seen.arns)])
  }
}

async function orUnread(what: string, read: () => Promise<readonly string[]>): Promise<NodePolicies> {
  try {
    return { documents: (await read()).map((text): unknown => JSON.parse(text)), unread: [] }
  } catch (error) {
    if (isNotFound(error)) return { documents: [], unread: [] }
    const denial = accessDenied(error)
    if (denial === undefined) throw awsProblem('node-role-policies', `${what} could not be read`, error)
    return { documents: [], unread: [`${what}: the run's role may not call ${denial.action}`] }
  }
}

function together(all: readonly NodePolicies[]): NodePolicies {
  return {
    documents: all.flatMap(({ documents }) => documents),
    unread: all.flatMap(({ unread }) => unread)
  }
}
