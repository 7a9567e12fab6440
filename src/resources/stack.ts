import { changeLine, executeChangeSet, planChanges } from '../aws/change-set.js'
import type { Aws } from '../aws/clients.js'
import { awsProblem, installPolicy, liveOf, refuseUnreadable, uninstallPolicy } from '../aws/errors.js'
import { creationTags, isOurs, isOursToRemove, tagList } from '../aws/ownership-tags.js'
import {
  failureFix,
  isQueueDeletedRecently,
  operationEvents,
  progressOf,
  type StackFailure
} from '../aws/stack-events.js'
import {
  deleteStack,
  liveResources,
  physicalIds,
  readStack,
  untilSettled,
  whenIdle,
  type LiveStack
} from '../aws/stack-operation.js'
import { situationOf } from '../aws/stack-status.js'
import { templateDifferences } from '../karpenter/template-differences.js'
import { missing, type Difference } from '../engine/difference.js'
import { UserError } from '../engine/errors.js'
import { isMap } from '../engine/json.js'
import { resource, type AnyResource, type Removal, type Step } from '../engine/resource.js'
import type { Ownership } from '../environment.js'
import { ownerOfStack } from '../owner/tag-owner.js'

export interface StackWanted {
  readonly clusterName: string
  readonly name: string
  readonly template: string
  /** Logical id to the name that the template gives, for people. */
  readonly resources: Readonly<Record<string, string>>
  readonly parameters: Readonly<Record<string, string>>
  /** The user's and the owner tag; CloudFormation puts them on the stack's resources as well. */
  readonly tags: Readonly<Record<string, string>>
  readonly capabilities: readonly ('CAPABILITY_NAMED_IAM' | 'CAPABILITY_IAM' | 'CAPABILITY_AUTO_EXPAND')[]
}

/** Something that the stack has made and the model walks as well. */
export interface StackPart {
  readonly resource: AnyResource
  /** Given the stack's physical ids by logical id. */
  readonly isIn: (ids: ReadonlyMap<string, string>) => boolean
}

interface Ports {
  readonly aws: Aws
  readonly ownership: Ownership
  readonly dependsOn?: readonly string[]
  readonly parts?: readonly StackPart[]
}

/**
 * The CloudFormation stack of nodes' role, controller's policies, queue and rules. Every change goes through a change set
 * whose changes are shown before they are made.
 */
export function stack(wanted: StackWanted, ports: Ports): AnyResource {
  const title = `CloudFormation stack ${wanted.name}`
  const { aws } = ports

  async function apply(step: Step, attempt = 1): Promise<void> {
    let live = await whenIdle(aws, wanted.name, step)
    const situation = live === undefined ? 'empty' : situationOf(live.status)
    if (live !== undefined && situation === 'stuck') throw await stuck(live)
    if (live !== undefined && situation === 'dead') {
      await makeRoom(live, step)
      live = undefined
    }
    const creates = live === undefined || situation === 'empty'
    if (!creates && live !== undefined && differencesOf(wanted, live).length === 0) return
    if (!creates) await restore(step)
    const { stackId: id, changes } = await planChanges(
      aws,
      {
        stackName: wanted.name,
        type: creates ? 'CREATE' : 'UPDATE',
        template: wanted.template,
        parameters: wanted.parameters,
        tags: tagList(tagsFor(creates ? undefined : live)),
        capabilities: wanted.capabilities
      },
      step
    )
    if (changes.length === 0 && !creates && !tagsDiffer(live)) return
    for (const change of changes) step.note(changeLine(change, wanted.resources))
    await executeChangeSet(aws, wanted.name)
    const status = await untilSettled(aws, { id, name: wanted.name }, step, changes.length)
    if (!/^(CREATE_COMPLETE|UPDATE_COMPLETE|UPDATE_COMPLETE_CLEANUP_IN_PROGRESS)$/.test(status)) {
      const { firstFailure } = progressOf(await operationEvents(aws, id))
      if (!creates || attempt > 1 || firstFailure === undefined || !isQueueDeletedRecently(firstFailure)) {
        throw await failed(id, status, creates, firstFailure)
      }
      step.note(
        `a queue of that name was deleted less than a minute ago: ${wanted.name} is created once more`
      )
      step.waiting('SQS to give the name of the queue away again')
      await step.pause(60_000)
      return apply(step, attempt + 1)
    }
    step.changed(
      `${creates ? 'created' : 'updated'} CloudFormation stack ${wanted.name} (${changes.length} ${changes.length === 1 ? 'resource' : 'resources'})`
    )
  }

  /** What somebody deleted is made again first: CloudFormation fails to update it, and then fails to go back. */
  async function restore(step: Step): Promise<void> {
    const ids = await physicalIds(aws, wanted.name)
    const made = (ports.parts ?? []).filter(({ isIn }) => isIn(ids))
    const inspections = await Promise.all(made.map(async ({ resource: own }) => own.inspect(step.signal)))
    for (const inspection of inspections) if (inspection.state === 'absent') await inspection.apply(step)
  }

  function tagsFor(live: LiveStack | undefined): Readonly<Record<string, string>> {
    if (live === undefined) return creationTags(wanted.tags, ports.ownership)
    // An update replaces all tags: those that others set stay, and a stack that we did not make does not become ours.
    return isOurs(live.tags, wanted.clusterName) ? { ...live.tags, ...wanted.tags } : live.tags
  }

  function tagsDiffer(live: LiveStack | undefined): boolean {
    return live !== undefined && tagDifferences(wanted, live).length > 0
  }

  /** Deletes a stack whose creation failed, so that it can be created again. */
  async function makeRoom(live: LiveStack, step: Step): Promise<void> {
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
    await deleteStack(aws, { id: live.stackId, name: wanted.name }, installPolicy, step)
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

  return resource<StackWanted, LiveStack>(
    {
      id: 'stack',
      layer: 'cloudformation',
      title,
      dependsOn: ports.dependsOn ?? [],
      wanted,
      read: async () => liveOf(title, async () => readStack(aws, wanted.name)),
      compare: differencesOf,
      absent: (want) => [missing(`CloudFormation stack ${want.name}`, want.name)],
      apply: async (live, _differences, step) => {
        refuseUnreadable(title, live)
        try {
          await apply(step)
        } catch (error) {
          throw awsProblem(title, 'could not be changed', error)
        }
      },
      owner: ({ tags }) => ownerOfStack({ tags, name: wanted.name }, wanted.clusterName),
      remove: async (step): Promise<Removal> => {
        try {
          const live = await whenIdle(aws, wanted.name, step)
          if (live === undefined) return { outcome: 'absent' }
          if (!isOursToRemove('stack', live.tags, wanted.clusterName, ports.ownership)) {
            return { outcome: 'kept', reason: 'it is not ours by its tags' }
          }
          await deleteStack(aws, { id: live.stackId, name: wanted.name }, uninstallPolicy, step)
        } catch (error) {
          step.signal.throwIfAborted()
          throw awsProblem(title, 'could not be deleted', error)
        }
        step.changed(`deleted CloudFormation stack ${wanted.name}`)
        return { outcome: 'removed' }
      }
    },
    // A record of another name is of another thing than the one that is read.
    (value): value is StackWanted => isWanted(value) && value.name === wanted.name
  )
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

function differencesOf(wanted: StackWanted, live: LiveStack): readonly Difference[] {
  const situation = situationOf(live.status)
  if (situation === 'empty') return [missing(`CloudFormation stack ${wanted.name}`, wanted.name)]
  if (situation !== 'good') {
    return [
      {
        path: 'status',
        wanted: 'CREATE_COMPLETE',
        live: live.status,
        reason: `the stack is ${live.status}`,
        severity: 'breaks scaling'
      }
    ]
  }
  const parts = templateDifferences(wanted.template, live.template)
  return [
    ...parts.map((part): Difference => ({
      path: `template.${part}`,
      wanted: 'as in the template',
      live: 'another definition',
      reason: `${part} is defined differently in the stack's template`,
      severity: 'breaks scaling'
    })),
    ...Object.entries(wanted.parameters).flatMap(([name, value]): Difference[] =>
      live.parameters[name] === value
        ? []
        : [
            {
              path: `parameters.${name}`,
              wanted: value,
              live: live.parameters[name],
              reason: `parameter ${name} is ${live.parameters[name] ?? 'not set'}`,
              severity: 'breaks scaling'
            }
          ]
    ),
    ...tagDifferences(wanted, live)
  ]
}

/** Tags of a stack that somebody else made are theirs. */
function tagDifferences(wanted: StackWanted, live: LiveStack): readonly Difference[] {
  if (!isOurs(live.tags, wanted.clusterName)) return []
  return Object.entries(wanted.tags).flatMap(([key, value]): Difference[] =>
    live.tags[key] === value
      ? []
      : [
          {
            path: `tags.${key}`,
            wanted: value,
            live: live.tags[key],
            reason: `the stack is not tagged ${key}=${value}`,
            severity: 'cosmetic'
          }
        ]
  )
}

function isWanted(value: unknown): value is StackWanted {
  return (
    isMap(value) &&
    typeof value['template'] === 'string' &&
    isMap(value['parameters']) &&
    isMap(value['tags']) &&
    typeof value['clusterName'] === 'string'
  )
}
