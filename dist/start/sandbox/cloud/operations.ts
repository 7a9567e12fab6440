import type { AwsCall, Question } from './service.js'

/** One action of a service: what must be allowed, then what it does. */
export interface Operation {
  questions(call: AwsCall): readonly Question[]
  answer(call: AwsCall): Readonly<Record<string, unknown>> | Promise<Readonly<Record<string, unknown>>>
}

export type Operations = Readonly<Record<string, Operation>>

/** Condition keys of one question. */
export type Context = Readonly<Record<string, string | readonly string[]>>

/** aws:RequestTag and aws:TagKeys, for actions that bring tags; nothing when there are none. */
export function requestTags(tags: readonly { readonly Key: string; readonly Value: string }[]): Context {
  if (tags.length === 0) return {}
  return {
    ...Object.fromEntries(tags.map((tag) => [`aws:RequestTag/${tag.Key}`, tag.Value])),
    'aws:TagKeys': tags.map((tag) => tag.Key)
  }
}

/** aws:ResourceTag and the service's own spelling of it. */
export function resourceTags(
  service: string,
  tags: readonly { readonly Key: string; readonly Value: string }[]
): Context {
  return Object.fromEntries(
    tags.flatMap((tag) => [
      [`aws:ResourceTag/${tag.Key}`, tag.Value],
      [`${service}:ResourceTag/${tag.Key}`, tag.Value]
    ])
  )
}
