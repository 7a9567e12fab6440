import { readRole } from '../aws/iam-role.js'
import { wantedTags } from '../aws/ownership-tags.js'
import { sharedRead } from '../aws/shared-read.js'
import type { AnyResource } from '../engine/resource.js'
import { controllerRolePolicies, retiredPolicyArns } from '../resources/controller-role-policies.js'
import { nodeAccess } from '../resources/node-access.js'
import { spotServiceLinkedRole } from '../resources/spot-service-linked-role.js'
import { stack, type StackPart } from '../resources/stack.js'
import { identity } from './identity.js'
import type { ModelParts } from './parts.js'
import { stackRolesAndPolicies } from './stack-parts.js'

/** The stack and what it makes in IAM, the controller's role, and the nodes' way into the cluster. */
export function iam(parts: ModelParts, queueAndRules: readonly StackPart[]): readonly AnyResource[] {
  const { inputs, found, decisions, ownership, keep } = parts
  const { aws, cluster, kubernetes, record } = found
  const tags = wantedTags(cluster.name, inputs.tags)
  const policyArns = [
    ...decisions.stack.policies.map((policy) => policy.arn),
    ...(found.adopted?.adoption.others.policyArns ?? [])
  ]
  const { nodeRole } = decisions.stack
  const readNodeRole = sharedRead(async () => readRole(aws, nodeRole.name))
  const rolesAndPolicies = stackRolesAndPolicies(parts, readNodeRole)
  const ofTheStack = resourcesOf(rolesAndPolicies)
  const role = sharedRead(async () => readRole(aws, inputs.controllerRoleName))
  return [
    stack(
      {
        clusterName: cluster.name,
        name: inputs.stackName,
        template: decisions.template,
        resources: decisions.stack.names,
        parameters: decisions.stack.parameters,
        tags,
        capabilities: decisions.stack.capabilities
      },
      { aws, ownership, parts: [...rolesAndPolicies, ...queueAndRules] }
    ),
    ...ofTheStack,
    spotServiceLinkedRole({ aws }),
    ...identity(parts, role),
    controllerRolePolicies(
      {
        clusterName: cluster.name,
        roleName: inputs.controllerRoleName,
        policyArns,
        retiredPolicyArns: retiredPolicyArns(aws.account, cluster.name, policyArns),
        furtherPolicyArns: inputs.controllerRolePolicies
      },
      { aws, role, keep, dependsOn: ['controller-role', 'stack', ...idsOf(ofTheStack)] }
    ),
    nodeAccess(
      decisions.nodeAccess,
      { clusterName: cluster.name, nodeRoleArn: nodeRole.arn, tags },
      {
        aws,
        kubernetes,
        ownership,
        keepCopy: (data) => keep('aws-auth', JSON.stringify(data)),
        created:
          record?.resources['node-access']?.before.length === 0 ||
          ownership.adopted?.has('node-access') === true,
        nodeRole: readNodeRole,
        dependsOn: ['stack', ...idsOf(ofTheStack)]
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
