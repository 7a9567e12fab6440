import { AwsError } from './service.js'

/** Readers of a call's input: the query protocol brings text where the JSON protocols bring numbers and lists. */
export type Input = Readonly<Record<string, unknown>>

export interface Tag {
  readonly Key: string
  readonly Value: string
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function optionalText(input: Input, name: string): string | undefined {
  const value = input[name]
  return typeof value === 'string' ? value : undefined
}

export function text(input: Input, name: string): string {
  const value = optionalText(input, name)
  if (value === undefined || value === '') {
    throw new AwsError(
      'ValidationError',
      `1 validation error detected: Value null at '${decapitalised(name)}' failed to satisfy constraint: Member must not be null`
    )
  }
  return value
}

export function optionalInteger(input: Input, name: string): number | undefined {
  const value = input[name]
  if (value === undefined || value === '' || value === null) return undefined
  const number = typeof value === 'string' || typeof value === 'number' ? Number(value) : NaN
  if (!Number.isInteger(number)) throw new AwsError('MalformedInput', `${name} must be an integer`)
  return number
}

export function optionalBoolean(input: Input, name: string): boolean | undefined {
  const value = input[name]
  if (typeof value === 'boolean') return value
  if (value === 'true') return true
  if (value === 'false') return false
  return undefined
}

/** Absent and empty are the same. */
export function list(input: Input, name: string): readonly unknown[] {
  const value = input[name]
  return Array.isArray(value) ? value : []
}

export function texts(input: Input, name: string): readonly string[] {
  return list(input, name).filter((item) => typeof item === 'string')
}

/** IAM's tags: a list of Key and Value. */
export function tagList(input: Input, name = 'Tags'): readonly Tag[] {
  return list(input, name).map((item) => {
    if (!isRecord(item)) throw new AwsError('ValidationError', `${name} holds something that is not a tag`)
    return { Key: text(item, 'Key'), Value: optionalText(item, 'Value') ?? '' }
  })
}

/** EKS's tags: a map. */
export function textMap(input: Input, name: string): Readonly<Record<string, string>> {
  const value = input[name]
  if (!isRecord(value)) return {}
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, item]) => (typeof item === 'string' ? [[key, item]] : []))
  )
}

function decapitalised(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1)
}
