import type { Change, ChangeSetType, Tag } from '@aws-sdk/client-cloudformation'
import { UserError } from '../engine/errors.js'
import type { Step } from '../engine/resource.js'
import type { Aws } from './clients.js'
import { awsProblem, isAlreadyExists, isNotFound } from './errors.js'
import { poll } from './poll.js'

/** One name for all runs: a change set that a killed run left behind is found by it. */
const changeSetName = 'setup-karpenter'

export interface ChangeSetRequest {
  readonly stackName: string
  readonly type: ChangeSetType
  readonly template: string
  readonly parameters: Readonly<Record<string, string>>
  readonly tags: readonly Tag[]
  readonly capabilities: readonly ('CAPABILITY_NAMED_IAM' | 'CAPABILITY_IAM' | 'CAPABILITY_AUTO_EXPAND')[]
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
  readonly changes: readonly PlannedChange[]
}

/** Makes a change set and waits for it. No changes at all when there is nothing to do; the change set is deleted then. */
export async function planChanges(aws: Aws, request: ChangeSetRequest, step: Step): Promise<Plan> {
  const subject = `CloudFormation stack ${request.stackName}`
  try {
    const stackId = await create(aws, request, step)
    const outcome = await poll(
      step,
      {
        what: `the change set of ${request.stackName}`,
        timeoutMilliseconds: 300_000,
        firstPauseMilliseconds: 500,
        giveUp: () => new UserError(subject, 'the change set was not ready in five minutes', 'Run again.')
      },
      async () => describe(aws, request.stackName)
    )
    if (outcome.failure === undefined) return { stackId, changes: outcome.changes }
    await deleteChangeSet(aws, request.stackName)
    if (/didn't contain changes|No updates are to be performed/i.test(outcome.failure))
      return { stackId, changes: [] }
    throw new UserError(
      subject,
      `CloudFormation cannot plan the change: ${outcome.failure}`,
      /EarlyValidation|already exists/i.test(outcome.failure)
        ? 'A resource of that name exists outside the stack: delete it, or pass another name (`node-role-name`, `stack-name`, `interruption-queue`).'
        : 'Correct the template (`template: built-in` is one that is known to work) or the permission it names, and run again.',
      { state: 'The stack was left as it is.' }
    )
  } catch (error) {
    throw awsProblem(subject, 'could not be planned', error)
  }
}

async function create(aws: Aws, request: ChangeSetRequest, step: Step): Promise<string> {
  const { CreateChangeSetCommand } = await import('./sdk/cloudformation.js')
  const cloudformation = await aws.cloudformation()
  const command = {
    StackName: request.stackName,
    ChangeSetName: changeSetName,
    ChangeSetType: request.type,
    TemplateBody: request.template,
    Parameters: Object.entries(request.parameters).map(([ParameterKey, ParameterValue]) => ({
      ParameterKey,
      ParameterValue
    })),
    Tags: [...request.tags],
    Capabilities: [...request.capabilities],
    Description: 'Made by setup-karpenter'
  }
  try {
    const made = await cloudformation.send(new CreateChangeSetCommand(command))
    return made.StackId ?? request.stackName
  } catch (error) {
    if (!isAlreadyExists(error)) throw error
    // Left behind by a run that was killed: what it planned may be out of date.
    await deleteChangeSet(aws, request.stackName)
    return poll(
      step,
      {
        what: `the old change set of ${request.stackName} to go`,
        timeoutMilliseconds: 60_000,
        giveUp: () => awsProblem(request.stackName, 'an old change set does not go away', error)
      },
      async () => {
        try {
          const made = await cloudformation.send(new CreateChangeSetCommand(command))
          return made.StackId ?? request.stackName
        } catch (again) {
          if (isAlreadyExists(again)) return undefined
          throw again
        }
      }
    )
  }
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
        ChangeSetName: changeSetName,
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

export async function executeChangeSet(aws: Aws, stackName: string): Promise<void> {
  const { ExecuteChangeSetCommand } = await import('./sdk/cloudformation.js')
  const cloudformation = await aws.cloudformation()
  await cloudformation.send(
    new ExecuteChangeSetCommand({ StackName: stackName, ChangeSetName: changeSetName })
  )
}

async function deleteChangeSet(aws: Aws, stackName: string): Promise<void> {
  const { DeleteChangeSetCommand } = await import('./sdk/cloudformation.js')
  const cloudformation = await aws.cloudformation()
  try {
    await cloudformation.send(
      new DeleteChangeSetCommand({ StackName: stackName, ChangeSetName: changeSetName })
    )
  } catch (error) {
    if (!isNotFound(error)) throw error
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
