import { messageOf } from './errors.js'
import type { Graph } from './graph.js'
import type { AnyResource, Inspection, Layer } from './resource.js'
import { type Claim, type Judged, reasonsText } from './standing.js'
import type { RemovalOutcome } from './walk.js'

/** What is there and should not be. */
export interface Leftover {
  readonly kind: Layer
  readonly name: string
  readonly reason: string
}

/** What became of a removal, by what was done and by what was read afterwards. */
export interface RemovalListing {
  readonly removed: readonly { readonly id: string; readonly title: string }[]
  readonly kept: readonly { readonly id: string; readonly title: string; readonly reason: string }[]
  /** Empty: nothing of ours is left. */
  readonly leftovers: readonly Leftover[]
  /** Every resource with the names that a read after the fact found of it. */
  readonly proof: readonly { readonly what: string; readonly found: readonly string[] }[]
  /** Ids of what was removed and still shows: AWS's reads lag behind its deletions. */
  readonly lagging: readonly string[]
}

/** A resource with all that is known of its removal. */
interface Listed {
  readonly resource: AnyResource
  readonly removal: RemovalOutcome['removal']
  readonly after: Inspection | undefined
  /** What stands and is meant to. */
  readonly staying: readonly Judged[]
  /** Names of what stands and is not; the title where it cannot be read. */
  readonly left: readonly string[]
}

/**
 * Compares what is there with whose it is: what stands is kept with its reason or left over, and nothing is in neither.
 * `claims`: what the removal went by. `afterwards`: inspections made when it was over.
 */
export function listingOf(
  graph: Graph,
  claims: ReadonlyMap<string, Claim>,
  outcomes: readonly RemovalOutcome[],
  afterwards: ReadonlyMap<string, Inspection>
): RemovalListing {
  const removals = new Map(outcomes.map(({ id, removal }) => [id, removal]))
  // In the order of the removal: what went first stands first.
  const listed = graph.resources.toReversed().map((resource): Listed => {
    const removal = removals.get(resource.id) ?? { outcome: 'not tried' }
    const after = afterwards.get(resource.id)
    if (after === undefined || after.state === 'unreadable')
      return { resource, removal, after, staying: [], left: [resource.title] }
    const standing = after
      .judged(claims.get(resource.id) ?? { removeAdopted: false })
      .map((one) => (removal.outcome === 'kept' ? { ...one, stays: one.stays ?? removal.reason } : one))
    return {
      resource,
      removal,
      after,
      staying: standing.filter(({ stays }) => stays !== undefined),
      left: standing.filter(({ stays }) => stays === undefined).map(({ name }) => name)
    }
  })
  return {
    removed: listed
      .filter(({ removal, left }) => removal.outcome === 'removed' && left.length === 0)
      .map(({ resource: { id, title } }) => ({ id, title })),
    kept: listed
      .filter(({ staying }) => staying.length > 0)
      .map(({ resource: { id, title }, staying }) => ({ id, title, reason: reasonsText(title, staying) })),
    leftovers: listed.flatMap(leftoversOf),
    proof: listed.map(({ resource: { title }, after }) => ({ what: title, found: after?.present ?? [] })),
    lagging: listed
      .filter(({ removal, left }) => removal.outcome === 'removed' && left.length > 0)
      .map(({ resource }) => resource.id)
  }
}

function leftoversOf({ resource: { layer, title }, removal, after, left }: Listed): readonly Leftover[] {
  const unreadable = after?.unreadable
  const reason =
    unreadable === undefined
      ? reasonOf(removal, title)
      : `could not be read, so nobody knows: ${unreadable.reason}`
  return left.map((name) => ({ kind: layer, name, reason }))
}

function reasonOf(removal: RemovalOutcome['removal'], title: string): string {
  switch (removal.outcome) {
    case 'failed':
      // An error begins with the resource, which the leftover's name says already.
      return messageOf(removal.error).replace(`${title}: `, '')
    case 'not tried':
      return 'not tried, because what works with it could not be removed'
    case 'removed':
      return 'was removed and still shows'
    case 'absent':
    case 'kept':
      return 'is there again, or was made by somebody else meanwhile'
  }
}
