import {
  DeleteRuleCommand,
  DisableRuleCommand,
  EventBridgeClient,
  ListRulesCommand,
  PutRuleCommand,
  PutTargetsCommand,
  RemoveTargetsCommand
} from '@aws-sdk/client-eventbridge'
import {
  AttachRolePolicyCommand,
  CreatePolicyVersionCommand,
  DeletePolicyCommand,
  DeletePolicyVersionCommand,
  DeleteRoleCommand,
  DetachRolePolicyCommand,
  IAMClient,
  ListAttachedRolePoliciesCommand,
  ListInstanceProfilesForRoleCommand,
  ListPolicyVersionsCommand,
  PutRolePolicyCommand,
  RemoveRoleFromInstanceProfileCommand,
  UpdateAssumeRolePolicyCommand
} from '@aws-sdk/client-iam'
import { DeleteQueueCommand, SQSClient } from '@aws-sdk/client-sqs'
import type { Sandbox } from '../sandbox/index.js'
import { auditor } from './scenario.js'

/** Of cluster `blue` in eu-west-1, to which all of this is done by somebody else. */
const account = '111122223333'
/** A permissions boundary that allows everything. */
export const boundary = `arn:aws:iam::${account}:policy/boundary`
const everything = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] }

export async function untagNetwork({ moto, vpc }: Sandbox): Promise<void> {
  await moto.ec2('DeleteTags', {
    ResourceId: [...vpc.subnets.map((subnet) => subnet.id), vpc.clusterSecurityGroupId],
    Tag: [{ Key: 'karpenter.sh/discovery' }]
  })
}

export function putBoundary({ cloud }: Sandbox): void {
  const at = new Date()
  cloud.iam.policies.set(boundary, {
    name: 'boundary',
    id: 'ANPABOUNDARY',
    arn: boundary,
    path: '/',
    tags: [],
    versions: [{ id: 'v1', document: JSON.stringify(everything), createdAt: at, isDefault: true }],
    versionsMade: 1,
    createdAt: at,
    updatedAt: at
  })
}

/** Five versions are as many as IAM keeps. */
export function fillVersions({ cloud }: Sandbox): void {
  for (const policy of cloud.iam.policies.values()) {
    const [version] = policy.versions
    if (!policy.name.startsWith('KarpenterController') || version === undefined) continue
    const older = ['v1', 'v2', 'v3', 'v4'].map((id) => ({ ...version, id, isDefault: false }))
    cloud.iam.policies.set(policy.arn, {
      ...policy,
      versions: [...older, { ...version, id: 'v5' }],
      versionsMade: 5
    })
  }
}

/** Attaches to the node role what nobody asked for. */
export async function attachToNodeRole(
  sandbox: Sandbox,
  iam = new IAMClient(auditor(sandbox))
): Promise<void> {
  const PolicyArn = 'arn:aws:iam::aws:policy/AdministratorAccess'
  await iam.send(new AttachRolePolicyCommand({ RoleName: 'KarpenterNodeRole-blue', PolicyArn }))
}

/** Edits one policy until it has five versions, deletes another, and puts more on both roles and into the trust of one. */
export async function damageRolesAndPolicies(sandbox: Sandbox): Promise<void> {
  const iam = new IAMClient(auditor(sandbox))
  const policy = (name: string): string =>
    `arn:aws:iam::${account}:policy/KarpenterController${name}Policy-blue`
  const versionsOf = async (PolicyArn: string) =>
    (await iam.send(new ListPolicyVersionsCommand({ PolicyArn }))).Versions ?? []
  const edited = policy('NodeLifecycle')
  const versions = await versionsOf(edited)
  const full = versions.length === 5
  const spare = versions.find(({ IsDefaultVersion }) => IsDefaultVersion !== true)?.VersionId
  if (full) await iam.send(new DeletePolicyVersionCommand({ PolicyArn: edited, VersionId: spare }))
  for (let count = full ? 4 : versions.length; count < 5; count += 1) {
    await iam.send(
      new CreatePolicyVersionCommand({
        PolicyArn: edited,
        PolicyDocument: JSON.stringify(everything),
        SetAsDefault: true
      })
    )
  }
  const PolicyArn = policy('IAMIntegration')
  await iam.send(new DetachRolePolicyCommand({ RoleName: 'blue-karpenter', PolicyArn }))
  for (const { VersionId, IsDefaultVersion } of await versionsOf(PolicyArn)) {
    if (IsDefaultVersion !== true) await iam.send(new DeletePolicyVersionCommand({ PolicyArn, VersionId }))
  }
  await iam.send(new DeletePolicyCommand({ PolicyArn }))
  await attachToNodeRole(sandbox, iam)
  const inline = { PolicyName: 'debug', PolicyDocument: JSON.stringify(everything) }
  for (const RoleName of ['KarpenterNodeRole-blue', 'blue-karpenter']) {
    await iam.send(new PutRolePolicyCommand({ RoleName, ...inline }))
  }
  const Principal = { Service: ['ec2.amazonaws.com', 'lambda.amazonaws.com'] }
  const Statement = [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal }]
  await iam.send(
    new UpdateAssumeRolePolicyCommand({
      RoleName: 'KarpenterNodeRole-blue',
      PolicyDocument: JSON.stringify({ Version: '2012-10-17', Statement })
    })
  )
}

/** Takes the node role out of instance profiles, strips and deletes it. */
export async function deleteNodeRole(sandbox: Sandbox): Promise<void> {
  const RoleName = 'KarpenterNodeRole-blue'
  const iam = new IAMClient(auditor(sandbox))
  const { InstanceProfiles = [] } = await iam.send(new ListInstanceProfilesForRoleCommand({ RoleName }))
  for (const { InstanceProfileName } of InstanceProfiles) {
    await iam.send(new RemoveRoleFromInstanceProfileCommand({ InstanceProfileName, RoleName }))
  }
  const { AttachedPolicies = [] } = await iam.send(new ListAttachedRolePoliciesCommand({ RoleName }))
  for (const { PolicyArn } of AttachedPolicies) {
    await iam.send(new DetachRolePolicyCommand({ RoleName, PolicyArn }))
  }
  await iam.send(new DeleteRoleCommand({ RoleName }))
}

/** Everything that somebody can do to the queue and its rules, one thing to a rule. */
export async function damageInterruption(sandbox: Sandbox): Promise<void> {
  const admin = auditor(sandbox)
  const events = new EventBridgeClient(admin)
  const sqs = new SQSClient({ ...admin, useQueueUrlAsEndpoint: false })
  const { Rules = [] } = await events.send(new ListRulesCommand({ NamePrefix: 'Karpenter-blue-' }))
  const named = (logicalId: string): string =>
    Rules.find(({ Name }) => Name?.includes(`-${logicalId}-`))?.Name ?? ''
  await events.send(new DisableRuleCommand({ Name: named('RebalanceRule') }))
  const elsewhere = { Id: 'KarpenterInterruptionQueueTarget', Arn: `arn:aws:sqs:eu-west-1:${account}:green` }
  await events.send(new PutTargetsCommand({ Rule: named('SpotInterruptionRule'), Targets: [elsewhere] }))
  await events.send(
    new PutTargetsCommand({ Rule: named('ScheduledChangeRule'), Targets: [{ ...elsewhere, Id: 'further' }] })
  )
  await events.send(
    new PutRuleCommand({ Name: named('InstanceStateChangeRule'), EventPattern: '{"source":["aws.s3"]}' })
  )
  const gone = named('CapacityReservationInterruptionRule')
  await events.send(new RemoveTargetsCommand({ Rule: gone, Ids: [elsewhere.Id] }))
  await events.send(new DeleteRuleCommand({ Name: gone }))
  const QueueUrl = `https://sqs.eu-west-1.amazonaws.com/${account}/blue`
  await sqs.send(new DeleteQueueCommand({ QueueUrl }))
}
