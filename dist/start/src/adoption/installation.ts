import type { NodeAccessStrategy } from '../aws/choices.js'
import type { Aws } from '../aws/clients.js'
import { awsProblem, isNotFound } from '../aws/errors.js'
import { attachedPolicies, readRole } from '../aws/iam-role.js'
import { queueUrlOf } from '../aws/partition.js'
import { mappingState, nodeMapping, parseMapRoles } from '../aws/map-roles.js'
import type { Discovery } from '../plan/discovery.js'
import { type Controller, readRelease, type Release } from '../helm/release.js'
import { configMaps, deployments, ec2NodeClasses, nodePools as nodePoolKind } from '../kubernetes/kinds.js'
import { type Manifest, textField } from '../kubernetes/manifest.js'
import { ownerLabel } from '../resources/kubernetes-object.js'
import { type FoundIdentity, foundIdentity } from '../plan/found-identity.js'
import { findPublishedStack, type PublishedStack, stackNames } from './published-stack.js'

/** The role that nodes have, by what the EC2NodeClasses say. */
export interface FoundNodeRole {
  readonly name: string
  readonly arn: string
  readonly tags: Readonly<Record<string, string>>
}

/** An installation of Karpenter that this action did not make, read from what is there. */
export interface Installation {
  readonly controller: Controller
  /** Undefined where helm did not install it. */
  readonly release: Release | undefined
  /** As the API server has it: its labels and managers are evidence of who made it. */
  readonly deployment: unknown
  readonly serviceAccount: string
  readonly identity: FoundIdentity | undefined
  /** Most used first. */
  readonly nodeRoles: readonly FoundNodeRole[]
  readonly nodeAccess: NodeAccessStrategy
  /** The stack of the published template that role and policies are of; undefined where there is none. */
  readonly stack: PublishedStack | undefined
  /** As the release is set. */
  readonly queueName: string | undefined
  /** Whether a queue of the name that the stack would give is there; asked where the release is set to none. */
  readonly queueOfStackName: boolean
  /** ARNs of the managed policies of the controller's role. */
  readonly policyArns: readonly string[]
  readonly nodePools: readonly Manifest[]
  readonly nodeClasses: readonly Manifest[]
}

/** What is there in the place of an installation of ours; undefined where there is nothing, or it is ours. */
export async function findInstallation(
  found: Pick<Discovery, 'aws' | 'cluster' | 'kubernetes' | 'controllers'>,
  stackName: string
): Promise<Installation | undefined> {
  const { aws, cluster, kubernetes, controllers } = found
  const [controller] = controllers
  if (controller === undefined) return undefined
  const release =
    controller.release === undefined
      ? undefined
      : await readRelease(kubernetes, controller.release.name, controller.release.namespace)
  if (release?.labels[ownerLabel] !== undefined) return undefined
  const [deployment, nodePools, nodeClasses] = await Promise.all([
    kubernetes.get(deployments, controller.deployment, controller.namespace),
    kubernetes.list(nodePoolKind),
    kubernetes.list(ec2NodeClasses)
  ])
  const serviceAccount = deployment?.spec?.template.spec?.serviceAccountName ?? 'default'
  const [identity, nodeRoles] = await Promise.all([
    foundIdentity(found, controller.namespace, serviceAccount),
    nodeRolesOf(aws, nodeClasses.items)
  ])
  const queueName = textField(release?.values, 'settings', 'interruptionQueue') || undefined
  const [policyArns, queueOfStackName] = await Promise.all([
    identity === undefined ? [] : policiesOf(aws, identity),
    queueName === undefined && hasQueue(aws, cluster.name)
  ])
  return {
    controller,
    release,
    deployment,
    policyArns,
    queueOfStackName,
    serviceAccount,
    identity,
    nodeRoles,
    nodeAccess: await nodeAccessOf(found, nodeRoles[0]),
    stack: await findPublishedStack(
      aws,
      cluster.name,
      stackNames({ asked: stackName, clusterName: cluster.name, deployment, nodeRole: nodeRoles[0] })
    ),
    queueName,
    nodePools: nodePools.items.filter(
      (pool) =>
        textField(pool, 'spec', 'template', 'spec', 'nodeClassRef', 'group') ===
        ec2NodeClasses.apiVersion.split('/')[0]
    ),
    nodeClasses: nodeClasses.items
  }
}

async function hasQueue(aws: Aws, name: string): Promise<boolean> {
  const { GetQueueAttributesCommand } = await import('../aws/sdk/sqs.js')
  const sqs = await aws.sqs()
  const QueueUrl = queueUrlOf(aws.account, name)
  try {
    await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }))
    return true
  } catch (error) {
    if (isNotFound(error)) return false
    throw awsProblem('adopt', `queue ${name} could not be read`, error)
  }
}

async function policiesOf(aws: Aws, { roleArn }: FoundIdentity): Promise<readonly string[]> {
  const name = roleArn.split('/').at(-1) ?? ''
  try {
    return await attachedPolicies(aws, name)
  } catch (error) {
    if (isNotFound(error)) return []
    throw awsProblem('adopt', `policies of controller role ${name} could not be read`, error)
  }
}

/** Roles by name, or those of the instance profiles; a role that is not there is left out. */
async function nodeRolesOf(aws: Aws, nodeClasses: readonly Manifest[]): Promise<readonly FoundNodeRole[]> {
  const named = await Promise.all(nodeClasses.map(async (nodeClass) => roleOf(aws, nodeClass)))
  const counts = new Map<string, number>()
  for (const name of named) if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1)
  const names = [...counts].toSorted(([, a], [, b]) => b - a).map(([name]) => name)
  const roles = await Promise.all(
    names.map(async (name) => {
      try {
        const { arn, tags } = await readRole(aws, name)
        return [{ name, arn, tags }]
      } catch (error) {
        if (isNotFound(error)) return []
        throw awsProblem('adopt', `node role ${name} could not be read`, error)
      }
    })
  )
  return roles.flat()
}

async function roleOf(aws: Aws, nodeClass: Manifest): Promise<string | undefined> {
  const role = textField(nodeClass, 'spec', 'role')
  if (role !== undefined && role !== '') return role.split('/').at(-1)
  const InstanceProfileName = textField(nodeClass, 'spec', 'instanceProfile')
  if (InstanceProfileName === undefined) return undefined
  const { GetInstanceProfileCommand } = await import('../aws/sdk/iam.js')
  const iam = await aws.iam()
  try {
    const { InstanceProfile } = await iam.send(new GetInstanceProfileCommand({ InstanceProfileName }))
    return InstanceProfile?.Roles?.[0]?.RoleName
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw awsProblem('adopt', `instance profile ${InstanceProfileName} could not be read`, error)
  }
}

/** What lets the nodes join today; where the cluster reads both, aws-auth only if the role has its line there. */
async function nodeAccessOf(
  { cluster, kubernetes }: Pick<Discovery, 'cluster' | 'kubernetes'>,
  nodeRole: FoundNodeRole | undefined
): Promise<NodeAccessStrategy> {
  if (cluster.authenticationMode === 'CONFIG_MAP') return 'aws-auth'
  if (cluster.authenticationMode === 'API' || nodeRole === undefined) return 'access-entry'
  const awsAuth = await kubernetes.get(configMaps, 'aws-auth', 'kube-system')
  const mappings = parseMapRoles(awsAuth?.data?.['mapRoles'] ?? '')
  return mappingState(mappings, nodeMapping(nodeRole.arn)).state === 'as wanted' ? 'aws-auth' : 'access-entry'
}
