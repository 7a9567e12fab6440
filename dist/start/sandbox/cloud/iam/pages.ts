import { type Input, optionalInteger, optionalText } from '../input.js'
import { AwsError } from '../service.js'

/** One page of a listing: Marker and MaxItems in, IsTruncated and Marker out. */
export function page(
  input: Input,
  name: string,
  items: readonly unknown[]
): Readonly<Record<string, unknown>> {
  const size = optionalInteger(input, 'MaxItems') ?? 100
  if (size < 1 || size > 1000) {
    throw new AwsError(
      'ValidationError',
      `1 validation error detected: Value '${size}' at 'maxItems' failed to satisfy constraint: Member must have value less than or equal to 1000`
    )
  }
  const start = startOf(optionalText(input, 'Marker'))
  const end = start + size
  const more = end < items.length
  return {
    [name]: items.slice(start, end),
    IsTruncated: more,
    Marker: more ? Buffer.from(`from:${end}`).toString('base64url') : undefined
  }
}

function startOf(marker: string | undefined): number {
  if (marker === undefined) return 0
  const from = /^from:(\d+)$/.exec(Buffer.from(marker, 'base64url').toString())
  if (from?.[1] === undefined) throw new AwsError('ValidationError', 'Invalid Marker.')
  return Number(from[1])
}
