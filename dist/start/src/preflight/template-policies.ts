import { matches, matchesAction } from '../aws/wildcards.js'
import { type Allowance, allowancesOf } from '../aws/policy/statements.js'
import type { JsonMap } from '../engine/json.js'
import type { RenderedStack } from '../karpenter/rendered-stack.js'
import type { Facts } from './facts.js'
import type { Concern } from './finding.js'

type PolicyFacts = Pick<Facts, 'version' | 'required' | 'templateOrigin' | 'othersDocuments'> & {
  readonly stack: Pick<RenderedStack, 'policies' | 'nodeRole'>
}

/** Only features that are off by default use these: without them Karpenter scales all the same. */
const optional =
  /^(arc-zonal-shift:|ec2:Describe(CapacityReservations|PlacementGroups|InstanceStatus)$|pricing:)/i

/**
 * Actions that this version's controller calls and no policy of the stack allows. A controller that lacks one fails in its
 * log, or not before the first node, so it is said here.
 */
export async function templatePolicies(facts: PolicyFacts): Promise<readonly Concern[]> {
  const others = await facts.othersDocuments()
  if (others === undefined) return []
  const allowed = allowancesOf([...facts.stack.policies.map(({ document }) => document), ...others])
  return [...lacking(facts, allowed), ...passRole(facts, allowed)]
}

function lacking(
  { version, required, templateOrigin }: PolicyFacts,
  allowed: readonly Allowance[]
): Concern[] {
  const findings: Concern[] = []
  for (const { policy, sid, actions } of required) {
    const missing = actions.filter((action) => !allowed.some((one) => matchesAction(one.action, action)))
    if (missing.length === 0) continue
    findings.push({
      level: missing.every((action) => optional.test(action)) ? 'warning' : 'error',
      subject: 'template',
      problem: `no policy of the stack allows ${missing.join(', ')}, which the controller of Karpenter ${version} calls (${sid}, in upstream's ${policy} policy)`,
      evidence: `template: ${templateOrigin}`,
      fix: 'Add the statement to the template, or pass `template: upstream` or `built-in`.'
    })
  }
  return findings
}

/** ARNs of the roles that policies let the controller pass, with wildcards. */
export function passableRoles(documents: readonly JsonMap[]): readonly string[] {
  return allowancesOf(documents).flatMap(passed)
}

function passed({ action, resources }: Allowance): readonly string[] {
  return matchesAction(action, 'iam:PassRole') ? resources : []
}

function passRole({ stack, templateOrigin }: PolicyFacts, allowed: readonly Allowance[]): Concern[] {
  const passes = allowed.flatMap(passed)
  if (passes.length === 0 || passes.some((resource) => matches(resource, stack.nodeRole.arn))) return []
  return [
    {
      level: 'error',
      subject: 'node-role-name',
      problem: `the controller may not pass ${stack.nodeRole.arn} to the nodes`,
      evidence: `template: ${templateOrigin}; iam:PassRole is allowed on ${passes.join(', ')}`,
      fix: "Make the statement's Resource the node role of the template."
    }
  ]
}
