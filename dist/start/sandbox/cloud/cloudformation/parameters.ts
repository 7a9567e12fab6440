import { AwsError } from '../service.js'
import { isJsonList, type Json } from './json.js'
import type { ParameterDeclaration, Template } from './template.js'

/** A parameter as a call gives it. */
export interface GivenParameter {
  readonly key: string
  readonly value?: string
  readonly usePreviousValue: boolean
}

function invalid(message: string): AwsError {
  return new AwsError('ValidationError', message)
}

/** Every parameter's text: given, kept from the stack's last values, or the default. */
export function parameterValues(
  template: Template,
  given: readonly GivenParameter[],
  previous: ReadonlyMap<string, string>
): ReadonlyMap<string, string> {
  const foreign = given.map(({ key }) => key).filter((key) => !template.parameters.has(key))
  if (foreign.length > 0) throw invalid(`Parameters: [${foreign.join(', ')}] do not exist in the template`)
  const values = new Map<string, string>()
  const missing: string[] = []
  for (const [name, { declaration }] of template.parameters) {
    const own = given.find(({ key }) => key === name)
    const kept = own?.usePreviousValue === true ? previous.get(name) : undefined
    const fallback = declaration['Default']
    const value = own?.value ?? kept ?? (fallback === undefined ? undefined : scalar(fallback))
    if (value === undefined) missing.push(name)
    else values.set(name, value)
  }
  if (missing.length > 0) throw invalid(`Parameters: [${missing.join(', ')}] must have values`)
  for (const [name, declared] of template.parameters) check(name, declared, values.get(name) ?? '')
  return values
}

/** What `Ref` of the parameter gives: a list for the list types. */
export function parameterReference(declared: ParameterDeclaration, value: string): Json {
  if (declared.type === 'CommaDelimitedList' || declared.type.startsWith('List<')) {
    return value.split(',').map((item) => item.trim())
  }
  return value
}

function check(name: string, { type, declaration }: ParameterDeclaration, value: string): void {
  const items = type === 'CommaDelimitedList' || type.startsWith('List<') ? value.split(',') : [value]
  if (
    (type === 'Number' || type === 'List<Number>') &&
    items.some((item) => item.trim() === '' || Number.isNaN(Number(item)))
  ) {
    throw invalid(`Parameter '${name}' must be a number.`)
  }
  const allowed = declaration['AllowedValues']
  if (isJsonList(allowed) && !items.every((item) => allowed.map(scalar).includes(item.trim()))) {
    throw invalid(`Parameter '${name}' must be one of AllowedValues`)
  }
  const explained = declaration['ConstraintDescription']
  const refuse = (rule: string): never => {
    throw invalid(
      typeof explained === 'string'
        ? `Parameter ${name} failed to satisfy constraint: ${explained}`
        : `Parameter '${name}' must ${rule}`
    )
  }
  const pattern = declaration['AllowedPattern']
  if (typeof pattern === 'string' && !new RegExp(`^(?:${pattern})$`).test(value))
    refuse(`match pattern ${pattern}`)
  const bound = (key: string): number | undefined =>
    declaration[key] === undefined ? undefined : Number(declaration[key])
  const [minLength, maxLength, minValue, maxValue] = ['MinLength', 'MaxLength', 'MinValue', 'MaxValue'].map(
    bound
  )
  if (minLength !== undefined && value.length < minLength) {
    refuse(`contain at least ${minLength} characters`)
  }
  if (maxLength !== undefined && value.length > maxLength) {
    refuse(`contain at most ${maxLength} characters`)
  }
  if (type !== 'Number') return
  if (minValue !== undefined && Number(value) < minValue) {
    refuse(`be a number not less than ${minValue}`)
  }
  if (maxValue !== undefined && Number(value) > maxValue) {
    refuse(`be a number not greater than ${maxValue}`)
  }
}

function scalar(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
