import { optionalText, tagList, text } from '../input.js'
import { requestTags, resourceTags, type Context, type Operations } from '../operations.js'
import { AwsError, type AwsCall, type Question } from '../service.js'
import { changeAnswer, changeSetAnswer, changeSetSummary, validationAnswer } from './answers.js'
import { changesBesideResources, changesTo } from './changes.js'
import { createStack, updateStack } from './deployment.js'
import type { Region } from './region.js'
import { changeSetName, newStackName, onFailureIn, page, repeats } from './requests.js'
import { checkedDefinition, checkUpdatable, keepRole, passing, reviewedStack } from './stack-operations.js'
import type { ChangeSet, Stack, ValidationFailure } from './stack.js'
import { validate, validationReason } from './validation.js'

const changesPerPage = 100

const unchanged =
  "The submitted information didn't contain changes. Submit different information to create a change set."

/** The actions on change sets. */
export function changeSetOperations(region: Region): Operations {
  const ask = (action: string, { input }: AwsCall, context: Context = {}): readonly Question[] => {
    const given = optionalText(input, 'ChangeSetName')
    const named = optionalText(input, 'StackName')
    const stack = named === undefined ? ownerOf(region, given) : region.find(named)
    const resource =
      stack?.id ?? (named === undefined ? `${region.arnPrefix}:stack/*/*` : region.stackArn(named))
    return [
      {
        action: `cloudformation:${action}`,
        resource,
        context: {
          ...resourceTags('cloudformation', stack?.definition?.tags ?? []),
          ...(given === undefined ? {} : { 'cloudformation:ChangeSetName': bareName(given) }),
          ...context
        }
      }
    ]
  }
  return {
    CreateChangeSet: {
      questions(call) {
        const context = requestTags(tagList(call.input))
        const create = [...ask('CreateChangeSet', call, context), ...passing(call)]
        if (tagList(call.input).length === 0) return create
        const tagging = { ...context, 'cloudformation:CreateAction': 'CreateChangeSet' }
        return [...create, ...ask('TagResource', call, tagging)]
      },
      answer: (call) => create(region, call)
    },
    DescribeChangeSet: {
      questions: (call) => ask('DescribeChangeSet', call),
      answer({ input }) {
        const { stack, changeSet } = region.changeSet(input)
        const { items, next } = page(changeSet.changes, input, changesPerPage)
        return { ...changeSetAnswer(stack, changeSet), Changes: items.map(changeAnswer), ...next }
      }
    },
    DescribeEvents: {
      questions: ({ input }) => {
        const named = optionalText(input, 'ChangeSetName') ?? optionalText(input, 'StackName') ?? '*'
        return [{ action: 'cloudformation:DescribeEvents', resource: named }]
      },
      answer({ input }) {
        const named = optionalText(input, 'ChangeSetName')
        if (named?.startsWith('arn:') !== true) {
          throw new AwsError(
            'ValidationError',
            'One of ChangeSetName, OperationId or StackName must be specified'
          )
        }
        const { stack, changeSet } = region.changeSet({ ChangeSetName: named })
        const { items, next } = page(changeSet.failures, input, changesPerPage)
        return { OperationEvents: items.map((one) => validationAnswer(stack, changeSet, one)), ...next }
      }
    },
    ExecuteChangeSet: {
      questions: (call) => ask('ExecuteChangeSet', call),
      answer: (call) => execute(region, call)
    },
    DeleteChangeSet: {
      questions: (call) => ask('DeleteChangeSet', call),
      answer({ input }) {
        const { stack, changeSet } = region.changeSet(input)
        if (changeSet.execution === 'EXECUTE_IN_PROGRESS') {
          throw new AwsError(
            'InvalidChangeSetStatus',
            `Failed to delete change set ${changeSet.id}: it is in ${changeSet.execution} state`
          )
        }
        stack.changeSets = stack.changeSets.filter((one) => one !== changeSet)
        return {}
      }
    },
    ListChangeSets: {
      questions: (call) => ask('ListChangeSets', call),
      answer({ input }) {
        const name = text(input, 'StackName')
        const stack = region.find(name)
        if (stack === undefined) throw new AwsError('ValidationError', `Stack [${name}] does not exist`)
        const { items, next } = page(stack.changeSets, input, changesPerPage)
        return { Summaries: items.map((changeSet) => changeSetSummary(stack, changeSet)), ...next }
      }
    }
  }
}

function ownerOf(region: Region, changeSetId: string | undefined): Stack | undefined {
  return region.all().find(({ changeSets }) => changeSets.some(({ id }) => id === changeSetId))
}

/** The name in an ARN `...:changeSet/name/uuid`, or the name itself. */
function bareName(nameOrId: string): string {
  return nameOrId.startsWith('arn:') ? (nameOrId.split('/')[1] ?? nameOrId) : nameOrId
}

function create(region: Region, call: AwsCall): Readonly<Record<string, unknown>> {
  const { input } = call
  const name = changeSetName(input)
  const kind = optionalText(input, 'ChangeSetType') ?? 'UPDATE'
  if (kind !== 'CREATE' && kind !== 'UPDATE') {
    throw new AwsError('ValidationError', `ChangeSetType ${kind}: the sandbox imports no resources`)
  }
  const stackName = text(input, 'StackName').startsWith('arn:')
    ? text(input, 'StackName')
    : newStackName(input)
  const present = region.find(stackName)
  if (kind === 'UPDATE') {
    if (present === undefined) throw new AwsError('ValidationError', `Stack [${stackName}] does not exist`)
    checkUpdatable(present)
  }
  if (kind === 'CREATE' && present !== undefined && present.status !== 'REVIEW_IN_PROGRESS') {
    throw new AwsError(
      'ValidationError',
      `Stack [${stackName}] already exists and cannot be created again with the changeSet [${name}].`
    )
  }
  if (present?.changeSets.some((one) => one.name === name && one.execution !== 'EXECUTE_COMPLETE') === true) {
    throw new AwsError('AlreadyExistsException', `ChangeSet [${name}] already exists`)
  }
  const onFailure = onFailureIn(input, 'OnStackFailure')
  const definition = checkedDefinition(region, call, present, stackName)
  const token = optionalText(input, 'ClientToken')
  const stack = present ?? reviewedStack(region, stackName, token)
  const around = region.surroundings(stack)
  const changes = changesTo(stack, definition, around, region.types)
  const description = optionalText(input, 'Description')
  const roleArn = optionalText(input, 'RoleARN')
  const changeSet: ChangeSet = {
    id: region.newChangeSetId(name),
    name,
    kind,
    at: region.clock.now(),
    ...(description === undefined ? {} : { description }),
    definition,
    onFailure,
    ...(roleArn === undefined ? {} : { roleArn }),
    changes,
    failures: [],
    status: 'CREATE_PENDING',
    execution: 'UNAVAILABLE'
  }
  stack.changeSets = [...stack.changeSets.filter((one) => one.name !== name), changeSet]
  const differs = changes.length > 0 || changesBesideResources(stack, definition, around)
  const { deployer } = region.operation(
    roleArn === undefined ? stack : { ...stack, roleArn },
    call.caller,
    undefined
  )
  const { types } = region
  void settle(region, changeSet, differs, async () =>
    validate(stack, { definition, around, types, changes, deployer })
  )
  return { Id: changeSet.id, StackId: stack.id }
}

/** A change set is worked out after the call that asks for it was answered. */
async function settle(
  region: Region,
  changeSet: ChangeSet,
  differs: boolean,
  validated: () => Promise<readonly ValidationFailure[]>
): Promise<void> {
  await region.clock.delay(1)
  changeSet.status = 'CREATE_IN_PROGRESS'
  await region.clock.delay(region.pace)
  changeSet.failures = await validated()
  if (changeSet.failures.length > 0) {
    changeSet.status = 'FAILED'
    changeSet.reason = validationReason(changeSet.failures)
    return
  }
  if (differs) {
    changeSet.status = 'CREATE_COMPLETE'
    changeSet.execution = 'AVAILABLE'
    return
  }
  changeSet.status = 'FAILED'
  changeSet.reason = unchanged
}

function execute(region: Region, call: AwsCall): Readonly<Record<string, unknown>> {
  const { input, caller } = call
  const { stack, changeSet } = region.changeSet(input)
  if (repeats(stack, input, 'ExecuteChangeSet')) return {}
  if (changeSet.execution !== 'AVAILABLE') {
    throw new AwsError(
      'InvalidChangeSetStatus',
      `ChangeSet [${changeSet.id}] cannot be executed in its current status of [${changeSet.status}]`
    )
  }
  if (changeSet.kind === 'UPDATE') checkUpdatable(stack)
  changeSet.execution = 'EXECUTE_IN_PROGRESS'
  // The others were worked out against a stack that is about to be another one.
  stack.changeSets = [changeSet]
  stack.onFailure = changeSet.onFailure
  keepRole(stack, changeSet.roleArn)
  const operation = region.operation(stack, caller, region.token(call))
  const around = region.surroundings(stack)
  const work =
    changeSet.kind === 'CREATE'
      ? createStack(operation, changeSet.definition, around)
      : updateStack(operation, changeSet.definition, around)
  region.start(
    operation,
    changeSet.kind === 'CREATE' ? 'CREATE_FAILED' : 'UPDATE_FAILED',
    work.then(() => {
      const complete = stack.status === 'CREATE_COMPLETE' || stack.status === 'UPDATE_COMPLETE'
      changeSet.execution = complete ? 'EXECUTE_COMPLETE' : 'EXECUTE_FAILED'
    })
  )
  return {}
}
