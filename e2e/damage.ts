import {
  DeleteRuleCommand,
  DisableRuleCommand,
  EventBridgeClient,
  ListRulesCommand,
  PutRuleCommand,
  PutTargetsCommand,
  RemoveTargetsCommand
} from '@aws-sdk/client-eventbridge'
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
