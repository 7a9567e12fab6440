import type { Tag } from '../input.js'
import { AwsError } from '../service.js'

/** Names and paths as IAM checks them, with its messages. */
export function checkName(field: string, name: string, longest: number): string {
  if (name.length > longest) {
    throw new AwsError(
      'ValidationError',
      `1 validation error detected: Value '${name}' at '${field}' failed to satisfy constraint: Member must have length less than or equal to ${longest}`
    )
  }
  if (!/^[\w+=,.@-]+$/.test(name)) {
    throw new AwsError(
      'ValidationError',
      `The specified value for ${field} is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-`
    )
  }
  return name
}

export function checkPath(path: string): string {
  if (!/^(\/|\/[\u0021-\u007e]+\/)$/.test(path) || path.length > 512) {
    throw new AwsError(
      'ValidationError',
      'The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.'
    )
  }
  return path
}

export function checkTags(tags: readonly Tag[]): readonly Tag[] {
  const keys = new Set(tags.map((tag) => tag.Key.toLowerCase()))
  if (keys.size !== tags.length) {
    throw new AwsError(
      'InvalidInput',
      'Duplicate tag keys found. Please note that Tag keys are case insensitive.'
    )
  }
  if (tags.length > 50)
    throw new AwsError('LimitExceeded', 'The number of tags has reached the maximum limit.', 409)
  for (const tag of tags) {
    if (tag.Key.length > 128 || !/^[\p{L}\p{Z}\p{N}_.:/=+\-@]+$/u.test(tag.Key)) {
      throw new AwsError(
        'ValidationError',
        `1 validation error detected: Value '${tag.Key}' at 'tags.1.member.key' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]+`
      )
    }
    if (tag.Key.toLowerCase().startsWith('aws:')) {
      throw new AwsError(
        'InvalidInput',
        'Invalid tag key. Tag keys that begin with aws: are reserved for system use.'
      )
    }
  }
  return tags
}

/** Tags already there, with `added` over them. */
export function mergedTags(tags: readonly Tag[], added: readonly Tag[]): readonly Tag[] {
  const names = new Set(added.map((tag) => tag.Key))
  return checkTags([...tags.filter((tag) => !names.has(tag.Key)), ...checkTags(added)])
}

export function withoutTags(tags: readonly Tag[], keys: readonly string[]): readonly Tag[] {
  return tags.filter((tag) => !keys.includes(tag.Key))
}
