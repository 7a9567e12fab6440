import { AwsError } from '../service.js'
import { isJsonList, isJsonObject, sameJson, type Json, type JsonObject } from './json.js'

/** What a template's functions can look up. */
export interface Scope {
  /** Value of a parameter or pseudo parameter; undefined when there is none of that name. */
  parameter(name: string): Json | undefined
  readonly mappings: JsonObject
  readonly conditions: JsonObject
  /** What `Ref` of a resource gives. */
  reference(logicalId: string): Json
  attribute(logicalId: string, name: string): Json
}

function invalid(message: string): AwsError {
  return new AwsError('ValidationError', `Template error: ${message}`)
}

/** `value` with its functions worked out. Undefined is AWS::NoValue: the member is left out. */
export function evaluate(value: Json, scope: Scope): Json | undefined {
  if (isJsonList(value))
    return value.map((item) => evaluate(item, scope)).filter((item) => item !== undefined)
  if (!isJsonObject(value)) return value
  const call = functionCall(value)
  if (call !== undefined) return evaluateCall(call.name, call.argument, scope)
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, member]) => {
      const result = evaluate(member, scope)
      return result === undefined ? [] : [[key, result]]
    })
  )
}

/** Is the condition of this name true? */
export function conditionHolds(name: string, scope: Scope): boolean {
  const condition = scope.conditions[name]
  if (condition === undefined)
    throw invalid(`unresolved condition dependency ${name} in the Conditions block of the template`)
  return truth(condition, scope)
}

/** A name of a parameter or resource, and for resources the attribute that is wanted of it. */
export interface Reference {
  readonly name: string
  readonly attribute?: string
}

/** All that `value` refers to by Ref, Fn::GetAtt and Fn::Sub. */
export function references(value: Json): readonly Reference[] {
  if (isJsonList(value)) return value.flatMap(references)
  if (!isJsonObject(value)) return []
  const call = functionCall(value)
  if (call?.name === 'Ref' && typeof call.argument === 'string') return [{ name: call.argument }]
  if (call?.name === 'Fn::GetAtt') {
    const [name, attribute] = attributePath(call.argument)
    return [{ name, attribute }]
  }
  if (call?.name === 'Fn::Sub') {
    const { text, variables } = substitution(call.argument)
    const named = placeholders(text)
      .filter((name) => !Object.hasOwn(variables, name))
      .map(dotted)
    return [...named, ...Object.values(variables).flatMap(references)]
  }
  return Object.values(value).flatMap(references)
}

function functionCall(value: JsonObject): { readonly name: string; readonly argument: Json } | undefined {
  const entries = Object.entries(value)
  const [entry] = entries
  if (entries.length !== 1 || entry === undefined) return undefined
  const [name, argument] = entry
  return name === 'Ref' || name.startsWith('Fn::') ? { name, argument } : undefined
}

function evaluateCall(name: string, argument: Json, scope: Scope): Json | undefined {
  switch (name) {
    case 'Ref':
      return reference(argument, scope)
    case 'Fn::GetAtt':
      return scope.attribute(...attributePath(argument))
    case 'Fn::Sub':
      return substitute(argument, scope)
    case 'Fn::Join': {
      const [delimiter, items] = list(name, argument, 2)
      const parts = evaluate(items ?? [], scope)
      if (typeof delimiter !== 'string' || !isJsonList(parts)) throw misused(name)
      return parts.map((part) => text(name, part)).join(delimiter)
    }
    case 'Fn::Select': {
      const [position, items] = list(name, argument, 2)
      const chosen = Number(evaluate(position ?? null, scope))
      const from = evaluate(items ?? [], scope)
      if (!isJsonList(from)) throw misused(name)
      const item = from[chosen]
      if (item === undefined) throw invalid(`Fn::Select cannot select nonexistent value at index ${chosen}`)
      return item
    }
    case 'Fn::Split': {
      const [delimiter, source] = list(name, argument, 2)
      if (typeof delimiter !== 'string') throw misused(name)
      return text(name, evaluate(source ?? null, scope)).split(delimiter)
    }
    case 'Fn::Base64':
      return Buffer.from(text(name, evaluate(argument, scope))).toString('base64')
    case 'Fn::FindInMap': {
      const keys = list(name, argument, 3).map((key) => text(name, evaluate(key, scope)))
      const found = keys.reduce<Json | undefined>(
        (from, key) => (isJsonObject(from) ? from[key] : undefined),
        scope.mappings
      )
      if (found === undefined) throw invalid(`Unable to get mapping for ${keys.join('::')}`)
      return found
    }
    case 'Fn::If': {
      const [condition, yes, no] = list(name, argument, 3)
      if (typeof condition !== 'string') throw misused(name)
      return evaluate((conditionHolds(condition, scope) ? yes : no) ?? null, scope)
    }
    default:
      throw invalid(`encountered unsupported function: ${name}`)
  }
}

function reference(argument: Json, scope: Scope): Json | undefined {
  if (typeof argument !== 'string') throw invalid('every Ref object must have a single String value.')
  if (argument === 'AWS::NoValue') return undefined
  return scope.parameter(argument) ?? scope.reference(argument)
}

function substitute(argument: Json, scope: Scope): string {
  const { text: source, variables } = substitution(argument)
  return source.replace(placeholder, (_whole, name: string) => {
    if (name.startsWith('!')) return `\${${name.slice(1)}}`
    const variable = Object.hasOwn(variables, name) ? variables[name] : undefined
    if (variable !== undefined) return text('Fn::Sub', evaluate(variable, scope))
    const { name: from, attribute } = dotted(name)
    if (attribute !== undefined) return text('Fn::Sub', scope.attribute(from, attribute))
    return text('Fn::Sub', scope.parameter(from) ?? scope.reference(from))
  })
}

const placeholder = /\$\{([^}]*)\}/g

function placeholders(source: string): readonly string[] {
  return [...source.matchAll(placeholder)].flatMap(([, name]) =>
    name === undefined || name.startsWith('!') ? [] : [name.trim()]
  )
}

function dotted(name: string): Reference {
  const dot = name.indexOf('.')
  return dot < 0 ? { name } : { name: name.slice(0, dot), attribute: name.slice(dot + 1) }
}

function substitution(argument: Json): { readonly text: string; readonly variables: JsonObject } {
  if (typeof argument === 'string') return { text: argument, variables: {} }
  if (isJsonList(argument)) {
    const [source, variables] = argument
    if (typeof source === 'string' && isJsonObject(variables) && argument.length === 2)
      return { text: source, variables }
  }
  throw invalid(
    "One or more Fn::Sub intrinsic functions don't specify expected arguments. Specify a string as first argument, and an optional second argument to specify a mapping of values to replace in the string"
  )
}

function attributePath(argument: Json): [string, string] {
  if (typeof argument === 'string') {
    const { name, attribute } = dotted(argument)
    if (attribute !== undefined) return [name, attribute]
  }
  if (isJsonList(argument)) {
    const [name, attribute] = argument
    if (typeof name === 'string' && typeof attribute === 'string' && argument.length === 2)
      return [name, attribute]
  }
  throw invalid(
    'every Fn::GetAtt object requires two non-empty parameters, the resource name and the resource attribute'
  )
}

function truth(condition: Json, scope: Scope): boolean {
  if (isJsonObject(condition)) {
    const named = condition['Condition']
    if (typeof named === 'string') return conditionHolds(named, scope)
    const call = functionCall(condition)
    if (call?.name === 'Fn::Equals') {
      const [one, other] = list(call.name, call.argument, 2).map((side) => evaluate(side, scope))
      return sameJson(one, other)
    }
    if (call?.name === 'Fn::Not') return !list(call.name, call.argument, 1).every((one) => truth(one, scope))
    if (call?.name === 'Fn::And' && isJsonList(call.argument))
      return call.argument.every((one) => truth(one, scope))
    if (call?.name === 'Fn::Or' && isJsonList(call.argument))
      return call.argument.some((one) => truth(one, scope))
  }
  throw new AwsError(
    'ValidationError',
    'Template format error: Every Condition must be a function of conditions.'
  )
}

function list(name: string, argument: Json, length: number): readonly Json[] {
  if (!isJsonList(argument) || argument.length !== length) throw misused(name)
  return argument
}

function text(name: string, value: Json | undefined): string {
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  throw misused(name)
}

function misused(name: string): AwsError {
  return invalid(`every ${name} object must have the parameters that its definition asks for.`)
}
