import { canonical, isMap, type JsonMap } from '../engine/json.js'

/** Stands where a value is known only once the stack is made. */
export const unknownValue = '(known once the stack is made)'

/** What functions can look up. */
export interface TemplateScope {
  /** Parameter, pseudo parameter, or what `Ref` of a resource gives; undefined when nothing has that name. */
  reference(name: string): unknown
  attribute(logicalId: string, name: string): unknown
  readonly mappings: JsonMap
  readonly conditions: JsonMap
}

/** Marks AWS::NoValue: the member is left out. */
export const noValue = Symbol('AWS::NoValue')

/**
 * A template's value with its functions worked out: Ref, Sub, GetAtt, Join, Select, Split, If, FindInMap and those of
 * conditions. Where CloudFormation alone can know, unknownValue. Throws Error for a name that is nowhere declared.
 */
export function evaluate(value: unknown, scope: TemplateScope): unknown {
  if (Array.isArray(value))
    return value.map((item) => evaluate(item, scope)).filter((item) => item !== noValue)
  if (!isMap(value)) return value
  const [only, ...others] = Object.entries(value)
  if (only !== undefined && others.length === 0 && /^(Ref|Fn::\w+)$/.test(only[0]))
    return evaluateCall(only[0], only[1], scope)
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, member]) => [key, evaluate(member, scope)] as const)
      .filter(([, member]) => member !== noValue)
  )
}

function evaluateCall(name: string, argument: unknown, scope: TemplateScope): unknown {
  switch (name) {
    case 'Ref':
      return reference(String(argument), scope)
    case 'Fn::Sub':
      return substitute(argument, scope)
    case 'Fn::GetAtt': {
      const [logicalId, ...attribute] = texts(argument)
      return scope.attribute(logicalId ?? '', attribute.join('.'))
    }
    case 'Fn::Join': {
      const [separator, items] = listOf(argument)
      const values = listOf(evaluate(items, scope))
      return values.includes(unknownValue) ? unknownValue : values.map(String).join(String(separator))
    }
    case 'Fn::Select': {
      const [index, items] = listOf(argument)
      return listOf(evaluate(items, scope))[Number(evaluate(index, scope))] ?? unknownValue
    }
    case 'Fn::Split': {
      const [separator, text] = listOf(argument)
      return String(evaluate(text, scope)).split(String(separator))
    }
    case 'Fn::If': {
      const [condition, yes, no] = listOf(argument)
      return evaluate(holds(String(condition), scope) ? yes : no, scope)
    }
    case 'Fn::FindInMap': {
      const keys = listOf(argument).map((key) => String(evaluate(key, scope)))
      return (
        keys.reduce<unknown>((at, key) => (isMap(at) ? at[key] : undefined), scope.mappings) ?? unknownValue
      )
    }
    default:
      return unknownValue
  }
}

function reference(name: string, scope: TemplateScope): unknown {
  if (name === 'AWS::NoValue') return noValue
  const found = scope.reference(name)
  if (found === undefined) throw new Error(`${name} is neither a parameter nor a resource of the template`)
  return found
}

/** `${Name}`, `${Resource.Attribute}`, `${!Literal}`; a list adds variables of its own. */
function substitute(argument: unknown, scope: TemplateScope): string {
  const [text, own] = Array.isArray(argument) ? listOf(argument) : [argument, undefined]
  const variables = isMap(own) ? own : {}
  return String(text).replaceAll(/\$\{(!?)([^}]+)\}/g, (_all, literal: string, name: string) => {
    if (literal === '!') return `\${${name}}`
    if (name in variables) return String(evaluate(variables[name], scope))
    const [logicalId, ...attribute] = name.split('.')
    return String(
      attribute.length === 0 ? reference(name, scope) : scope.attribute(logicalId ?? '', attribute.join('.'))
    )
  })
}

/** Whether a condition of the template is true. Throws Error for one that is not declared. */
export function holds(name: string, scope: TemplateScope): boolean {
  if (!(name in scope.conditions)) throw new Error(`condition ${name} is not declared in the template`)
  return truth(scope.conditions[name], scope)
}

function truth(condition: unknown, scope: TemplateScope): boolean {
  if (!isMap(condition)) return condition === true || condition === 'true'
  const [only] = Object.entries(condition)
  const parts = listOf(only?.[1])
  switch (only?.[0]) {
    case 'Condition':
      return holds(String(only[1]), scope)
    case 'Fn::Equals':
      return canonical(evaluate(parts[0], scope)) === canonical(evaluate(parts[1], scope))
    case 'Fn::And':
      return parts.every((part) => truth(part, scope))
    case 'Fn::Or':
      return parts.some((part) => truth(part, scope))
    case 'Fn::Not':
      return !truth(parts[0], scope)
    default:
      return false
  }
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : value === undefined ? [] : [value]
}

function texts(value: unknown): string[] {
  return typeof value === 'string' ? value.split('.') : listOf(value).map(String)
}
