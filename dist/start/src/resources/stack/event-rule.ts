import type { Rule, RuleState, Target } from '@aws-sdk/client-eventbridge'
import type { Aws } from '../../aws/clients.js'
import { awsProblem, isNotFound, liveOf } from '../../aws/errors.js'
import { creationTags, tagList } from '../../aws/ownership-tags.js'
import { poll, untilShown } from '../../aws/poll.js'
import { throwFailed, whenRuleIsFree } from '../../aws/rule-writes.js'
import type { StackRules } from '../../aws/stack-rules.js'
import { missing } from '../../engine/difference.js'
import { UserError } from '../../engine/errors.js'
import { isMap } from '../../engine/json.js'
import { resource, type AnyResource, type Removal, type Step } from '../../engine/resource.js'
import type { Ownership } from '../../aws/environment.js'
import type { RenderedRule } from '../../karpenter/rendered-interruption.js'
import {
  ofRule,
  otherTargets,
  ruleDifferences,
  targetDifferences,
  type LiveRule
} from './event-rule-differences.js'
import { idOf } from '../ids.js'

export interface EventRuleWanted extends RenderedRule {
  readonly clusterName: string
  readonly stackName: string
}

interface Ports {
  readonly aws: Aws
  readonly ownership: Ownership
  /** Shared by all rules of the stack. */
  readonly rules: StackRules
  /** Tags of the stack; undefined when there is no stack. */
  readonly stackTags: () => Promise<Readonly<Record<string, string>> | undefined>
  readonly dependsOn?: readonly string[]
}

/**
 * A rule of the stack, read from EventBridge itself: what it matches, that it is on, and that its events go to the stack's
 * queue and nowhere else. A rule that was deleted is made again under the name that the stack knows it by.
 */
export function eventRule(wanted: EventRuleWanted, ports: Ports): AnyResource {
  const title = `EventBridge rule ${wanted.logicalId}`
  const { aws, rules } = ports

  async function read(): Promise<LiveRule | undefined> {
    const rule = await rules.find(wanted)
    return rule?.Name === undefined ? undefined : withTargets(rule, rule.Name)
  }

  async function withTargets(rule: Rule, name: string): Promise<LiveRule | undefined> {
    const { ListTargetsByRuleCommand } = await import('../../aws/sdk/eventbridge.js')
    const eventbridge = await aws.eventbridge()
    try {
      const { Targets = [] } = await eventbridge.send(new ListTargetsByRuleCommand({ Rule: name }))
      return { rule, name, targets: Targets }
    } catch (error) {
      // It was deleted since it was listed.
      if (isNotFound(error)) return undefined
      throw error
    }
  }

  async function putRule(name: string, live: LiveRule | undefined, step: Step): Promise<void> {
    const { PutRuleCommand } = await import('../../aws/sdk/eventbridge.js')
    const eventbridge = await aws.eventbridge()
    // PutRule replaces the rule: what is left out of it is gone.
    const description = wanted.description ?? live?.rule.Description
    const roleArn = wanted.roleArn ?? live?.rule.RoleArn
    const command = new PutRuleCommand({
      Name: name,
      ...(isState(wanted.state) && { State: wanted.state }),
      ...(wanted.pattern !== undefined && { EventPattern: JSON.stringify(wanted.pattern) }),
      ...(wanted.schedule !== undefined && { ScheduleExpression: wanted.schedule }),
      ...(description !== undefined && { Description: description }),
      ...(roleArn !== undefined && { RoleArn: roleArn }),
      ...(live === undefined && { Tags: tagList(await tagsOfNew()) })
    })
    await whenRuleIsFree({ title, isNew: false }, step, async () => eventbridge.send(command))
  }

  async function tagsOfNew(): Promise<Readonly<Record<string, string>>> {
    return { ...((await ports.stackTags()) ?? creationTags({}, ports.ownership)), ...wanted.tags }
  }

  async function repairRule(name: string, live: LiveRule | undefined, step: Step): Promise<void> {
    const paths =
      live === undefined
        ? []
        : ruleDifferences(wanted, live)
            .map(({ path }) => path)
            .filter(ofRule)
    if (live !== undefined && paths.length === 0) return
    if (wanted.state === 'ENABLED' && paths.length === 1 && paths[0] === 'State') {
      const { EnableRuleCommand } = await import('../../aws/sdk/eventbridge.js')
      const eventbridge = await aws.eventbridge()
      await whenRuleIsFree({ title, isNew: false }, step, async () =>
        eventbridge.send(new EnableRuleCommand({ Name: name }))
      )
      step.changed(`enabled EventBridge rule ${name}`)
      return
    }
    await putRule(name, live, step)
    step.changed(
      live === undefined
        ? `created EventBridge rule ${name} again, which had been deleted`
        : `put back ${paths.join(', ')} of EventBridge rule ${name}`
    )
  }

  async function repairTargets(name: string, now: LiveRule | undefined, step: Step): Promise<void> {
    const live = now?.targets ?? []
    const amiss = wanted.targets.filter((target) => targetDifferences(wanted, target, live).length > 0)
    if (amiss.length > 0) {
      const { PutTargetsCommand } = await import('../../aws/sdk/eventbridge.js')
      const eventbridge = await aws.eventbridge()
      const targets = amiss.map((target) => whole(title, target))
      await whenRuleIsFree({ title, isNew: now === undefined }, step, async () => {
        const command = new PutTargetsCommand({ Rule: name, Targets: targets })
        throwFailed((await eventbridge.send(command)).FailedEntries)
      })
      for (const { Arn } of targets) step.changed(`led EventBridge rule ${name} to ${Arn ?? ''}`)
    }
    await removeOthers(name, live, step)
  }

  async function removeOthers(name: string, live: readonly Target[], step: Step): Promise<void> {
    const others = otherTargets(wanted, live)
    if (others.length === 0) return
    const { RemoveTargetsCommand } = await import('../../aws/sdk/eventbridge.js')
    const eventbridge = await aws.eventbridge()
    await whenRuleIsFree({ title, isNew: false }, step, async () => {
      const command = new RemoveTargetsCommand({ Rule: name, Ids: others.map(({ Id }) => Id ?? '') })
      throwFailed((await eventbridge.send(command)).FailedEntries)
    })
    for (const { Arn } of others) step.changed(`removed target ${Arn ?? ''} from EventBridge rule ${name}`)
  }

  return resource<EventRuleWanted, LiveRule>(
    {
      id: idOf.rule(wanted.logicalId),
      layer: 'cloudformation',
      title,
      dependsOn: ports.dependsOn ?? [idOf.stack],
      wanted,
      read: async () => liveOf(title, read),
      compare: ruleDifferences,
      absent: (want) => [missing(`EventBridge rule ${want.logicalId}`, want.pattern ?? want.schedule)],
      apply: async (_live, _differences, step) => {
        try {
          // The stack, which comes before, may have made it meanwhile.
          const now = await read()
          if (now !== undefined && ruleDifferences(wanted, now).length === 0) return
          const name = now?.name ?? (await rules.nameOf(wanted))
          if (name === undefined) throw notInStack(title, wanted)
          await repairRule(name, now, step)
          await repairTargets(name, now, step)
          await awaitShown(step)
        } catch (error) {
          throw awsProblem(title, 'could not be put right', error)
        }
      },
      sign: { by: 'whole', whole: idOf.stack },
      /** The rule goes with its stack; a target that the stack does not know would keep both. */
      remove: async (live, step): Promise<Removal> => {
        try {
          await removeOthers(live.name, live.targets, step)
        } catch (error) {
          throw awsProblem(title, "others' targets could not be removed", error)
        }
        return { outcome: 'removed' }
      }
    },
    isWanted
  )

  async function awaitShown(step: Step): Promise<void> {
    await poll(
      step,
      untilShown(
        `${title} to show what was put`,
        title,
        'was put right and does not show it two minutes later'
      ),
      async () => {
        const now = await read()
        return now !== undefined && ruleDifferences(wanted, now).length === 0 ? true : undefined
      }
    )
  }
}

/** A target of the template as EventBridge takes it: CloudFormation has the names of its members from there. */
function whole(title: string, target: Readonly<Record<string, unknown>>): Target {
  if (isTarget(target)) return target
  throw new UserError(
    title,
    `target ${String(target['Id'])} is known only to CloudFormation`,
    'Give the queue a QueueName in the template, or delete the stack and run again.'
  )
}

function isTarget(target: Readonly<Record<string, unknown>>): target is Target & Record<string, unknown> {
  return typeof target['Id'] === 'string' && typeof target['Arn'] === 'string'
}

function isState(state: string): state is RuleState {
  return /^(ENABLED|DISABLED|ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS)$/.test(state)
}

function notInStack(title: string, { logicalId, stackName }: EventRuleWanted): UserError {
  return new UserError(
    title,
    `CloudFormation stack ${stackName} has no ${logicalId}, although its template has`,
    `Look at its events: aws cloudformation describe-stack-events --stack-name ${stackName}; run again when it is whole.`
  )
}

function isWanted(value: unknown): value is EventRuleWanted {
  return isMap(value) && typeof value['logicalId'] === 'string' && Array.isArray(value['targets'])
}
