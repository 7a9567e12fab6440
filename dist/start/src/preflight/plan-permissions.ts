import type { Decisions } from '../plan/decisions.js'
import type { Discovery } from '../plan/discovery.js'
import type { Difference } from '../engine/difference.js'
import type { Inspection } from '../engine/resource.js'
import type { Inputs } from '../inputs/inputs.js'
import type { Need } from '../aws/policy/need.js'
import { needsOf } from './install-permissions.js'
import { oidcProviderArn } from '../resources/access/oidc-provider.js'
import { idOf } from '../resources/ids.js'

/** What the plan needs permissions for; nothing where all is as wanted. */
export function plannedNeeds(
  {
    inputs,
    found,
    decisions
  }: {
    readonly inputs: Inputs
    readonly found: Pick<Discovery, 'aws' | 'cluster' | 'subnets' | 'securityGroups'>
    readonly decisions: Pick<Decisions, 'stack' | 'nodeAccess' | 'permissionsBoundary'>
  },
  inspections: ReadonlyMap<string, Inspection>
): readonly Need[] {
  const { account } = found.aws
  const ec2 = (path: string): string => `arn:${account.partition}:ec2:${account.region}:${account.id}:${path}`
  return needsOf({
    account,
    clusterName: found.cluster.name,
    vpcId: found.cluster.vpcId,
    controllerRoleName: inputs.controllerRoleName,
    stackName: inputs.stackName,
    stackRoleArn: inputs.stackRoleArn,
    stack: decisions.stack,
    nodeAccess: decisions.nodeAccess,
    discovered: [
      ...found.subnets.map(({ id }) => ec2(`subnet/${id}`)),
      ...found.securityGroups.map(({ id }) => ec2(`security-group/${id}`))
    ],
    oidcProviderArn: oidcProviderArn(account, found.cluster.oidcIssuer),
    permissionsBoundary: decisions.permissionsBoundary,
    retiredPolicyArns: inspections.get(idOf.retiredParts)?.differences.flatMap(attachedPolicy) ?? [],
    stateOf: (id) => inspections.get(id)?.state,
    pathsOf: (id) => inspections.get(id)?.differences.map(({ path }) => path) ?? []
  })
}

function attachedPolicy({ path, live }: Difference): readonly string[] {
  return path.startsWith('policies.') && typeof live === 'string' ? [live] : []
}
