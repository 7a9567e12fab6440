import { list, optionalBoolean, optionalText, tagList, text, texts } from '../input.js'
import { requestTags, resourceTags, type Context, type Operation, type Operations } from '../operations.js'
import { AwsError, type AwsCall, type Question } from '../service.js'
import { changesBesideResources, changesTo } from './changes.js'
import { createStack, deleteStack, updateStack } from './deployment.js'
import { eventAnswer, resourceAnswer, stackAnswer, stackSummary } from './answers.js'
import type { Region } from './region.js'
import { definitionIn, newStackName, onFailureIn, page, repeats } from './requests.js'
import { checkCapabilities, checkTemplate } from './resolution.js'
import { enter, type Definition, type Stack } from './stack.js'
import { templateOperations } from './template-operations.js'

const eventsPerPage = 100
const stacksPerPage = 100

/** Statuses from which a stack can be updated. */
const updatable = /^(CREATE|UPDATE|UPDATE_ROLLBACK|IMPORT|IMPORT_ROLLBACK)_COMPLETE$|^UPDATE_FAILED$/

/** The actions on stacks themselves. */
export function stackOperations(region: Region): Operations {
  /** Asked on the stack that the call names, or on all when it names none. */
  const ask = (action: string, call: AwsCall, context: Context = {}): readonly Question[] => {
    const name = optionalText(call.input, 'StackName')
    if (name === undefined) return [{ action: `cloudformation:${action}`, resource: '*', context }]
    const tags = region.find(name)?.definition?.tags ?? []
    return [
      {
        action: `cloudformation:${action}`,
        resource: region.stackArn(name),
        context: { ...resourceTags('cloudformation', tags), ...context }
      }
    ]
  }
  const reading = (action: string, answer: Operation['answer']): Operations => ({
    [action]: { questions: (call) => ask(action, call), answer }
  })
  const writing = (action: string, answer: Operation['answer']): Operations => ({
    [action]: {
      questions: (call) => [...ask(action, call, requestTags(tagList(call.input))), ...passing(call)],
      answer
    }
  })

  return {
    ...writing('CreateStack', (call) => create(region, call)),
    ...writing('UpdateStack', (call) => update(region, call)),
    ...writing('DeleteStack', (call) => remove(region, call)),
    ...writing('UpdateTerminationProtection', ({ input }) => {
      const stack = region.stack(input)
      stack.terminationProtection = optionalBoolean(input, 'EnableTerminationProtection') === true
      return { StackId: stack.id }
    }),
    ...reading('DescribeStacks', ({ input }) => {
      const name = optionalText(input, 'StackName')
      if (name !== undefined && name !== '') return { Stacks: [stackAnswer(region.stack(input))] }
      const there = region.all().filter(({ deletedAt }) => deletedAt === undefined)
      const { items, next } = page(there, input, stacksPerPage)
      return { Stacks: items.map(stackAnswer), ...next }
    }),
    ...reading('ListStacks', ({ input }) => {
      const wanted = new Set(texts(input, 'StackStatusFilter'))
      const { items, next } = page(
        region.all().filter(({ status }) => wanted.size === 0 || wanted.has(status)),
        input,
        stacksPerPage
      )
      return { StackSummaries: items.map(stackSummary), ...next }
    }),
    ...reading('DescribeStackEvents', ({ input }) => {
      const stack = existing(region, input)
      const { items, next } = page(stack.events.toReversed(), input, eventsPerPage)
      return { StackEvents: items.map((event) => eventAnswer(stack, event)), ...next }
    }),
    ...reading('DescribeStackResources', ({ input }) => {
      const stack = region.stack(input)
      const wanted = optionalText(input, 'LogicalResourceId')
      const own = { StackId: stack.id, StackName: stack.name }
      const resources = [...stack.resources.values()].filter(
        ({ logicalId }) => wanted === undefined || wanted === logicalId
      )
      return { StackResources: resources.map((one) => ({ ...own, ...resourceAnswer(one, 'Timestamp') })) }
    }),
    ...reading('DescribeStackResource', ({ input }) => {
      const stack = existing(region, input)
      const wanted = text(input, 'LogicalResourceId')
      const resource = stack.resources.get(wanted)
      if (resource === undefined) {
        throw new AwsError('ValidationError', `Resource ${wanted} does not exist for stack ${stack.name}`)
      }
      const own = { StackId: stack.id, StackName: stack.name }
      return { StackResourceDetail: { ...own, ...resourceAnswer(resource, 'LastUpdatedTimestamp') } }
    }),
    ...reading('ListStackResources', ({ input }) => {
      const { items, next } = page([...existing(region, input).resources.values()], input, stacksPerPage)
      return {
        StackResourceSummaries: items.map((one) => resourceAnswer(one, 'LastUpdatedTimestamp')),
        ...next
      }
    }),
    ...reading('GetTemplate', ({ input }) => {
      const changeSet = optionalText(input, 'ChangeSetName')
      const body =
        changeSet === undefined
          ? existing(region, input).definition?.text
          : region.changeSet(input).changeSet.definition.text
      // It answers no character beyond ASCII (aws/aws-cdk-cli#1915).
      const ascii = (body ?? '').replace(/[^\x00-\x7f]/gu, '?')
      return { ...(ascii !== '' && { TemplateBody: ascii }), StagesAvailable: ['Original', 'Processed'] }
    }),
    ...templateOperations(region, (action, call) => ask(action, call))
  }
}

/** Who gives a stack a service role must be allowed to pass it (CloudFormation user guide, service role). */
export function passing({ input }: AwsCall): readonly Question[] {
  const resource = optionalText(input, 'RoleARN')
  if (resource === undefined) return []
  const context = { 'iam:PassedToService': 'cloudformation.amazonaws.com' }
  return [{ action: 'iam:PassRole', resource, context }]
}

/** The role of the call, which the stack keeps. */
export function keepRole(stack: Stack, roleArn: string | undefined): void {
  if (roleArn !== undefined) stack.roleArn = roleArn
}

/** The stack, in the words of the actions that say "Stack [name] does not exist". */
function existing(region: Region, input: AwsCall['input']): Stack {
  const name = text(input, 'StackName')
  const stack = region.find(name)
  if (stack === undefined) throw new AwsError('ValidationError', `Stack [${name}] does not exist`)
  return stack
}

/** Checks all that can be checked before a stack is touched. */
export function checkedDefinition(
  region: Region,
  call: AwsCall,
  stack: Stack | undefined,
  name: string
): Definition {
  region.checkRole(optionalText(call.input, 'RoleARN'))
  if (list(call.input, 'NotificationARNs').length > 0) {
    throw new AwsError('ValidationError', 'NotificationARNs: the sandbox has no topics')
  }
  const definition = definitionIn(call.input, stack?.definition, region.types)
  const around = { ...region.home, stackId: stack?.id ?? region.stackArn(name), stackName: name }
  checkTemplate(definition, around, region.types)
  checkCapabilities(definition, region.types)
  return definition
}

/** Throws unless the stack can be updated now. */
export function checkUpdatable(stack: Stack): void {
  if (updatable.test(stack.status)) return
  throw new AwsError(
    'ValidationError',
    `Stack:${stack.id} is in ${stack.status} state and can not be updated.`
  )
}

function create(region: Region, call: AwsCall): Readonly<Record<string, unknown>> {
  const { input, caller } = call
  const name = newStackName(input)
  const present = region.find(name)
  if (present !== undefined && repeats(present, input, 'CreateStack')) return { StackId: present.id }
  if (present !== undefined) throw new AwsError('AlreadyExistsException', `Stack [${name}] already exists`)
  const onFailure = onFailureIn(input, 'OnFailure')
  const definition = checkedDefinition(region, call, undefined, name)
  const stack = region.newStack(name)
  stack.onFailure = onFailure
  stack.terminationProtection = optionalBoolean(input, 'EnableTerminationProtection') === true
  repeats(stack, input, 'CreateStack')
  keepRole(stack, optionalText(input, 'RoleARN'))
  const operation = region.operation(stack, caller, region.token(call))
  region.start(operation, 'CREATE_FAILED', createStack(operation, definition, region.surroundings(stack)))
  return { StackId: stack.id }
}

function update(region: Region, call: AwsCall): Readonly<Record<string, unknown>> {
  const { input, caller } = call
  const stack = existing(region, input)
  if (repeats(stack, input, 'UpdateStack')) return { StackId: stack.id }
  checkUpdatable(stack)
  const definition = checkedDefinition(region, call, stack, stack.name)
  const around = region.surroundings(stack)
  const changes = changesTo(stack, definition, around, region.types)
  if (changes.length === 0 && !changesBesideResources(stack, definition, around)) {
    throw new AwsError('ValidationError', 'No updates are to be performed.')
  }
  keepRole(stack, optionalText(input, 'RoleARN'))
  const operation = region.operation(stack, caller, region.token(call))
  region.start(operation, 'UPDATE_FAILED', updateStack(operation, definition, around))
  return { StackId: stack.id }
}

function remove(region: Region, call: AwsCall): Readonly<Record<string, unknown>> {
  const { input, caller } = call
  const stack = region.find(text(input, 'StackName'))
  // Deleting what is not there is no error.
  if (stack === undefined || stack.deletedAt !== undefined || stack.status === 'DELETE_IN_PROGRESS') return {}
  if (repeats(stack, input, 'DeleteStack')) return {}
  const retain = texts(input, 'RetainResources')
  if (stack.terminationProtection) {
    throw new AwsError(
      'ValidationError',
      `Stack [${stack.name}] cannot be deleted while TerminationProtection is enabled`
    )
  }
  if (retain.length > 0 && stack.status !== 'DELETE_FAILED') {
    throw new AwsError(
      'ValidationError',
      `Invalid operation on stack [${stack.id}]. When you delete a stack, specify which resources to retain only when the stack is in the DELETE_FAILED state.`
    )
  }
  if (stack.status === 'REVIEW_IN_PROGRESS') {
    region.forget(stack)
    return {}
  }
  if (
    /^(CREATE|UPDATE|ROLLBACK|UPDATE_ROLLBACK).*_IN_PROGRESS$/.test(stack.status) &&
    !/^CREATE_/.test(stack.status)
  ) {
    throw new AwsError(
      'ValidationError',
      `Stack [${stack.name}] cannot be deleted while in status ${stack.status}`
    )
  }
  region.checkRole(optionalText(input, 'RoleARN'))
  keepRole(stack, optionalText(input, 'RoleARN'))
  const operation = region.operation(stack, caller, region.token(call))
  region.start(operation, 'DELETE_FAILED', deleteStack(operation, retain))
  return {}
}

/** A stack that a change set makes: it is there, under review, before anything is executed. */
export function reviewedStack(region: Region, name: string, token: string | undefined): Stack {
  const stack = region.newStack(name)
  enter(stack, 'REVIEW_IN_PROGRESS', region.clock.now(), 'User Initiated', token)
  return stack
}
