import type { Stack } from '@aws-sdk/client-cloudformation'
import { UserError } from '../engine/errors.js'
import type { Step } from '../engine/resource.js'
import type { Aws } from './clients.js'
import { tagsOf } from './discover.js'
import { codeOf, isNotFound, wasRepeated } from './errors.js'
import { noticingPause, poll } from './poll.js'
import { failureFix, isIamLate, operationEvents, progressOf, type StackFailure } from './stack-events.js'

export interface LiveStack {
  readonly stackId: string
  readonly status: string
  readonly statusReason: string | undefined
  /** As it was given to CloudFormation; empty while the stack has none. */
  readonly template: string
  readonly parameters: Readonly<Record<string, string>>
  readonly tags: Readonly<Record<string, string>>
  /** Service role by which CloudFormation acts on it, whoever calls; undefined: by the caller's permissions. */
  readonly roleArn: string | undefined
}

/** The stack as it is; rejects as CloudFormation does when there is none. */
export async function readStack(aws: Aws, name: string): Promise<LiveStack | undefined> {
  const { GetTemplateCommand } = await import('./sdk/cloudformation.js')
  const cloudformation = await aws.cloudformation()
  const [stack, template] = await Promise.all([
    describeStack(aws, name),
    cloudformation
      .send(new GetTemplateCommand({ StackName: name, TemplateStage: 'Original' }))
      .then((answer) => answer.TemplateBody ?? '')
      .catch((error: unknown) => {
        // No such stack, or one that has no template yet (REVIEW_IN_PROGRESS).
        if (codeOf(error) === 'Validation') return ''
        throw error
      })
  ])
  if (stack?.StackId === undefined) return undefined
  return {
    stackId: stack.StackId,
    status: stack.StackStatus ?? '',
    statusReason: stack.StackStatusReason,
    template,
    parameters: Object.fromEntries(
      (stack.Parameters ?? []).map((one) => [one.ParameterKey ?? '', one.ParameterValue ?? ''])
    ),
    tags: tagsOf(stack.Tags),
    roleArn: stack.RoleARN
  }
}

/** Tags of the stack, which CloudFormation puts on the stack's resources too; undefined when there is no stack. */
export async function stackTags(
  aws: Aws,
  name: string
): Promise<Readonly<Record<string, string>> | undefined> {
  const stack = await describeStack(aws, name)
  return stack === undefined ? undefined : tagsOf(stack.Tags)
}

/** What is to be expected of a part of a stack before it is read: which question comes first goes by it, and never the answer. */
export type Likely = 'there' | 'absent'

/** Physical ids of the stack's resources by their logical ids; none when there is no stack. */
export async function physicalIds(aws: Aws, name: string): Promise<ReadonlyMap<string, string>> {
  const { DescribeStackResourcesCommand } = await import('./sdk/cloudformation.js')
  const cloudformation = await aws.cloudformation()
  const resources = await cloudformation
    .send(new DescribeStackResourcesCommand({ StackName: name }))
    .then(({ StackResources = [] }) => StackResources)
    .catch((error: unknown) => {
      if (isNotFound(error)) return []
      throw error
    })
  return new Map(
    resources.flatMap(({ LogicalResourceId, PhysicalResourceId, ResourceStatus }) =>
      LogicalResourceId === undefined ||
      PhysicalResourceId === undefined ||
      ResourceStatus === 'DELETE_COMPLETE'
        ? []
        : [[LogicalResourceId, PhysicalResourceId]]
    )
  )
}

/** `stack`: a name, or the id, by which a deleted stack is still known. Undefined when there is none. */
async function describeStack(aws: Aws, stack: string): Promise<Stack | undefined> {
  return (await askForStack(aws, stack)).found
}

/** `repeated`: AWS answered only when it was asked again. */
async function askForStack(
  aws: Aws,
  stack: string
): Promise<{ readonly found: Stack | undefined; readonly repeated: boolean }> {
  const { DescribeStacksCommand } = await import('./sdk/cloudformation.js')
  const cloudformation = await aws.cloudformation()
  try {
    const answer = await cloudformation.send(new DescribeStacksCommand({ StackName: stack }))
    return { found: answer.Stacks?.[0], repeated: (answer.$metadata.attempts ?? 1) > 1 }
  } catch (error) {
    if (isNotFound(error)) return { found: undefined, repeated: wasRepeated(error) }
    throw error
  }
}

/**
 * Milliseconds before the first look at how far a stack is, and between two, which say nothing of its end: what is shown is
 * shown every 10 s.
 */
const betweenEvents = 5_000

/** What a run has begun on a stack just now. */
export interface StackOperation {
  /** Resources that it touches, when that is known. */
  readonly total?: number
}

/**
 * Waits until nothing is under way in the stack, showing how far it is. Returns the status, DELETE_COMPLETE when it is
 * gone. `begun`: by the caller, just now, so that the first look is after a pause; undefined: whoever works on it.
 */
export async function untilSettled(
  aws: Aws,
  stack: { readonly id: string; readonly name: string },
  step: Step,
  begun?: StackOperation
): Promise<string> {
  let progress = ''
  let throttled = 0
  let eventsAt = 0
  const started = step.now()
  const wait = async (status: string): Promise<void> => {
    step.waiting(`CloudFormation stack ${stack.name} ${status}${progress}`)
    await step.pause(noticingPause(step.now() - started, throttled))
  }
  if (begun !== undefined) await wait('under way')
  for (;;) {
    const { found, repeated } = await askForStack(aws, stack.id)
    const status = found?.StackStatus ?? 'DELETE_COMPLETE'
    if (!status.endsWith('_IN_PROGRESS') || /_CLEANUP_IN_PROGRESS$/.test(status)) {
      step.waiting(undefined)
      return status
    }
    const elapsed = step.now() - started
    if (elapsed > 1_800_000) {
      throw new UserError(
        `CloudFormation stack ${stack.name}`,
        `is still ${status} after half an hour${progress}`,
        `Look at its events: aws cloudformation describe-stack-events --stack-name ${stack.name}; run again when it has ended.`
      )
    }
    if (elapsed - eventsAt >= betweenEvents) {
      eventsAt = elapsed
      progress = progressText(progressOf(await operationEvents(aws, stack.id)), begun?.total)
    }
    if (repeated) throttled += 1
    await wait(status)
  }
}

/** `: 2 of 9 resources, KarpenterNodeRole in progress`. */
function progressText(
  { done, inProgress, firstFailure }: ReturnType<typeof progressOf>,
  total: number | undefined
): string {
  const count = total === undefined ? `${done} resources done` : `${done} of ${total} resources`
  const under = inProgress.length > 0 ? `, ${inProgress.join(', ')} in progress` : ''
  const failed =
    firstFailure === undefined
      ? ''
      : `, ${firstFailure.logicalId} failed (${firstFailure.reason}), rolling back`
  return `: ${count}${under}${failed}`
}

/**
 * Deletes the stack and waits until it is gone. Throws UserError, with the first resource that would not go, when it stays.
 * `policyFile` has the permissions that it takes. `roleArn`: service role that it is to have from here on; undefined: the one
 * that it has, which nobody needs to pass.
 */
export async function deleteStack(
  aws: Aws,
  stack: { readonly id: string; readonly name: string; readonly roleArn?: string | undefined },
  policyFile: string,
  step: Step
): Promise<void> {
  const { DeleteStackCommand } = await import('./sdk/cloudformation.js')
  const cloudformation = await aws.cloudformation()
  const attempt = async (
    left: number
  ): Promise<{ status: string; failure: StackFailure | undefined } | undefined> => {
    await cloudformation.send(
      new DeleteStackCommand({
        StackName: stack.id,
        ...(stack.roleArn !== undefined && { RoleARN: stack.roleArn })
      })
    )
    const status = await untilSettled(aws, stack, step, {})
    if (status === 'DELETE_COMPLETE') return undefined
    const failure = progressOf(await operationEvents(aws, stack.id)).firstFailure
    if (left === 0 || failure === undefined || !isIamLate(failure)) return { status, failure }
    step.note(
      `IAM says that something hangs on ${failure.logicalId} still: stack ${stack.name} is deleted once more`
    )
    step.waiting(`IAM to follow what was taken off ${failure.physicalId ?? failure.logicalId}`)
    await step.pause(15_000)
    return attempt(left - 1)
  }
  const failed = await attempt(2)
  if (failed === undefined) return
  const { status, failure } = failed
  throw new UserError(
    `CloudFormation stack ${stack.name}`,
    `could not be deleted (${status}): ${failure === undefined ? 'no reason given' : `${failure.type} ${failure.physicalId ?? failure.logicalId}: ${failure.reason}`}`,
    failure === undefined ? 'Look at its events, then run again.' : failureFix(failure, policyFile)
  )
}

/** Resources of the stack that exist. */
export async function liveResources(aws: Aws, stackId: string): Promise<readonly string[]> {
  const { DescribeStackResourcesCommand } = await import('./sdk/cloudformation.js')
  const cloudformation = await aws.cloudformation()
  const { StackResources = [] } = await cloudformation.send(
    new DescribeStackResourcesCommand({ StackName: stackId })
  )
  return StackResources.filter(
    (one) => !/^(DELETE_COMPLETE|CREATE_FAILED)$/.test(one.ResourceStatus ?? '')
  ).map((one) => one.PhysicalResourceId ?? one.LogicalResourceId ?? '')
}

/** Waits for what somebody else has begun; a stack that is gone by then is undefined. */
export async function whenIdle(aws: Aws, name: string, step: Step): Promise<LiveStack | undefined> {
  return poll(
    step,
    {
      what: `CloudFormation stack ${name}`,
      timeoutMilliseconds: 1_800_000,
      giveUp: () =>
        new UserError(
          `CloudFormation stack ${name}`,
          'is never idle',
          'Stop what changes it, then run again.'
        )
    },
    async () => {
      const found = await describeStack(aws, name)
      if (found?.StackId === undefined) return { stack: undefined }
      if (found.StackStatus === 'REVIEW_IN_PROGRESS') return { stack: await readStack(aws, name) }
      if (found.StackStatus?.endsWith('_IN_PROGRESS') === true) {
        step.note(`stack ${name} is ${found.StackStatus}: waiting for whoever works on it`)
        await untilIdle(aws, { id: found.StackId, name }, step)
        return undefined
      }
      return { stack: await readStack(aws, name) }
    }
  ).then((outcome) => outcome.stack)
}

/** As untilSettled, and through CloudFormation's own clean-up as well, during which a stack takes no change. */
export async function untilIdle(
  aws: Aws,
  stack: { readonly id: string; readonly name: string },
  step: Step
): Promise<void> {
  const started = step.now()
  while (/_CLEANUP_IN_PROGRESS$/.test(await untilSettled(aws, stack, step))) {
    step.waiting(`CloudFormation stack ${stack.name} cleaning up`)
    await step.pause(noticingPause(step.now() - started))
  }
}
