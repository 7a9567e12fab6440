import { messageOf } from '../engine/errors.js'
import type { Step } from '../engine/resource.js'
import { awsProblem, codeOf, isNotFound } from './errors.js'
import { poll } from './poll.js'

/**
 * A write to a rule of EventBridge, made again while it collides with another (ConcurrentModificationException, of which
 * @aws-sdk/client-eventbridge says "concurrent modification to a rule, target, archive, or replay"), and while a rule that
 * this run has just put does not show yet. `title` is what errors begin with.
 */
export async function whenRuleIsFree<T>(
  of: { readonly title: string; readonly isNew: boolean },
  step: Step,
  write: () => Promise<T>
): Promise<T> {
  const last: { error: unknown } = { error: undefined }
  const { done } = await poll(
    step,
    {
      what: () => `${of.title}: ${messageOf(last.error)}`,
      timeoutMilliseconds: 60_000,
      firstPauseMilliseconds: 500,
      giveUp: () => awsProblem(of.title, 'could not be written for a minute', last.error, 'Run again.')
    },
    async () => {
      try {
        return { done: await write() }
      } catch (error) {
        const passes = codeOf(error) === 'ConcurrentModification' || (of.isNew && isNotFound(error))
        if (!passes) throw error
        last.error = error
        return undefined
      }
    }
  )
  return done
}

/** What PutTargets and RemoveTargets could not do, which they answer without an error. */
export function throwFailed(
  entries: readonly {
    readonly ErrorCode?: string | undefined
    readonly ErrorMessage?: string | undefined
  }[] = []
): void {
  const [failed] = entries
  if (failed === undefined) return
  const { ErrorCode = '', ErrorMessage = '' } = failed
  throw Object.assign(new Error(`${ErrorCode}: ${ErrorMessage}`), { name: ErrorCode })
}
