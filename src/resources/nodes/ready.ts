import { UserError } from '../../engine/errors.js'
import type { Step } from '../../engine/resource.js'
import { describe, failing, holds, type Condition } from '../../kubernetes/conditions.js'
import type { Kind } from '../../kubernetes/kinds.js'
import { field, type Manifest } from '../../kubernetes/manifest.js'
import { decided } from '../../kubernetes/view.js'
import type { AwaitByName } from '../../kubernetes/waits-together.js'

/** Milliseconds that a condition may be False before it is the error: right after an install IAM and tags still settle. */
const patience = 45_000
/** A controller that works says something about a new object within seconds. */
const silence = 180_000

/** An object of Karpenter's that is awaited. */
export interface Awaited {
  readonly kind: Kind<Manifest>
  readonly name: string
  /** As it was seen last, by who wrote it as well; when it is Ready, that saves every request. */
  readonly known: Manifest | undefined
  /** What a condition that stays False asks for. */
  readonly fix: (conditions: readonly Condition[]) => string
  /** Called with the object whenever it is not Ready, one call at a time. */
  readonly seen?: (object: Manifest) => Promise<void>
}

/** What is followed may lag behind a write, and be Ready as it was before that. */
function isBefore(followed: Manifest, known: Manifest | undefined): boolean {
  const [now, then] = [followed, known].map((one) => field(one, 'metadata', 'generation'))
  const isSame = field(followed, 'metadata', 'uid') === field(known, 'metadata', 'uid')
  return isSame && typeof now === 'number' && typeof then === 'number' && now < then
}

/** Waits until it is Ready; the object then. A condition that stays False is the error. */
export async function awaitReady(byName: AwaitByName, awaited: Awaited, step: Step): Promise<Manifest> {
  const { kind, name, known, fix, seen = async () => undefined } = awaited
  const title = `${kind.kind} ${name}`
  if (known !== undefined && holds(known, 'Ready')) return known
  const started = step.now()
  let failingSince: number | undefined
  let reaction: { readonly error: unknown } | 'running' | undefined
  try {
    return await byName(name, step.signal, (followed) => {
      const object = followed !== undefined && isBefore(followed, known) ? undefined : followed
      if (object !== undefined && holds(object, 'Ready')) return decided(object)
      if (typeof reaction === 'object') throw reaction.error
      const wrong = object === undefined ? [] : failing(object)
      const first = wrong[0]
      step.waiting(first === undefined ? `${title} to be Ready` : `${title}: ${describe(first)}`)
      if (object !== undefined && reaction === undefined) {
        reaction = 'running'
        seen(object).then(
          () => (reaction = undefined),
          (error: unknown) => (reaction = { error })
        )
      }
      if (first === undefined) {
        failingSince = undefined
        if (step.now() - started < silence) return undefined
        throw new UserError(
          title,
          object === undefined
            ? 'was deleted while it was awaited'
            : `Karpenter has said nothing about it for ${silence / 1000} s`,
          'Look at the controller: kubectl logs -l app.kubernetes.io/name=karpenter -A'
        )
      }
      failingSince ??= step.now()
      if (step.now() - failingSince >= patience) {
        const causes = wrong.filter((one) => one.type !== 'Ready' || wrong.length === 1)
        throw new UserError(title, `is not Ready: ${causes.map(describe).join('; ')}`, fix(wrong))
      }
      return undefined
    })
  } finally {
    step.waiting(undefined)
  }
}
