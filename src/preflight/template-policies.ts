import { isMap, type JsonMap } from '../engine/json.js'
import { matches } from '../karpenter/action-match.js'
import type { RequiredStatement } from '../karpenter/required-statements.js'
import type { RenderedStack } from '../karpenter/rendered-stack.js'
import type { Check, Finding } from './finding.js'

export interface TemplatePoliciesFacts {
  readonly karpenterVersion: string
  readonly required: readonly RequiredStatement[]
  readonly stack: Pick<RenderedStack, 'policies' | 'nodeRole'>
  /** Where the template came from, for a person. */
  readonly origin: string
  /**
   * Documents of policies that somebody else made and that are on the controller's role besides; undefined where nothing is
   * to be changed, and they need not be read to know that.
   */
  readonly othersDocuments?: () => Promise<readonly JsonMap[] | undefined>
}

/** Only features that are off by default use these: without them Karpenter scales all the same. */
const optional =
  /^(arc-zonal-shift:|ec2:Describe(CapacityReservations|PlacementGroups|InstanceStatus)$|pricing:)/i

/**
 * Actions that this version's controller calls and no policy of the stack allows. A controller that lacks one fails in its
 * log, or not before the first node, so it is said here.
 */
export function templatePolicies(facts: TemplatePoliciesFacts): Check {
  return {
    name: 'template-policies',
    run: async () => {
      const others = facts.othersDocuments === undefined ? [] : await facts.othersDocuments()
      if (others === undefined) return []
      const allowed = allowedBy([...facts.stack.policies.map(({ document }) => document), ...others])
      return [...lacking(facts, allowed), ...passRole(facts, allowed)]
    }
  }
}

interface Allowed {
  readonly action: string
  readonly resources: readonly string[]
}

function allowedBy(documents: readonly JsonMap[]): readonly Allowed[] {
  return documents.flatMap((document) =>
    listOf(document['Statement'])
      .filter(isMap)
      .filter((statement) => statement['Effect'] === 'Allow')
      .flatMap((statement) =>
        listOf(statement['Action']).map((action) => ({
          action: String(action),
          resources: listOf(statement['Resource']).map(String)
        }))
      )
  )
}

function lacking(
  { karpenterVersion, required, origin }: TemplatePoliciesFacts,
  allowed: readonly Allowed[]
): Finding[] {
  const findings: Finding[] = []
  for (const { policy, sid, actions } of required) {
    const missing = actions.filter((action) => !allowed.some((one) => matches(one.action, action)))
    if (missing.length === 0) continue
    findings.push({
      check: 'template-policies',
      level: missing.every((action) => optional.test(action)) ? 'warning' : 'error',
      subject: 'template',
      problem: `no policy of the stack allows ${missing.join(', ')}, which the controller of Karpenter ${karpenterVersion} calls (${sid}, in upstream's ${policy} policy)`,
      evidence: `template: ${origin}`,
      fix: 'Add the statement to the template, or pass `template: upstream` or `built-in`.'
    })
  }
  return findings
}

/** ARNs of the roles that policies let the controller pass, with wildcards. */
export function passableRoles(documents: readonly JsonMap[]): readonly string[] {
  return allowedBy(documents).flatMap(passed)
}

function passed({ action, resources }: Allowed): readonly string[] {
  return matches(action, 'iam:PassRole') ? resources : []
}

function passRole({ stack, origin }: TemplatePoliciesFacts, allowed: readonly Allowed[]): Finding[] {
  const passes = allowed.flatMap(passed)
  if (passes.length === 0 || passes.some((resource) => matches(resource, stack.nodeRole.arn))) return []
  return [
    {
      check: 'template-policies',
      level: 'error',
      subject: 'node-role-name',
      problem: `the controller may not pass ${stack.nodeRole.arn} to the nodes`,
      evidence: `template: ${origin}; iam:PassRole is allowed on ${passes.join(', ')}`,
      fix: "Make the statement's Resource the node role of the template."
    }
  ]
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value]
}
