import { compareText } from '../../engine/order.js'
import type { Rule, Target } from '@aws-sdk/client-eventbridge'
import { subsetDifferences } from '../../engine/compare.js'
import type { Difference } from '../../engine/difference.js'
import { canonical, isMap, type JsonMap } from '../../engine/json.js'
import type { RenderedRule } from '../../karpenter/rendered-interruption.js'

export interface LiveRule {
  readonly rule: Rule
  readonly name: string
  readonly targets: readonly Target[]
}

/** Where a rule is not as wanted: itself, the targets that it shall have, and those that it shall not. */
export function ruleDifferences(wanted: RenderedRule, { rule, targets }: LiveRule): readonly Difference[] {
  return [
    ...ofItself(wanted, rule),
    ...wanted.targets.flatMap((target) => targetDifferences(wanted, target, targets)),
    ...otherTargets(wanted, targets).map((target): Difference => ({
      path: pathOf(target),
      wanted: undefined,
      live: target.Arn,
      reason: `its events also go to ${target.Arn ?? ''}, which the stack does not say`,
      severity: 'weakens security'
    }))
  ]
}

/** Whether a path is of the rule itself, which PutRule writes, and not of its targets. */
export function ofRule(path: string): boolean {
  return !path.startsWith('Targets.')
}

function pathOf(target: { readonly Id?: unknown }): string {
  return `Targets.${String(target.Id)}`
}

function ofItself(wanted: RenderedRule, rule: Rule): readonly Difference[] {
  const pattern = patternOf(rule)
  const text = (
    path: string,
    want: string | undefined,
    live: string | undefined,
    severity: Difference['severity']
  ): Difference[] =>
    want === undefined || want === live
      ? []
      : [{ path, wanted: want, live, reason: `its ${path} is ${live ?? 'not set'}`, severity }]
  return [
    ...(wanted.pattern === undefined || samePattern(wanted.pattern, pattern)
      ? []
      : [
          {
            path: 'EventPattern',
            wanted: wanted.pattern,
            live: pattern,
            reason: `it matches other events: ${rule.EventPattern ?? 'none by pattern'}`,
            severity: 'breaks scaling' as const
          }
        ]),
    ...text('ScheduleExpression', wanted.schedule, rule.ScheduleExpression, 'breaks scaling'),
    // ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS is on as well.
    ...(rule.State?.startsWith(wanted.state) === true
      ? []
      : [
          {
            path: 'State',
            wanted: wanted.state,
            live: rule.State,
            reason: `it is ${rule.State ?? 'in no state'}`,
            severity: 'breaks scaling' as const
          }
        ]),
    ...text('RoleArn', wanted.roleArn, rule.RoleArn, 'breaks scaling')
  ]
}

export function targetDifferences(
  { partlyKnown }: Pick<RenderedRule, 'partlyKnown'>,
  wanted: Readonly<JsonMap>,
  live: readonly Target[]
): readonly Difference[] {
  const own = live.find(({ Id }) => Id === wanted['Id'])
  if (own === undefined) {
    return [
      {
        path: pathOf({ Id: wanted['Id'] }),
        wanted: wanted['Arn'],
        live: undefined,
        reason: `its events do not go to ${String(wanted['Arn'] ?? wanted['Id'])}`,
        severity: 'breaks scaling'
      }
    ]
  }
  const added = partlyKnown?.includes(own.Id ?? '') === true ? [] : additions(wanted, own)
  const changed = subsetDifferences(wanted, own).map(({ path, wanted: want, live: now }): Difference => ({
    path: `${pathOf(own)}.${path}`,
    wanted: want,
    live: now,
    reason:
      path === 'Arn'
        ? `its events go to ${String(now)} and not to ${String(want)}`
        : `${path} of its target is ${typeof now === 'string' ? now : JSON.stringify(now)}`,
    severity: 'breaks scaling'
  }))
  return [...changed, ...added]
}

/** What becomes of an event on its way by what a target may have besides (PutTargets). */
const effects: Readonly<Record<string, Pick<Difference, 'reason' | 'severity'>>> = {
  Input: {
    reason: 'its target is sent another text in place of the event, which Karpenter cannot read',
    severity: 'breaks scaling'
  },
  InputPath: {
    reason: 'its target is sent a part of the event, which Karpenter cannot read',
    severity: 'breaks scaling'
  },
  InputTransformer: {
    reason: 'its events are rewritten on their way, and Karpenter cannot read them',
    severity: 'breaks scaling'
  },
  RoleArn: {
    reason: "its events are sent with a role, whose permissions decide in place of the queue's policy",
    severity: 'breaks scaling'
  },
  SqsParameters: {
    reason: 'its events are sent as those of a FIFO queue, which this one is not',
    severity: 'breaks scaling'
  },
  RetryPolicy: {
    reason: 'an event that the queue does not take at once is given up earlier',
    severity: 'changes behaviour'
  },
  DeadLetterConfig: {
    reason: 'events that cannot be delivered go to another queue',
    severity: 'changes behaviour'
  }
}

function additions(wanted: Readonly<JsonMap>, live: Target): readonly Difference[] {
  return Object.entries(live).flatMap(([member, value]): Difference[] => {
    if (value === undefined || member in wanted) return []
    const effect = effects[member] ?? {
      reason: `its target has ${member}, which the stack does not say`,
      severity: 'changes behaviour'
    }
    return [{ path: `${pathOf(live)}.${member}`, wanted: undefined, live: value, ...effect }]
  })
}

/** Targets that the stack does not know: they are others' work, and keep the rule from being deleted. */
export function otherTargets(wanted: RenderedRule, live: readonly Target[]): readonly Target[] {
  return live.filter(({ Id }) => !wanted.targets.some((target) => target['Id'] === Id))
}

function patternOf({ EventPattern }: Rule): unknown {
  if (EventPattern === undefined) return undefined
  try {
    const pattern: unknown = JSON.parse(EventPattern)
    return pattern
  } catch {
    return EventPattern
  }
}

/** A pattern's lists are alternatives, whose order says nothing; the operators and bounds of `numeric` come in pairs. */
function samePattern(a: unknown, b: unknown): boolean {
  return canonical(sorted(a)) === canonical(sorted(b))
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) {
    const byText = new Map(value.map((item) => [canonical(sorted(item)), sorted(item)]))
    return [...byText].toSorted(([a], [b]) => compareText(a, b)).map(([, item]) => item)
  }
  if (!isMap(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key, key === 'numeric' ? member : sorted(member)])
  )
}
