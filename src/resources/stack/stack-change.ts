import { changeLine, executeChangeSet, planChanges } from '../../aws/change-set.js'
import type { Aws } from '../../aws/clients.js'
import { installPolicy } from '../../aws/errors.js'
import { creationTags, isOurs, tagList } from '../../aws/ownership-tags.js'
import {
  failureFix,
  isQueueDeletedRecently,
  operationEvents,
  progressOf,
  type StackFailure
} from '../../aws/stack-events.js'
import {
  deleteStack,
  liveResources,
  physicalIds,
  readStack,
  untilSettled,
  whenIdle,
  type LiveStack
} from '../../aws/stack-operation.js'
import { situationOf } from '../../aws/stack-status.js'
import { UserError } from '../../engine/errors.js'
import type { AnyResource, Step } from '../../engine/resource.js'
import type { Ownership } from '../../aws/environment.js'
import { stackDifferences, type StackWanted } from './stack-differences.js'

/** Milliseconds that SQS keeps the name of a deleted queue, and one second for two clocks that differ. */
const nameKept = 61_000

/** Something that the stack has made and the model walks as well. */
export interface StackPart {
  readonly resource: AnyResource
  /** In the template. */
  readonly logicalId: string
  /** Given the stack's physical ids by logical id. */
  readonly isIn: (ids: ReadonlyMap<string, string>) => boolean
  /** What to do by hand where it is gone, since this run may not make it; undefined: it may. */
  readonly byHand?: string
}

/** What a stack is changed with. */
export interface StackPorts {
  readonly aws: Aws
  readonly ownership: Ownership
  /** Service role by which CloudFormation acts. */
  readonly roleArn?: string | undefined
  /** Told the logical ids of what a stack that was created has made, all of it as its template says. */
  readonly made?: ((logicalIds: readonly string[]) => void) | undefined
}

/** What a stack that is there is to become. */
export interface StackGoal {
  /** There was none when it was read: it is not looked for again before it is created. */
  readonly isAbsent?: boolean
  /** The wanted template, or a wider one. */
  readonly template: (live: LiveStack, step: Step) => string
  readonly parts: readonly StackPart[]
}

/**
 * Creates the stack, or updates it to the goal, by a change set whose changes are shown before they are made. The stack's
 * id when something was changed; undefined when nothing had to be.
 */
export async function changeStack(
  wanted: StackWanted,
  { aws, ownership, roleArn, made }: StackPorts,
  goal: StackGoal,
  step: Step
): Promise<string | undefined> {
  const title = `CloudFormation stack ${wanted.name}`
  return change(1)

  async function change(attempt: number): Promise<string | undefined> {
    let live = goal.isAbsent === true && attempt === 1 ? undefined : await whenIdle(aws, wanted.name, step)
    const situation = live === undefined ? 'empty' : situationOf(live.status)
    if (live !== undefined && situation === 'stuck') throw await stuck(live)
    if (live !== undefined && situation === 'dead') {
      await makeRoom(live)
      live = undefined
    }
    const creates = live === undefined || situation === 'empty'
    const template = creates || live === undefined ? wanted.template : goal.template(live, step)
    if (!creates && live !== undefined && stackDifferences(wanted, template, live).length === 0)
      return undefined
    if (!creates) await restore()
    const plan = await planChanges(
      aws,
      {
        stackName: wanted.name,
        type: creates ? 'CREATE' : 'UPDATE',
        makesStack: live === undefined,
        template,
        parameters: wanted.parameters,
        tags: tagList(tagsFor(creates ? undefined : live)),
        capabilities: wanted.capabilities,
        roleArn
      },
      step
    )
    if (plan === undefined) return undefined
    const { stackId: id, changes } = plan
    for (const one of changes) step.note(changeLine(one, wanted.resources))
    await executeChangeSet(aws, plan)
    const status = await untilSettled(aws, { id, name: wanted.name }, step, { total: changes.length })
    if (!/^(CREATE_COMPLETE|UPDATE_COMPLETE|UPDATE_COMPLETE_CLEANUP_IN_PROGRESS)$/.test(status)) {
      const { firstFailure } = progressOf(await operationEvents(aws, id))
      if (!creates || attempt > 2 || firstFailure === undefined || !isQueueDeletedRecently(firstFailure)) {
        throw await failed(id, status, creates, firstFailure)
      }
      step.note(
        `a queue of that name was deleted less than a minute ago: ${wanted.name} is created once more`
      )
      step.waiting('SQS to give the name of the queue away again')
      await step.pause(untilNameIsFree(firstFailure, step.now()))
      return change(attempt + 1)
    }
    if (creates) made?.(changes.flatMap(({ action, logicalId }) => (action === 'Add' ? [logicalId] : [])))
    step.changed(
      `${creates ? 'created' : 'updated'} CloudFormation stack ${wanted.name} (${changes.length} ${changes.length === 1 ? 'resource' : 'resources'})`
    )
    return id
  }

  /** What somebody deleted is made again first: CloudFormation fails to update it, and then fails to go back. */
  async function restore(): Promise<void> {
    const ids = await physicalIds(aws, wanted.name)
    const made = goal.parts.filter(({ isIn }) => isIn(ids))
    const parts = await Promise.all(
      made.map(async (part) => ({ ...part, inspection: await part.resource.inspect(step.signal) }))
    )
    for (const { inspection, byHand } of parts) {
      if (inspection.state !== 'absent') continue
      if (byHand === undefined) await inspection.apply(step)
      else {
        throw new UserError(
          title,
          `${inspection.resource.title} is gone, and CloudFormation could neither update the stack nor go back`,
          `${byHand} Then run again.`,
          { state: 'The stack was left as it is.' }
        )
      }
    }
  }

  function tagsFor(live: LiveStack | undefined): Readonly<Record<string, string>> {
    if (live === undefined) return creationTags(wanted.tags, ownership)
    // An update replaces all tags: those that others set stay, and a stack that we did not make does not become ours.
    return isOurs(live.tags, wanted.clusterName) ? { ...live.tags, ...wanted.tags } : live.tags
  }

  /** Deletes a stack whose creation failed, so that it can be created again. */
  async function makeRoom(live: LiveStack): Promise<void> {
    if (!isOurs(live.tags, wanted.clusterName)) {
      const resources = await liveResources(aws, live.stackId)
      if (resources.length > 0) {
        throw new UserError(
          title,
          `is ${live.status}, was not made by this action, and still has ${resources.join(', ')}`,
          `Delete it (aws cloudformation delete-stack --stack-name ${wanted.name}), or pass another \`stack-name\`.`,
          { state: 'The stack was left as it is.' }
        )
      }
    }
    await deleteStack(aws, deletion(wanted.name, live, roleArn), installPolicy, step)
    step.changed(`deleted CloudFormation stack ${wanted.name}, which was ${live.status}`)
  }

  async function stuck(live: LiveStack): Promise<UserError> {
    const { firstFailure } = progressOf(await operationEvents(aws, live.stackId))
    return new UserError(
      title,
      `is ${live.status}: an update failed earlier, and so did going back${firstFailure === undefined ? '' : ` (${firstFailure.logicalId}: ${firstFailure.reason})`}`,
      `Put right what the events say. ${goOnGoingBack(wanted.name)}`,
      { state: 'The stack was left as it is.' }
    )
  }

  async function failed(
    stackId: string,
    status: string,
    creates: boolean,
    firstFailure: StackFailure | undefined
  ): Promise<UserError> {
    const state = `The stack is ${status}: ${whatIsLeft(status, creates)}`
    if (firstFailure === undefined) {
      const now = await readStack(aws, stackId)
      return new UserError(
        title,
        `${status}: ${now?.statusReason ?? 'no reason given'}`,
        'Look at its events, then run again.',
        {
          state
        }
      )
    }
    const name = wanted.resources[firstFailure.logicalId] ?? firstFailure.physicalId ?? firstFailure.logicalId
    return new UserError(
      title,
      `${firstFailure.logicalId} (${firstFailure.type} ${name}) failed first: ${firstFailure.reason}`,
      situationOf(status) === 'stuck'
        ? `${failureFix(firstFailure, installPolicy)} ${goOnGoingBack(wanted.name)}`
        : failureFix(firstFailure, installPolicy),
      { state }
    )
  }
}

/** A stack to delete: it is given a service role only where it has another, since that takes iam:PassRole. */
export function deletion(
  name: string,
  live: LiveStack,
  roleArn: string | undefined
): { readonly id: string; readonly name: string; readonly roleArn?: string | undefined } {
  return { id: live.stackId, name, ...(roleArn !== live.roleArn && { roleArn }) }
}

/**
 * Milliseconds until SQS gives the name of a deleted queue away again: a minute after its deletion (CreateQueue, 2026), so
 * no later than a minute after the failure that tells of it.
 */
function untilNameIsFree({ at }: StackFailure, now: number): number {
  const left = at === undefined ? nameKept : at + nameKept - now
  return Math.min(nameKept, Math.max(left, 0))
}

function whatIsLeft(status: string, created: boolean): string {
  if (!created) {
    return situationOf(status) === 'stuck'
      ? 'it could not go back to what it was before, and is in between.'
      : 'it is as it was before.'
  }
  return status === 'ROLLBACK_COMPLETE'
    ? 'what it had made is deleted. The next run deletes it and creates it anew.'
    : 'some of what it had made is still there. The next run deletes it and creates it anew.'
}

function goOnGoingBack(name: string): string {
  return `Before the next run: aws cloudformation continue-update-rollback --stack-name ${name}.`
}
