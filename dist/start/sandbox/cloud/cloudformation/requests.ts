import { list, optionalBoolean, optionalText, tagList, text, texts, isRecord, type Input } from '../input.js'
import { AwsError } from '../service.js'
import type { ResourceType } from './handler.js'
import { parameterValues, type GivenParameter } from './parameters.js'
import type { Definition, OnFailure, Stack } from './stack.js'
import { readTemplate } from './template.js'

const longestTemplate = 51_200
const longestName = 128

/** A stack's name in a call that makes one. */
export function newStackName(input: Input): string {
  return checkedName(text(input, 'StackName'), 'stackName')
}

export function changeSetName(input: Input): string {
  return checkedName(text(input, 'ChangeSetName'), 'changeSetName')
}

function checkedName(name: string, member: string): string {
  const rule = !/^[a-zA-Z][-a-zA-Z0-9]*$/.test(name)
    ? 'Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*'
    : name.length > longestName
      ? `Member must have length less than or equal to ${longestName}`
      : undefined
  if (rule === undefined) return name
  throw new AwsError(
    'ValidationError',
    `1 validation error detected: Value '${name}' at '${member}' failed to satisfy constraint: ${rule}`
  )
}

/** Template, parameters, tags and capabilities of a call, what it leaves out taken from the stack's present ones. */
export function definitionIn(
  input: Input,
  current: Definition | undefined,
  types: ReadonlyMap<string, ResourceType>
): Definition {
  const templateText = templateIn(input, current)
  const template = readTemplate(templateText, new Set(types.keys()))
  return {
    text: templateText,
    template,
    parameters: parameterValues(template, givenParameters(input), current?.parameters ?? new Map()),
    tags: input['Tags'] === undefined ? (current?.tags ?? []) : tagList(input),
    capabilities: texts(input, 'Capabilities')
  }
}

export function templateIn(input: Input, current: Definition | undefined): string {
  const body = optionalText(input, 'TemplateBody')
  if (body !== undefined && body !== '') {
    if (Buffer.byteLength(body) > longestTemplate) {
      throw new AwsError(
        'ValidationError',
        `1 validation error detected: Value '${body}' at 'templateBody' failed to satisfy constraint: Member must have length less than or equal to ${longestTemplate}`
      )
    }
    return body
  }
  if (optionalBoolean(input, 'UsePreviousTemplate') === true && current !== undefined) return current.text
  if (optionalText(input, 'TemplateURL') !== undefined) {
    throw new AwsError('ValidationError', 'TemplateURL must be a supported URL.')
  }
  throw new AwsError('ValidationError', 'Either Template URL or Template Body must be specified.')
}

export function onFailureIn(input: Input, member: 'OnFailure' | 'OnStackFailure'): OnFailure {
  const choice = optionalText(input, member)
  const disabled = optionalBoolean(input, 'DisableRollback') === true
  if (choice !== undefined && input['DisableRollback'] !== undefined) {
    throw new AwsError(
      'ValidationError',
      `You must specify either DisableRollback or ${member}, but not both.`
    )
  }
  if (choice === 'ROLLBACK' || choice === 'DELETE' || choice === 'DO_NOTHING') return choice
  return disabled ? 'DO_NOTHING' : 'ROLLBACK'
}

/** True when the token was used for this same operation before, so that the call is a repetition. */
export function repeats(stack: Stack, input: Input, operation: string): boolean {
  const token = optionalText(input, 'ClientRequestToken')
  if (token === undefined) return false
  const used = stack.tokens.get(token)
  if (used === undefined) {
    stack.tokens.set(token, operation)
    return false
  }
  if (used === operation) return true
  throw new AwsError('TokenAlreadyExistsException', `A client request token was used for ${used} already`)
}

/** One page of a listing; the token is the position of the next. */
export function page<T>(
  items: readonly T[],
  input: Input,
  size: number
): { readonly items: readonly T[]; readonly next: { readonly NextToken?: string } } {
  const from = Number(optionalText(input, 'NextToken') ?? 0)
  if (!Number.isInteger(from) || from < 0 || from > items.length) {
    throw new AwsError('ValidationError', 'NextToken is not valid.')
  }
  const to = from + size
  return { items: items.slice(from, to), next: to < items.length ? { NextToken: String(to) } : {} }
}

function givenParameters(input: Input): readonly GivenParameter[] {
  return list(input, 'Parameters').map((parameter) => {
    if (!isRecord(parameter))
      throw new AwsError('ValidationError', 'Parameters holds something that is not a parameter')
    const value = optionalText(parameter, 'ParameterValue')
    return {
      key: text(parameter, 'ParameterKey'),
      ...(value === undefined ? {} : { value }),
      usePreviousValue: optionalBoolean(parameter, 'UsePreviousValue') === true
    }
  })
}
