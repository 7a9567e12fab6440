import { figure } from '../engine/figure.js'
import type { StackEvent } from '@aws-sdk/client-cloudformation'
import type { Aws } from './clients.js'
import { denialFix, denialIn, withoutEncoded } from './denials.js'
import { stackRolePolicy } from './errors.js'
import { orPassBoundary } from './policy/bounded-actions.js'
import { iamQuotas } from './quotas.js'

/** Where an operation on a stack is, by its events. */
export interface StackProgress {
  /** Resources that are done, by their last event. */
  readonly done: number
  /** Logical ids. */
  readonly inProgress: readonly string[]
  /** The failure that came first; what CloudFormation cancelled because of it is not one. */
  readonly firstFailure: StackFailure | undefined
}

export interface StackFailure {
  readonly logicalId: string
  /** AWS::IAM::Role */
  readonly type: string
  readonly physicalId: string | undefined
  readonly reason: string
  /** Milliseconds since the epoch, by AWS's clock. */
  readonly at: number | undefined
}

/** Events of the stack's newest operation, oldest first. `stack` is a name, or the id of one that is deleted. */
export async function operationEvents(aws: Aws, stack: string): Promise<readonly StackEvent[]> {
  const { paginateDescribeStackEvents } = await import('./sdk/cloudformation.js')
  const client = await aws.cloudformation()
  const events: StackEvent[] = []
  for await (const page of paginateDescribeStackEvents({ client }, { StackName: stack })) {
    for (const event of page.StackEvents ?? []) {
      events.push(event)
      // Newest first: an operation begins with the stack's own event.
      if (isOfStack(event) && /^(CREATE|UPDATE|DELETE)_IN_PROGRESS$/.test(event.ResourceStatus ?? '')) {
        return events.toReversed()
      }
    }
  }
  return events.toReversed()
}

function isOfStack(event: StackEvent): boolean {
  return event.ResourceType === 'AWS::CloudFormation::Stack' && event.PhysicalResourceId === event.StackId
}

export function progressOf(events: readonly StackEvent[]): StackProgress {
  const last = new Map<string, string>()
  const hooks = new Map<string, string>()
  let firstFailure: StackFailure | undefined
  for (const event of events) {
    if (isOfStack(event)) continue
    const logicalId = event.LogicalResourceId ?? ''
    // An event of a hook (a Control Tower control is one) says why; that of the resource then only names the hook.
    if (event.HookType !== undefined) {
      if (/FAILED$/.test(event.HookStatus ?? '') && event.HookStatusReason !== undefined) {
        hooks.set(logicalId, `${event.HookType}: ${event.HookStatusReason}`)
      }
      continue
    }
    const status = event.ResourceStatus ?? ''
    last.set(logicalId, status)
    if (!status.endsWith('_FAILED') || /cancelled/i.test(reasonOf(event))) continue
    firstFailure ??= failureOf(event, hooks.get(logicalId))
  }
  const entries = [...last]
  return {
    done: entries.filter(([, status]) => status.endsWith('_COMPLETE')).length,
    inProgress: entries.filter(([, status]) => status.endsWith('_IN_PROGRESS')).map(([id]) => id),
    firstFailure
  }
}

/**
 * What the clean-up after an update could not delete: an update that has come to its good end leaves it where it is, no
 * longer part of the stack (CloudFormation User Guide, troubleshooting: "Resource removed from stack but not deleted").
 */
export async function notDeleted(aws: Aws, stack: string): Promise<readonly StackFailure[]> {
  const last = new Map<string, StackEvent>()
  for (const event of await operationEvents(aws, stack)) {
    if (!isOfStack(event)) last.set(event.PhysicalResourceId ?? '', event)
  }
  return [...last.values()]
    .filter((event) => event.ResourceStatus === 'DELETE_FAILED')
    .map((event) => failureOf(event))
}

function failureOf(event: StackEvent, hook?: string): StackFailure {
  return {
    logicalId: event.LogicalResourceId ?? '',
    type: event.ResourceType ?? '',
    physicalId: event.PhysicalResourceId === '' ? undefined : event.PhysicalResourceId,
    reason: hook === undefined ? reasonOf(event) : `${reasonOf(event)} (${hook})`,
    at: event.Timestamp?.getTime()
  }
}

/** The service's own sentence, without what CloudFormation wraps around it. */
function reasonOf(event: StackEvent): string {
  const reason = withoutEncoded(event.ResourceStatusReason ?? '')
  return /^Resource handler returned message: "(.*)" \(RequestToken: .*\)$/s.exec(reason)?.[1] ?? reason
}

/** SQS gives a deleted queue's name away again only after a minute: what a new start soon after a rollback meets. */
export function isQueueDeletedRecently(failure: StackFailure): boolean {
  return /QueueDeletedRecently|60 seconds after deleting/i.test(failure.reason)
}

/** What IAM answers for seconds after the last policy or role was taken off. */
export function isIamLate(failure: StackFailure): boolean {
  return (
    /^AWS::IAM::/.test(failure.type) && /DeleteConflict|must (detach|remove|delete) /i.test(failure.reason)
  )
}

/** What the user can do about the failures that real installations meet. */
export function failureFix(failure: StackFailure, installPolicy: string): string {
  const { reason } = failure
  if (/already exists/i.test(reason)) {
    return 'A resource of that name exists outside the stack: delete it, or pass another name (`node-role-name`, `stack-name`, `interruption-queue`); then run again.'
  }
  if (/hook\(s\) failed/i.test(reason)) {
    return 'Change the template as the hook asks, or ask whoever keeps the hook in this account to let the stack through; then run again.'
  }
  const { action, because } = denialIn(reason)
  const service = /assumed-role\/([\w+=,.@-]+)\/AWSCloudFormation/.exec(reason)?.[1]
  const role = service === undefined ? "the run's role" : `role ${service}, by which CloudFormation acts`
  const file = service === undefined ? installPolicy : stackRolePolicy
  if (action !== undefined) {
    const lacking = `Add ${action} to the policy of ${role}; every statement that is needed is in ${file}.`
    return `${denialFix(action, because, orPassBoundary(action, lacking))} Then run again.`
  }
  // SQS's: "Access to the resource https://sqs... is denied." (error AccessDenied)
  if (/\baccess\b.{0,200}\bdenied\b/i.test(reason)) {
    return `Give ${role} what CloudFormation calls for ${failure.type}, which AWS does not name here; every statement that is needed is in ${file}. Then run again.`
  }
  if (/PolicySize|quota for .*6144/i.test(reason)) {
    return `The cluster's name is too long for this version's single policy (${figure(iamQuotas.policyCharacters)} characters): use \`karpenter-version\` 1.9.0 or newer, which splits it.`
  }
  if (isQueueDeletedRecently(failure)) {
    return 'A queue of that name was deleted less than a minute ago: wait a minute and run again.'
  }
  if (/cannot be deleted|must detach|DeleteConflict|still attached/i.test(reason)) {
    return 'Something that the stack did not make still uses it: detach that, then run again.'
  }
  return 'Put right what AWS says above, then run again: the stack is taken up where it is.'
}
