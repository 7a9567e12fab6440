import { wantedTags } from '../../aws/ownership-tags.js'
import type { IamRole } from '../../aws/iam-role.js'
import { sharedRead } from '../../engine/once.js'
import { type Likely, stackTags } from '../../aws/stack-operation.js'
import { stackRules } from '../../aws/stack-rules.js'
import { renderedQueue, renderedRules } from '../../karpenter/rendered-interruption.js'
import { knownPolicies, renderedRoles } from '../../karpenter/rendered-roles.js'
import { eventRule } from '../../resources/stack/event-rule.js'
import { interruptionQueue } from '../../resources/stack/interruption-queue.js'
import { madeByTheStack } from '../../resources/stack/made-by-the-stack.js'
import { byHand, leftToTheStack } from '../../resources/stack/left-to-the-stack.js'
import type { StackPart } from '../../resources/stack/stack-change.js'
import { stackPolicy } from '../../resources/stack/stack-policy.js'
import { stackRole } from '../../resources/stack/stack-role.js'
import type { ModelParts } from './parts.js'
import type { Transition } from './transition.js'
import { idOf } from '../../resources/ids.js'

/** What the stack made in IAM, read there: CloudFormation does not see it edited. */
export function stackRolesAndPolicies(
  { inputs, found, decisions, ownership, keep }: ModelParts,
  readNodeRole: () => Promise<IamRole>,
  between: Transition
): readonly StackPart[] {
  const { aws, cluster } = found
  const { stackName } = inputs
  const tags = sharedRead(async () => stackTags(aws, stackName))
  const ports = { aws, ownership, keep, stackName, stackTags: tags, dependsOn: [idOf.stack] }
  const clusterName = cluster.name
  const roleTags = wantedTags(clusterName, inputs.tags)
  const own: readonly StackPart[] = [
    ...knownPolicies(decisions.stack).map(({ logicalId, name, arn, document }) => ({
      logicalId,
      resource: stackPolicy(
        { clusterName, name, arn, document },
        {
          ...ports,
          likely: likely(found),
          interim: async () => between.document(arn)
        }
      ),
      isIn: hasPhysicalId(arn)
    })),
    ...renderedRoles(decisions.stack).map(({ logicalId, ...role }) => ({
      logicalId,
      resource: stackRole(
        {
          clusterName,
          // A template of one's own may have a boundary for a role in it.
          permissionsBoundary: decisions.permissionsBoundary,
          ...role,
          tags: { ...roleTags, ...role.tags }
        },
        {
          ...ports,
          interim: async () => between.rolePolicies(role.name),
          ...(role.arn === decisions.stack.nodeRole.arn && { role: readNodeRole })
        }
      ),
      isIn: hasPhysicalId(role.name)
    }))
  ]
  const { stackRoleArn } = inputs
  if (stackRoleArn === undefined) return own
  return own.map((part) => ({
    ...part,
    resource: leftToTheStack(part.resource, stackName),
    byHand: byHand('Make it again', stackName)
  }))
}

/** The same parts, not read again where the stack has just made them. `made`: logical ids. */
export function asMade(parts: readonly StackPart[], made: ReadonlySet<string>): readonly StackPart[] {
  return parts.map((part) => ({
    ...part,
    resource: madeByTheStack(part.resource, () => made.has(part.logicalId))
  }))
}

/** The stack's queue, and the rules that feed it. */
export function interruption({ inputs, found, decisions, ownership }: ModelParts): readonly StackPart[] {
  const { aws, cluster } = found
  const { stackName } = inputs
  const of = { clusterName: cluster.name, stackName }
  const rules = renderedRules(decisions.stack)
  const tags = sharedRead(async () => stackTags(aws, stackName))
  const ports = { aws, ownership, stackTags: tags, dependsOn: [idOf.stack] }
  const inStack = stackRules(aws, stackName, rules, likely(found))
  const queue = renderedQueue(decisions.stack)
  return [
    ...(queue === undefined ? [] : [queue]).map(({ logicalId, ...wanted }) => ({
      logicalId,
      resource: interruptionQueue({ ...of, ...wanted }, ports),
      isIn: hasQueue(wanted.name)
    })),
    ...rules.map((rule) => ({
      logicalId: rule.logicalId,
      resource: eventRule({ ...of, ...rule }, { ...ports, rules: inStack }),
      isIn: (ids: ReadonlyMap<string, string>) => ids.has(rule.logicalId)
    }))
  ]
}

/** Where nothing was installed by this action before, a stack is seldom there. */
function likely({ record }: ModelParts['found']): Likely {
  return record === undefined ? 'absent' : 'there'
}

/** A queue's id is its URL, whose host is the region's, or of old days. */
function hasQueue(name: string): StackPart['isIn'] {
  return (ids) => [...ids.values()].some((id) => id.endsWith(`/${name}`))
}

function hasPhysicalId(id: string): StackPart['isIn'] {
  return (ids) => [...ids.values()].includes(id)
}
