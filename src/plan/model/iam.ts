import { readRole, readRoleWithPolicies } from '../../aws/iam-role.js'
import { wantedTags } from '../../aws/ownership-tags.js'
import { sharedRead } from '../../engine/once.js'
import type { AnyResource } from '../../engine/resource.js'
import {
  controllerRolePolicies,
  retiredPolicyArns
} from '../../resources/controller/controller-role-policies.js'
import { nodeAccess } from '../../resources/access/node-access.js'
import { retiredParts } from '../../resources/stack/retired-parts.js'
import { spotServiceLinkedRole } from '../../resources/stack/spot-service-linked-role.js'
import { stack } from '../../resources/stack/stack.js'
import type { StackPart, StackPorts } from '../../resources/stack/stack-change.js'
import type { StackWanted } from '../../resources/stack/stack-differences.js'
import { identity, type ReadPods } from './identity.js'
import type { ModelParts } from './parts.js'
import { asMade, stackRolesAndPolicies } from './stack-parts.js'
import { transition } from './transition.js'
import { idOf } from '../../resources/ids.js'

/**
 * The stack and what it makes in IAM, the controller's role, and the nodes' way into the cluster. What another version has
 * left goes when the controller has rolled out. What needs a part of the stack waits for all of it: a rollback could not
 * delete a policy that is attached already, and an access entry of a role that it deletes lets nobody in.
 */
export function iam(
  parts: ModelParts,
  queueAndRules: readonly StackPart[],
  readPods: ReadPods,
  /** Logical ids of what the stack has made in this run. */
  made: { readonly ids: ReadonlySet<string>; readonly note: StackPorts['made'] }
): readonly AnyResource[] {
  const { inputs, found, decisions, ownership, keep, removal } = parts
  const { aws, cluster, kubernetes } = found
  const tags = wantedTags(cluster.name, inputs.tags)
  const policyArns = [
    ...decisions.stack.policies.map((policy) => policy.arn),
    ...(found.adopted?.adoption.others.policyArns ?? [])
  ]
  const retiredArns = retiredPolicyArns(aws.account, cluster.name, policyArns)
  const { nodeRole } = decisions.stack
  const readNodeRole = sharedRead(async () => readRole(aws, nodeRole.name))
  const between = transition(parts)
  const rolesAndPolicies = asMade(stackRolesAndPolicies(parts, readNodeRole, between), made.ids)
  const ofTheStack = resourcesOf(rolesAndPolicies)
  const role = sharedRead(async () => readRole(aws, inputs.controllerRoleName))
  const roleWithPolicies = sharedRead(async () => readRoleWithPolicies(aws, inputs.controllerRoleName, role))
  const wanted: StackWanted = {
    clusterName: cluster.name,
    name: inputs.stackName,
    template: decisions.template,
    resources: decisions.stack.names,
    parameters: decisions.stack.parameters,
    tags,
    capabilities: decisions.stack.capabilities
  }
  const { widen, liveStack } = between
  return [
    stack(wanted, {
      aws,
      ownership,
      roleArn: inputs.stackRoleArn,
      parts: [...rolesAndPolicies, ...queueAndRules],
      live: liveStack,
      widen,
      made: made.note
    }),
    ...ofTheStack,
    spotServiceLinkedRole({ aws }),
    ...identity(parts, role, readPods),
    controllerRolePolicies(
      {
        clusterName: cluster.name,
        roleName: inputs.controllerRoleName,
        policyArns,
        retiredPolicyArns: retiredArns,
        furtherPolicyArns: inputs.controllerRolePolicies
      },
      {
        aws,
        role: roleWithPolicies,
        keep,
        dependsOn: [idOf.controllerRole, idOf.stack, ...idsOf(ofTheStack)]
      }
    ),
    ...(removal === undefined
      ? [
          retiredParts(
            {
              roleName: inputs.controllerRoleName,
              policyArns: retiredArns.filter((arn) => !inputs.controllerRolePolicies.includes(arn)),
              template: decisions.template
            },
            {
              aws,
              ownership,
              roleArn: inputs.stackRoleArn,
              stack: wanted,
              widen,
              attached: async () => (await roleWithPolicies()).attached,
              liveStack,
              dependsOn: [idOf.stack, idOf.controllerRolePolicies, idOf.helmRelease]
            }
          )
        ]
      : []),
    nodeAccess(
      decisions.nodeAccess,
      { clusterName: cluster.name, nodeRoleArn: nodeRole.arn, tags },
      {
        aws,
        kubernetes,
        ownership,
        ownRole: nodeRole.logicalId !== undefined,
        keepCopy: (data) => keep('aws-auth', JSON.stringify(data)),
        nodeRole: readNodeRole,
        dependsOn: [idOf.stack, ...idsOf(ofTheStack)]
      }
    )
  ]
}

export function resourcesOf(parts: readonly StackPart[]): readonly AnyResource[] {
  return parts.map(({ resource }) => resource)
}

export function idsOf(resources: readonly AnyResource[]): readonly string[] {
  return resources.map(({ id }) => id)
}
