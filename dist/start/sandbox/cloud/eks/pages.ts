import { type Input, optionalInteger, optionalText } from '../input.js'
import { AwsError } from '../service.js'

/** One page of a listing: maxResults and nextToken in, nextToken out. */
export function page(
  input: Input,
  name: string,
  items: readonly unknown[]
): Readonly<Record<string, unknown>> {
  const size = optionalInteger(input, 'maxResults') ?? 100
  if (size < 1 || size > 100) throw invalidParameter('maxResults needs to be between 1 and 100.')
  const start = startOf(optionalText(input, 'nextToken'))
  const more = start + size < items.length
  return {
    [name]: items.slice(start, start + size),
    ...(more ? { nextToken: Buffer.from(`from:${start + size}`).toString('base64url') } : {})
  }
}

function startOf(token: string | undefined): number {
  if (token === undefined || token === '') return 0
  const from = /^from:(\d+)$/.exec(Buffer.from(token, 'base64url').toString())?.[1]
  if (from === undefined) throw invalidParameter('The nextToken is invalid.')
  return Number(from)
}

export function invalidParameter(message: string): AwsError {
  return new AwsError('InvalidParameterException', message, 400)
}

export function invalidRequest(message: string): AwsError {
  return new AwsError('InvalidRequestException', message, 400)
}

/** A text that EKS requires. */
export function required(input: Input, name: string): string {
  const value = optionalText(input, name)
  if (value === undefined || value === '') throw invalidParameter(`The ${name} is required.`)
  return value
}
