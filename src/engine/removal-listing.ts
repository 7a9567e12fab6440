import { messageOf } from './errors.js'
import type { Graph } from './graph.js'
import type { AnyResource, Inspection, Layer } from './resource.js'
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

/** `afterwards`: inspections made when the removal was over. */
export function listingOf(
  graph: Graph,
  outcomes: readonly RemovalOutcome[],
  afterwards: ReadonlyMap<string, Inspection>
): RemovalListing {
  const removals = new Map(outcomes.map(({ id, removal }) => [id, removal]))
  // In the order of the removal: what went first stands first.
  const resources = graph.resources.toReversed()
  const listed = resources.map((resource) => ({
    resource,
    removal: removals.get(resource.id) ?? { outcome: 'not tried' as const },
    after: afterwards.get(resource.id)
  }))
  const left = listed.filter(
    ({ after }) => after === undefined || after.state === 'unreadable' || after.left.length > 0
  )
  const keptBy = (resource: AnyResource): string | undefined => whyKept(resource, graph, removals)
  const standing = left.map((one) => ({ ...one, why: keptBy(one.resource) }))
  return {
    removed: listed
      .filter(({ removal, after }) => removal.outcome === 'removed' && after?.left.length === 0)
      .map(({ resource: { id, title } }) => ({ id, title })),
    kept: standing.flatMap(({ resource: { id, title }, why }) =>
      why === undefined ? [] : [{ id, title, reason: why }]
    ),
    leftovers: standing
      .filter(({ why }) => why === undefined)
      .flatMap(({ resource, removal, after }) => leftoversOf(resource, removal, after)),
    proof: listed.map(({ resource: { title }, after }) => ({ what: title, found: after?.left ?? [] })),
    lagging: standing
      .filter(({ removal, after }) => removal.outcome === 'removed' && (after?.left.length ?? 0) > 0)
      .map(({ resource }) => resource.id)
  }
}

/** A resource stays because it is not ours to remove, or because it is part of something that stays. */
function whyKept(
  resource: AnyResource,
  graph: Graph,
  removals: ReadonlyMap<string, RemovalOutcome['removal']>
): string | undefined {
  const removal = removals.get(resource.id)
  if (removal?.outcome === 'kept') return removal.reason
  if (removal?.outcome !== 'absent') return undefined
  const whole = resource.dependsOn.find((id) => removals.get(id)?.outcome === 'kept')
  return whole === undefined ? undefined : `${graph.titleOf(whole)} was kept`
}

function leftoversOf(
  { title, layer }: AnyResource,
  removal: RemovalOutcome['removal'],
  after: Inspection | undefined
): readonly Leftover[] {
  const unreadable = after?.unreadable
  const names = after === undefined || after.left.length === 0 ? [title] : after.left
  return names.map((name) => ({
    kind: layer,
    name,
    reason:
      unreadable === undefined
        ? reasonOf(removal)
        : `could not be read, so nobody knows: ${unreadable.reason}`
  }))
}

function reasonOf(removal: RemovalOutcome['removal']): string {
  switch (removal.outcome) {
    case 'failed':
      return messageOf(removal.error)
    case 'not tried':
      return 'not tried, because what works with it could not be removed'
    case 'removed':
      return 'was removed and still shows'
    case 'absent':
    case 'kept':
      return 'is there again, or was made by somebody else meanwhile'
  }
}
