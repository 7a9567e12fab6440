import type { Stack } from '@aws-sdk/client-cloudformation'
import { UserError } from '../engine/errors.js'
import type { Step } from '../engine/resource.js'
import type { Aws } from './clients.js'
import { tagsOf } from './discover.js'
import { codeOf, isNotFound } from './errors.js'
import { poll } from './poll.js'
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
  const { DescribeStacksCommand } = await import('./sdk/cloudformation.js')
  const cloudformation = await aws.cloudformation()
  try {
    const { Stacks = [] } = await cloudformation.send(new DescribeStacksCommand({ StackName: stack }))
    return Stacks[0]
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}

/**
 * Waits until nothing is under way in the stack, showing how far it is. Returns the status, DELETE_COMPLETE when it is
 * gone. `total`: resources that the operation touches, when that is known.
 */
export async function untilSettled(
  aws: Aws,
  stack: { readonly id: string; readonly name: string },
  step: Step,
  total: number | undefined
): Promise<string> {
  const seen = { status: '' }
  let progress = ''
  let pause = 1_000
  const deadline = step.now() + 1_800_000
  for (;;) {
    const found = await describeStack(aws, stack.id)
    seen.status = found?.StackStatus ?? 'DELETE_COMPLETE'
    if (!seen.status.endsWith('_IN_PROGRESS') || /_CLEANUP_IN_PROGRESS$/.test(seen.status)) {
      step.waiting(undefined)
      return seen.status
    }
    if (step.now() > deadline) {
      throw new UserError(
        `CloudFormation stack ${stack.name}`,
        `is still ${seen.status} after half an hour${progress}`,
        `Look at its events: aws cloudformation describe-stack-events --stack-name ${stack.name}; run again when it has ended.`
      )
    }
    const now = progressOf(await operationEvents(aws, stack.id))
    const count = total === undefined ? `${now.done} resources done` : `${now.done} of ${total} resources`
    const under = now.inProgress.length > 0 ? `, ${now.inProgress.join(', ')} in progress` : ''
    const failed =
      now.firstFailure === undefined
        ? ''
        : `, ${now.firstFailure.logicalId} failed (${now.firstFailure.reason}), rolling back`
    progress = `: ${count}${under}`
    step.waiting(`CloudFormation stack ${stack.name} ${seen.status}: ${count}${under}${failed}`)
    await step.pause(pause)
    pause = Math.min(5_000, pause * 1.3)
  }
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
    const status = await untilSettled(aws, stack, step, undefined)
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
  while (/_CLEANUP_IN_PROGRESS$/.test(await untilSettled(aws, stack, step, undefined))) {
    step.waiting(`CloudFormation stack ${stack.name} cleaning up`)
    await step.pause(2_000)
  }
}
