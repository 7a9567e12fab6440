import { randomUUID } from 'node:crypto'
import type { Change, ChangeSetType, Tag } from '@aws-sdk/client-cloudformation'
import { messageOf, UserError } from '../engine/errors.js'
import type { Step } from '../engine/resource.js'
import type { Aws } from './clients.js'
import { whyNotPlanned } from './change-set-failure.js'
import { awsProblem, codeOf, isAlreadyExists, isNotFound, wasRepeated } from './errors.js'
import { noticingPause, poll } from './poll.js'
import { ourName } from '../engine/owner.js'

/** One name for all runs: a change set that a killed run left behind is found by it. */
export interface ChangeSetRequest {
  readonly stackName: string
  readonly type: ChangeSetType
  /** The stack is not there yet: the change set makes it, empty and under review. */
  readonly makesStack: boolean
  readonly template: string
  readonly parameters: Readonly<Record<string, string>>
  readonly tags: readonly Tag[]
  readonly capabilities: readonly ('CAPABILITY_NAMED_IAM' | 'CAPABILITY_IAM' | 'CAPABILITY_AUTO_EXPAND')[]
  /** Service role; undefined: the one that the stack has, else the caller's permissions. */
  readonly roleArn: string | undefined
}

export interface PlannedChange {
  readonly logicalId: string
  /** AWS::IAM::Role */
  readonly type: string
  readonly physicalId: string | undefined
  readonly action: 'Add' | 'Modify' | 'Remove' | 'Import' | 'Dynamic' | 'SyncWithActual'
  readonly replaces: boolean
}

export interface Plan {
  /** Of the stack, which exists from the first change set on. */
  readonly stackId: string
  /** ARN, by which it is known after its execution too. */
  readonly changeSetId: string
  /** None where only outputs, conditions or tags change. */
  readonly changes: readonly PlannedChange[]
}

/** Makes a change set and waits for it. Undefined when there is nothing to do; the change set is deleted then. */
export async function planChanges(
  aws: Aws,
  request: ChangeSetRequest,
  step: Step
): Promise<Plan | undefined> {
  const subject = `CloudFormation stack ${request.stackName}`
  try {
    const { stackId, changeSetId } = await create(aws, request, step)
    const outcome = await poll(
      step,
      {
        what: `the change set of ${request.stackName}`,
        timeoutMilliseconds: 300_000,
        justBegun: true,
        pauseAfter: noticingPause,
        giveUp: () => new UserError(subject, 'the change set was not ready in five minutes', 'Run again.')
      },
      async () => describe(aws, request.stackName)
    )
    if (outcome.failure === undefined) return { stackId, changeSetId, changes: outcome.changes }
    if (/didn't contain changes|No updates are to be performed/i.test(outcome.failure)) {
      await deleteChangeSet(aws, request.stackName)
      return undefined
    }
    const problem = await whyNotPlanned(aws, {
      stackName: request.stackName,
      changeSetId,
      reason: outcome.failure
    })
    await deleteChangeSet(aws, request.stackName)
    if (request.makesStack) await deleteEmptyStack(aws, stackId)
    throw problem
  } catch (error) {
    throw awsProblem(subject, 'could not be planned', error)
  }
}

interface Made {
  readonly stackId: string
  readonly changeSetId: string
}

async function create(aws: Aws, request: ChangeSetRequest, step: Step): Promise<Made> {
  const { CreateChangeSetCommand } = await import('./sdk/cloudformation.js')
  const cloudformation = await aws.cloudformation()
  const token = `setup-karpenter-${randomUUID()}`
  const command = {
    StackName: request.stackName,
    ChangeSetName: ourName,
    ChangeSetType: request.type,
    TemplateBody: request.template,
    Parameters: Object.entries(request.parameters).map(([ParameterKey, ParameterValue]) => ({
      ParameterKey,
      ParameterValue
    })),
    Tags: [...request.tags],
    Capabilities: [...request.capabilities],
    ...(request.roleArn !== undefined && { RoleARN: request.roleArn }),
    ClientToken: token,
    // By it a change set is known for the one of this call, when the answer was lost.
    Description: `Made by ${token}`
  }
  const make = async (): Promise<Made> => {
    const { StackId = request.stackName, Id = ourName } = await whenTaken(request, step, async () =>
      cloudformation.send(new CreateChangeSetCommand(command))
    )
    return { stackId: StackId, changeSetId: Id }
  }
  try {
    return await make()
  } catch (error) {
    if (!isAlreadyExists(error)) throw error
    const own = await ownChangeSet(aws, request.stackName, command.Description)
    if (own !== undefined) return own
    // Left behind by a run that was killed: what it planned may be out of date.
    return poll(
      step,
      {
        what: `the old change set of ${request.stackName} to go`,
        timeoutMilliseconds: 60_000,
        pauseAfter: noticingPause,
        giveUp: () => awsProblem(request.stackName, 'an old change set does not go away', error)
      },
      async () => {
        try {
          await deleteChangeSet(aws, request.stackName)
          return await make()
        } catch (again) {
          // One that is being made cannot be deleted yet.
          if (codeOf(again) === 'InvalidChangeSetStatus') return undefined
          if (!isAlreadyExists(again)) throw again
          return ownChangeSet(aws, request.stackName, command.Description)
        }
      }
    )
  }
}

/**
 * Waits for what CloudFormation refuses and that passes: a service role that was made a moment ago "is invalid or cannot be
 * assumed" (hashicorp/terraform-provider-aws#22834), and a stack on which somebody else began something "is in
 * UPDATE_IN_PROGRESS state and can not be updated".
 */
async function whenTaken<T>(request: ChangeSetRequest, step: Step, send: () => Promise<T>): Promise<T> {
  const last: { error: unknown } = { error: undefined }
  const startedAt = step.now()
  const { taken } = await poll(
    step,
    {
      what: () => `CloudFormation stack ${request.stackName}: ${messageOf(last.error)}`,
      timeoutMilliseconds: 1_800_000,
      giveUp: () =>
        awsProblem(`CloudFormation stack ${request.stackName}`, 'could not be planned', last.error)
    },
    async () => {
      try {
        return { taken: await send() }
      } catch (error) {
        last.error = error
        const text = codeOf(error) === 'Validation' ? messageOf(error) : ''
        const roleIsNew =
          /is invalid or cannot be assumed/.test(text) &&
          request.roleArn !== undefined &&
          step.now() - startedAt < 60_000
        if (!roleIsNew && !/is in (?!REVIEW_)\w+_IN_PROGRESS state/.test(text)) throw error
        return undefined
      }
    }
  )
  return taken
}

/** The change set that carries this description: made by a try whose answer was lost. */
async function ownChangeSet(aws: Aws, stackName: string, description: string): Promise<Made | undefined> {
  const { DescribeChangeSetCommand } = await import('./sdk/cloudformation.js')
  const cloudformation = await aws.cloudformation()
  const found = await cloudformation.send(
    new DescribeChangeSetCommand({ StackName: stackName, ChangeSetName: ourName })
  )
  return found.Description === description
    ? { stackId: found.StackId ?? stackName, changeSetId: found.ChangeSetId ?? ourName }
    : undefined
}

async function describe(
  aws: Aws,
  stackName: string
): Promise<{ changes: readonly PlannedChange[]; failure: string | undefined } | undefined> {
  const { DescribeChangeSetCommand } = await import('./sdk/cloudformation.js')
  const cloudformation = await aws.cloudformation()
  const changes: PlannedChange[] = []
  let NextToken: string | undefined
  do {
    const page = await cloudformation.send(
      new DescribeChangeSetCommand({
        StackName: stackName,
        ChangeSetName: ourName,
        ...(NextToken !== undefined && { NextToken })
      })
    )
    if (page.Status === 'FAILED') return { changes: [], failure: page.StatusReason ?? 'no reason given' }
    if (page.Status !== 'CREATE_COMPLETE') return undefined
    changes.push(...(page.Changes ?? []).flatMap(plannedChange))
    NextToken = page.NextToken
  } while (NextToken !== undefined)
  return { changes, failure: undefined }
}

function plannedChange({ ResourceChange: change }: Change): PlannedChange[] {
  if (change?.LogicalResourceId === undefined || change.Action === undefined) return []
  return [
    {
      logicalId: change.LogicalResourceId,
      type: change.ResourceType ?? '',
      physicalId: change.PhysicalResourceId,
      action: change.Action,
      replaces: change.Replacement === 'True'
    }
  ]
}

/** Begins to carry out what was planned; one that is under way already, or done, was begun by a try whose answer was lost. */
export async function executeChangeSet(aws: Aws, plan: Plan): Promise<void> {
  const { ExecuteChangeSetCommand } = await import('./sdk/cloudformation.js')
  const cloudformation = await aws.cloudformation()
  try {
    await cloudformation.send(
      new ExecuteChangeSetCommand({
        StackName: plan.stackId,
        ChangeSetName: ourName,
        ClientRequestToken: `setup-karpenter-${randomUUID()}`
      })
    )
  } catch (error) {
    const mayBeUnderWay = codeOf(error) === 'InvalidChangeSetStatus' || isNotFound(error)
    if (!mayBeUnderWay || !wasRepeated(error) || !(await isExecuted(aws, plan))) throw error
  }
}

/** Whoever has the lock is the only one who begins anything on a stack that was idle before. */
async function isExecuted(aws: Aws, { stackId, changeSetId }: Plan): Promise<boolean> {
  const { DescribeChangeSetCommand, DescribeStacksCommand } = await import('./sdk/cloudformation.js')
  const cloudformation = await aws.cloudformation()
  const { Stacks = [] } = await cloudformation.send(new DescribeStacksCommand({ StackName: stackId }))
  const status = Stacks[0]?.StackStatus ?? ''
  if (status.endsWith('_IN_PROGRESS') && status !== 'REVIEW_IN_PROGRESS') return true
  try {
    const { ExecutionStatus = '' } = await cloudformation.send(
      new DescribeChangeSetCommand({ StackName: stackId, ChangeSetName: changeSetId })
    )
    return ExecutionStatus.startsWith('EXECUTE_')
  } catch (error) {
    // It goes with the change that it made.
    if (isNotFound(error)) return status !== 'REVIEW_IN_PROGRESS'
    throw error
  }
}

async function deleteChangeSet(aws: Aws, stackName: string): Promise<void> {
  const { DeleteChangeSetCommand } = await import('./sdk/cloudformation.js')
  const cloudformation = await aws.cloudformation()
  try {
    await cloudformation.send(new DeleteChangeSetCommand({ StackName: stackName, ChangeSetName: ourName }))
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}

/** Nothing was ever executed on it; a failure to delete it is no reason to hide why nothing was. */
async function deleteEmptyStack(aws: Aws, stackId: string): Promise<void> {
  const { DeleteStackCommand, DescribeStacksCommand } = await import('./sdk/cloudformation.js')
  const cloudformation = await aws.cloudformation()
  try {
    const { Stacks = [] } = await cloudformation.send(new DescribeStacksCommand({ StackName: stackId }))
    if (Stacks[0]?.StackStatus !== 'REVIEW_IN_PROGRESS') return
    await cloudformation.send(new DeleteStackCommand({ StackName: stackId }))
  } catch {
    // The next run takes it up.
  }
}

const typeNames: Readonly<Record<string, string>> = {
  'AWS::IAM::Role': 'IAM role',
  'AWS::IAM::ManagedPolicy': 'IAM policy',
  'AWS::IAM::InstanceProfile': 'instance profile',
  'AWS::SQS::Queue': 'SQS queue',
  'AWS::SQS::QueuePolicy': 'SQS queue policy',
  'AWS::Events::Rule': 'EventBridge rule'
}

/** `create IAM role KarpenterNodeRole-blue`. `names`: logical id to the name that the template gives. */
export function changeLine(change: PlannedChange, names: Readonly<Record<string, string>>): string {
  const verb =
    change.action === 'Add'
      ? 'create'
      : change.action === 'Remove'
        ? 'delete'
        : change.replaces
          ? 'replace'
          : 'change'
  return `${verb} ${typeNames[change.type] ?? change.type} ${names[change.logicalId] ?? change.physicalId ?? change.logicalId}`
}
