import {
  DeleteRuleCommand,
  DisableRuleCommand,
  ListTargetsByRuleCommand,
  PutRuleCommand,
  PutTargetsCommand,
  RemoveTargetsCommand
} from '@aws-sdk/client-eventbridge'
import {
  CreateQueueCommand,
  DeleteQueueCommand,
  GetQueueAttributesCommand,
  SetQueueAttributesCommand
} from '@aws-sdk/client-sqs'
import { list, record } from '../../sandbox/values.js'
import { account, type AnotherHand } from '../another-hand.js'
import type { Drift, Expected } from './drift.js'

const rule =
  (logicalId: string, path: string, severity: Expected['severity'] = 'breaks scaling'): Drift['finds'] =>
  () => [{ id: `rule/${logicalId}`, path, severity }]

const queue =
  (path: string, severity: Expected['severity']): Drift['finds'] =>
  () => [{ id: 'queue', path, severity }]

async function set(hand: AnotherHand, Attributes: Readonly<Record<string, string>>): Promise<void> {
  await hand.sqs.send(new SetQueueAttributesCommand({ QueueUrl: hand.queueUrl, Attributes }))
}

/** The queue's policy without the statement that this finds. */
async function without(hand: AnotherHand, doomed: (statement: unknown) => boolean): Promise<void> {
  const { Attributes } = await hand.sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: hand.queueUrl, AttributeNames: ['Policy'] })
  )
  const document: unknown = JSON.parse(Attributes?.['Policy'] ?? '{}')
  const Statement = list(record(document)['Statement']).filter((statement) => !doomed(statement))
  await set(hand, { Policy: JSON.stringify({ ...record(document), Statement }) })
}

async function targetsOf(hand: AnotherHand, Rule: string): Promise<string[]> {
  const { Targets = [] } = await hand.events.send(new ListTargetsByRuleCommand({ Rule }))
  return Targets.map(({ Id }) => Id ?? '')
}

export const stackDrifts: readonly Drift[] = [
  {
    name: 'the stack is updated with another template',
    plant: async (hand) =>
      hand.updateStack({
        template: (text) => text.replace('MessageRetentionPeriod: 300', 'MessageRetentionPeriod: 900')
      }),
    finds: () => [
      { id: 'stack', path: 'template.KarpenterInterruptionQueue', severity: 'changes behaviour' },
      { id: 'queue', path: 'MessageRetentionPeriod', severity: 'cosmetic' }
    ]
  },
  {
    name: 'the stack is updated with other tags',
    plant: async (hand) => {
      const tags = (await hand.stackTags()).filter(({ Key }) => Key !== 'team')
      await hand.updateStack({ tags: [...tags, { Key: 'team', Value: 'finance' }] })
    },
    finds: ({ cluster }) => [
      { id: 'stack', path: 'tags.team', severity: 'cosmetic' },
      { id: `role/KarpenterNodeRole-${cluster}`, path: 'tags.team', severity: 'cosmetic' }
    ]
  }
]

export const interruptionDrifts: readonly Drift[] = [
  {
    name: 'the queue keeps messages longer',
    plant: async (hand) => set(hand, { MessageRetentionPeriod: '1209600' }),
    finds: queue('MessageRetentionPeriod', 'cosmetic')
  },
  {
    name: 'the queue hides messages that were taken for hours',
    plant: async (hand) => set(hand, { VisibilityTimeout: '43200' }),
    finds: queue('VisibilityTimeout', 'changes behaviour')
  },
  {
    name: 'the queue takes small messages alone',
    plant: async (hand) => set(hand, { MaximumMessageSize: '1024' }),
    finds: queue('MaximumMessageSize', 'breaks scaling')
  },
  {
    name: 'the queue is no longer encrypted',
    plant: async (hand) => set(hand, { SqsManagedSseEnabled: 'false' }),
    finds: queue('SqsManagedSseEnabled', 'weakens security')
  },
  {
    name: "the denial of plain HTTP is taken out of the queue's policy",
    plant: async (hand) => without(hand, (statement) => record(statement)['Sid'] === 'DenyHTTP'),
    finds: queue('policy.DenyHTTP', 'weakens security')
  },
  {
    name: "EventBridge's permission is taken out of the queue's policy",
    plant: async (hand) => without(hand, (statement) => record(statement)['Effect'] === 'Allow'),
    // The statement has no Sid: it is named by what it says.
    finds: ({ cluster, sandbox: { region } }) => [
      {
        id: 'queue',
        path: `policy.Allow sqs:sendmessage arn:aws:sqs:${region}:${account}:${cluster} Service=events`,
        severity: 'breaks scaling'
      }
    ]
  },
  {
    name: 'a rule is disabled',
    plant: async (hand) =>
      hand.events.send(new DisableRuleCommand({ Name: await hand.ruleName('SpotInterruptionRule') })),
    finds: rule('SpotInterruptionRule', 'State')
  },
  {
    name: 'a rule matches other events',
    plant: async (hand) =>
      hand.events.send(
        new PutRuleCommand({
          Name: await hand.ruleName('RebalanceRule'),
          EventPattern: JSON.stringify({ source: ['aws.ec2'], 'detail-type': ['Something Else'] })
        })
      ),
    finds: rule('RebalanceRule', 'EventPattern')
  },
  {
    name: 'the target is taken off a rule',
    plant: async (hand) => {
      const Rule = await hand.ruleName('InstanceStateChangeRule')
      await hand.events.send(new RemoveTargetsCommand({ Rule, Ids: await targetsOf(hand, Rule) }))
    },
    finds: rule('InstanceStateChangeRule', 'Targets.KarpenterInterruptionQueueTarget')
  },
  {
    name: 'a rule leads to another queue',
    plant: async (hand) => {
      await hand.sqs.send(new CreateQueueCommand({ QueueName: 'another' }))
      const Rule = await hand.ruleName('ScheduledChangeRule')
      const Arn = `arn:aws:sqs:${hand.sandbox.region}:${account}:another`
      const Targets = (await targetsOf(hand, Rule)).map((Id) => ({ Id, Arn }))
      await hand.events.send(new PutTargetsCommand({ Rule, Targets }))
    },
    finds: rule('ScheduledChangeRule', 'Targets.KarpenterInterruptionQueueTarget.Arn')
  },
  {
    name: 'a rule sends a part of its events alone',
    plant: async (hand) => {
      const Rule = await hand.ruleName('RebalanceRule')
      const { Targets = [] } = await hand.events.send(new ListTargetsByRuleCommand({ Rule }))
      await hand.events.send(
        new PutTargetsCommand({ Rule, Targets: Targets.map((one) => ({ ...one, InputPath: '$.detail' })) })
      )
    },
    finds: rule('RebalanceRule', 'Targets.KarpenterInterruptionQueueTarget.InputPath')
  },
  {
    name: 'a rule tells somebody else as well',
    plant: async (hand) => {
      const Rule = await hand.ruleName('SpotInterruptionRule')
      const Arn = `arn:aws:sqs:${hand.sandbox.region}:${account}:another`
      await hand.sqs.send(new CreateQueueCommand({ QueueName: 'another' }))
      await hand.events.send(new PutTargetsCommand({ Rule, Targets: [{ Id: 'listener', Arn }] }))
    },
    finds: rule('SpotInterruptionRule', 'Targets.listener', 'weakens security')
  },
  {
    name: 'a rule is deleted',
    plant: async (hand) => {
      const Rule = await hand.ruleName('CapacityReservationInterruptionRule')
      await hand.events.send(new RemoveTargetsCommand({ Rule, Ids: await targetsOf(hand, Rule) }))
      await hand.events.send(new DeleteRuleCommand({ Name: Rule }))
    },
    finds: rule('CapacityReservationInterruptionRule', '')
  }
]

/** Its name is free again a minute later, for which the repair waits. */
export const queueDeleted: Drift = {
  name: 'the queue is deleted',
  hides: true,
  plant: async (hand) => hand.sqs.send(new DeleteQueueCommand({ QueueUrl: hand.queueUrl })),
  finds: queue('', 'breaks scaling')
}
