import { ownerByTags } from '../adoption/owners/tag-owner.js'
import { awsProblem } from '../aws/errors.js'
import { isOurs, ownerTag } from '../aws/ownership-tags.js'
import { iamArn } from '../aws/partition.js'
import { physicalIds } from '../aws/stack-operation.js'
import { UserError } from '../engine/errors.js'
import { asksAsInstall, type Inputs } from '../inputs/inputs.js'
import type { Discovery } from './discovery.js'
import { isRecorded, recordedNodeAccess } from '../resources/recorded.js'
import { idOf } from '../resources/ids.js'

/** A role of somebody else's that nodes are given: used as it is, never changed, never removed. */
export interface OthersNodeRole {
  readonly arn: string
  /** For a person: whose it is, where that is known. */
  readonly who: string
}

type Asked = Pick<Inputs, 'mode' | 'clusterName' | 'stackName' | 'nodeRoleName' | 'nodeRoleNamed'>

/**
 * The role that `node-role-name` names, where somebody else made it; undefined where the stack makes it. One that is there
 * is never taken by the name that is the default, but only where it was asked for. A run that writes ends where that
 * cannot be known, or where the role is gone again, or goes with another cluster's installation.
 */
export async function othersNodeRole(
  inputs: Asked,
  { aws, record, roleNamed }: Pick<Discovery, 'aws' | 'record' | 'roleNamed'>
): Promise<OthersNodeRole | undefined> {
  const { clusterName, stackName, nodeRoleName: name } = inputs
  const before = recorded(record, name)
  if (before === 'made' || (before === undefined && !inputs.nodeRoleNamed)) return undefined
  const asRecorded = before === undefined ? undefined : { arn: before, who: 'made by somebody else' }
  const writes = asksAsInstall(inputs.mode)
  if (asRecorded !== undefined && !writes) return asRecorded
  const role = await roleNamed(name)
  if (role === 'absent') {
    if (asRecorded === undefined) return undefined
    throw new UserError(
      'node-role-name',
      `the role ${name}, which somebody else made and new nodes are to have, is not there any more`,
      'Make it again, or pass the name of another role that is there, or of one that is to be made.',
      { state: 'Nothing was changed.' }
    )
  }
  if (role === 'denied') {
    if (asRecorded !== undefined || !writes) return asRecorded
    throw new UserError(
      'node-role-name',
      `whether there is a role ${name} cannot be seen: the run's role may not call iam:GetRole on it. One that is there is used as it is, and one that is not is made`,
      `Allow iam:GetRole on ${iamArn(aws.account, `role/${name}`)}.`,
      { state: 'Nothing was changed.' }
    )
  }
  const { arn, tags } = role
  if (isOurs(tags, clusterName) || tags['aws:cloudformation:stack-name'] === stackName) return undefined
  const cluster = tags[ownerTag]
  if (cluster !== undefined && writes) {
    throw new UserError(
      'node-role-name',
      `the role ${name} is of the installation of cluster ${cluster}, and goes with it`,
      `Leave \`node-role-name\` out, which makes a role for this cluster, or name one that is kept apart from both.`,
      { state: 'Nothing was changed.' }
    )
  }
  if (await isInStack({ aws, stackName, name })) return undefined
  const owner = ownerByTags({ tags, name }, clusterName)
  return { arn, who: owner.kind === 'other' ? `kept by ${owner.who}` : 'made by somebody else' }
}

/** Its ARN where the last install used it and did not make it; `made` where the stack has made it. */
function recorded(record: Discovery['record'], name: string): string | undefined {
  if (record === undefined) return undefined
  if (isRecorded(record, idOf.role(name))) return 'made'
  const arn = recordedNodeAccess(record)?.nodeRoleArn
  return arn?.split('/').at(-1) === name ? arn : undefined
}

/** Where IAM shows no tag of CloudFormation's: stacks of earlier days set none on roles. */
async function isInStack(of: {
  readonly aws: Discovery['aws']
  readonly stackName: string
  readonly name: string
}): Promise<boolean> {
  try {
    return [...(await physicalIds(of.aws, of.stackName)).values()].includes(of.name)
  } catch (error) {
    throw awsProblem('node-role-name', `resources of stack ${of.stackName} could not be read`, error)
  }
}

/**
 * What becomes of the access that an installation gave to the role that its nodes had until now: those that run keep it
 * until Karpenter has replaced them, and no later run knows of it. Undefined where the role is the same, or the access was there.
 */
export function formerRoleWarning(
  { mode, clusterName }: Pick<Inputs, 'mode' | 'clusterName'>,
  record: Discovery['record'],
  nodeRoleArn: string
): string | undefined {
  const access = recordedNodeAccess(record)
  if (!asksAsInstall(mode) || access === undefined || access.nodeRoleArn === nodeRoleArn) return undefined
  if ((record?.resources[idOf.nodeAccess]?.before.length ?? 0) > 0) return undefined
  const { nodeRoleArn: former, by } = access
  const byEntry = by === 'access-entry'
  const away = byEntry
    ? `aws eks delete-access-entry --cluster-name ${clusterName} --principal-arn ${former}`
    : `eksctl delete iamidentitymapping --cluster ${clusterName} --arn ${former}`
  return `node-role-name: nodes had ${former} until now, and those that run have it until Karpenter has replaced them, so ${byEntry ? 'its access entry' : 'its line in aws-auth'} stays. No run takes it away later: when no node has it any more (kubectl get nodeclaims), ${away}`
}
