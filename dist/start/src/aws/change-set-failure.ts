import type { OperationEvent } from '@aws-sdk/client-cloudformation'
import { UserError } from '../engine/errors.js'
import type { Aws } from './clients.js'
import { accessDenied } from './errors.js'

/** Failed events of a change set that are read at most. */
const mostPages = 10

/**
 * Why CloudFormation cannot plan a change. Its reason names the validations and hooks that failed and nothing of the
 * template; which resource and which property it was stands in the events of the change set alone, while that is there
 * (CloudFormation User Guide, validate-stack-deployments; aws/aws-cdk-cli#1461 and #1463).
 */
export async function whyNotPlanned(
  aws: Aws,
  changeSet: { readonly stackName: string; readonly changeSetId: string; readonly reason: string }
): Promise<UserError> {
  const { stackName, changeSetId, reason } = changeSet
  const { events, unread } = await failedEvents(aws, changeSetId)
  const named = [...new Set(events.flatMap(lineOf))]
  const details = [...named, ...(unread === undefined ? [] : [unread])].map((line) => `\n    ${line}`)
  return new UserError(
    `CloudFormation stack ${stackName}`,
    `CloudFormation cannot plan the change: ${reason}${details.join('')}`,
    fixOf(reason, events),
    { state: 'The stack was left as it is.' }
  )
}

async function failedEvents(
  aws: Aws,
  changeSetId: string
): Promise<{ readonly events: readonly OperationEvent[]; readonly unread?: string }> {
  const { DescribeEventsCommand } = await import('./sdk/cloudformation.js')
  const cloudformation = await aws.cloudformation()
  const events: OperationEvent[] = []
  let NextToken: string | undefined
  try {
    for (let pages = 0; pages < mostPages; pages++) {
      const page = await cloudformation.send(
        // By its ARN: a bare name is refused (aws-cloudformation/cloudformation-cli#1116).
        new DescribeEventsCommand({
          ChangeSetName: changeSetId,
          Filters: { FailedEvents: true },
          ...(NextToken !== undefined && { NextToken })
        })
      )
      events.push(...(page.OperationEvents ?? []))
      NextToken = page.NextToken
      if (NextToken === undefined) break
    }
    return { events }
  } catch (error) {
    const denial = accessDenied(error)
    return {
      events,
      unread:
        denial === undefined
          ? 'which resource it is could not be read'
          : `which resource it is the run's role may not read: allow it ${denial.action}`
    }
  }
}

function lineOf(event: OperationEvent): readonly string[] {
  const reason = event.ValidationStatusReason ?? event.HookStatusReason ?? event.ResourceStatusReason
  if (reason === undefined || reason === '') return []
  const what = [event.LogicalResourceId, event.ResourceType && `(${event.ResourceType})`].filter(Boolean)
  const by = event.HookType === undefined ? '' : `hook ${event.HookType}: `
  const at = event.ValidationPath === undefined ? '' : ` (at ${event.ValidationPath})`
  return [`${what.length > 0 ? `${what.join(' ')}: ` : ''}${by}${reason}${at}`]
}

function fixOf(reason: string, events: readonly OperationEvent[]): string {
  const hooks = [
    ...new Set(
      events.flatMap(({ EventType, HookType }) =>
        EventType === 'HOOK_INVOCATION_ERROR' && HookType !== undefined ? [HookType] : []
      )
    )
  ]
  const says = (pattern: RegExp): boolean =>
    pattern.test(reason) ||
    events.some(
      ({ ValidationName = '', ValidationStatusReason = '' }) =>
        pattern.test(ValidationName) || pattern.test(ValidationStatusReason)
    )
  const fixes = [
    ...(says(/PropertyValidation|PROPERTY_VALIDATION/)
      ? [
          'Correct that property in the template (`template: built-in` is one that is known to work) and run again.'
        ]
      : []),
    ...(says(/ResourceExistenceCheck|NAME_CONFLICT|already exists/i)
      ? [
          'A resource of that name exists outside the stack: delete it, or pass another name (`node-role-name`, `stack-name`, `interruption-queue`).'
        ]
      : []),
    ...(hooks.length > 0
      ? [
          `Change the template as the hook asks, or ask whoever keeps ${hooks.join(', ')} in this account to let the stack through.`
        ]
      : [])
  ]
  return fixes.length > 0
    ? fixes.join(' ')
    : 'Correct the template (`template: built-in` is one that is known to work) or the permission it names, and run again.'
}
