import type { ControllerIdentityStrategy, NodeAccessStrategy } from '../aws/choices.js'
import { isMap } from '../engine/json.js'
import type { Values } from '../helm/values.js'
import type { Inputs } from '../inputs/inputs.js'
import { guideNames } from '../karpenter/names.js'
import type { Manifest } from '../kubernetes/manifest.js'

/**
 * What an installation that somebody else made is called and made of, as it was found when it was taken over. The record
 * keeps it, so that later runs go on with its names and not with the inputs' defaults.
 */
export interface Adoption {
  readonly namespace: string
  readonly controllerIdentity: ControllerIdentityStrategy
  readonly controllerRoleName: string
  readonly nodeRoleName: string
  readonly nodeAccess: NodeAccessStrategy
  readonly stackName: string
  /** Whose published template the stack has: tools bring a newer one along than the Karpenter that they install. */
  readonly templateVersion?: string
  /** Parts of the published stack that are of another origin, and are used as they are. */
  readonly others: {
    readonly nodeRoleArn?: string
    /** The queue that the release is set to, or that stands in the place of the stack's. */
    readonly queueName?: string
    /** ARNs of policies by the published names that are on the controller's role, and of no such stack. */
    readonly policyArns?: readonly string[]
  }
  /** As its EC2NodeClasses find them. */
  readonly subnetIds: readonly string[]
  readonly securityGroupIds: readonly string[]
  /** Whether any of them finds by the tag karpenter.sh/discovery=<cluster>. */
  readonly discoveryTags: boolean
  /** As the user of the release gave them. */
  readonly helmValues: Values
}

export function parseAdoption(value: unknown): Adoption | undefined {
  return isAdoption(value) ? value : undefined
}

function isAdoption(value: unknown): value is Adoption {
  if (!isMap(value) || !isMap(value['others']) || !isMap(value['helmValues'])) return false
  const texts = ['namespace', 'controllerRoleName', 'nodeRoleName', 'stackName']
  const lists = ['subnetIds', 'securityGroupIds']
  return (
    texts.every((key) => typeof value[key] === 'string') &&
    lists.every((key) => Array.isArray(value[key])) &&
    ['irsa', 'pod-identity'].includes(String(value['controllerIdentity'])) &&
    ['access-entry', 'aws-auth'].includes(String(value['nodeAccess']))
  )
}

/** An input that asks for another name than the adopted installation has. */
export interface Mismatch {
  readonly input: string
  readonly asked: string
  readonly found: string
}

/** Inputs that were given, and do not say what was found. One that was left at its default says nothing. */
export function mismatches(inputs: Inputs, adoption: Adoption): readonly Mismatch[] {
  const guide = guideNames(inputs.clusterName)
  const { kind } = inputs.interruptionQueue
  const queue = inputs.interruptionQueue.kind === 'named' ? inputs.interruptionQueue.name : kind
  const { queueName } = adoption.others
  const asked: readonly (readonly [input: string, given: string, byDefault: string, found: string])[] = [
    ['namespace', inputs.namespace, 'karpenter', adoption.namespace],
    ['controller-identity', inputs.controllerIdentity, 'auto', adoption.controllerIdentity],
    ['controller-role-name', inputs.controllerRoleName, guide.controllerRole, adoption.controllerRoleName],
    ['node-role-name', inputs.nodeRoleName, guide.nodeRole, adoption.nodeRoleName],
    ['node-access', inputs.nodeAccess, 'auto', adoption.nodeAccess],
    ['stack-name', inputs.stackName, guide.stack, adoption.stackName],
    ...(queueName === undefined ? [] : [['interruption-queue', queue, 'stack', queueName] as const])
  ]
  return asked.flatMap(([input, given, byDefault, found]) =>
    given === byDefault || given === found ? [] : [{ input, asked: given, found }]
  )
}

/** The inputs with the names of the adopted installation; subnets and security groups that are asked for stay. */
export function adoptedInputs(inputs: Inputs, adoption: Adoption): Inputs {
  const { subnetIds, securityGroupIds, others } = adoption
  return {
    ...inputs,
    namespace: adoption.namespace,
    controllerIdentity: adoption.controllerIdentity,
    controllerRoleName: adoption.controllerRoleName,
    nodeRoleName: adoption.nodeRoleName,
    nodeAccess: adoption.nodeAccess,
    stackName: adoption.stackName,
    ...(inputs.subnets.kind === 'cluster' &&
      subnetIds.length > 0 && { subnets: { kind: 'ids', ids: subnetIds } }),
    ...(inputs.securityGroups.kind === 'cluster' &&
      securityGroupIds.length > 0 && { securityGroups: { kind: 'ids', ids: securityGroupIds } }),
    ...(others.queueName !== undefined && { interruptionQueue: { kind: 'named', name: others.queueName } })
  }
}

/** An installation that was taken over: its names, and its NodePools and EC2NodeClasses as they are. */
export interface Adopted {
  readonly adoption: Adoption
  readonly nodePools: readonly Manifest[]
  readonly nodeClasses: readonly Manifest[]
}
