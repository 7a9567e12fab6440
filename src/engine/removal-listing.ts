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

/** A resource with all that is known of its removal. */
interface Listed {
  readonly resource: AnyResource
  readonly removal: RemovalOutcome['removal']
  readonly after: Inspection | undefined
  /** What is there of it and was not to be spared; the title where it cannot be read. */
  readonly standing: readonly string[]
  /** Why that is meant to stay; undefined: it is not. */
  readonly why: string | undefined
}

/** `afterwards`: inspections made when the removal was over. */
export function listingOf(
  graph: Graph,
  outcomes: readonly RemovalOutcome[],
  afterwards: ReadonlyMap<string, Inspection>
): RemovalListing {
  const removals = new Map(outcomes.map(({ id, removal }) => [id, removal]))
  // In the order of the removal: what went first stands first.
  const listed = graph.resources.toReversed().map((resource): Listed => {
    const removal = removals.get(resource.id) ?? { outcome: 'not tried' }
    const after = afterwards.get(resource.id)
    const known = after !== undefined && after.state !== 'unreadable'
    const spared = sparedOf(removal)
    const standing = known ? after.left.filter((name) => !spared.includes(name)) : [resource.title]
    return { resource, removal, after, standing, why: whyKept(resource, graph, removals) }
  })
  return {
    removed: listed
      .filter(({ removal, standing }) => removal.outcome === 'removed' && standing.length === 0)
      .map(({ resource: { id, title } }) => ({ id, title })),
    kept: listed.flatMap(keptOf),
    leftovers: listed.filter(({ why }) => why === undefined).flatMap(leftoversOf),
    proof: listed.map(({ resource: { title }, after }) => ({ what: title, found: after?.left ?? [] })),
    lagging: listed
      .filter(({ removal, standing }) => removal.outcome === 'removed' && standing.length > 0)
      .map(({ resource }) => resource.id)
  }
}

function sparedOf(removal: RemovalOutcome['removal']): readonly string[] {
  return removal.outcome === 'removed' ? (removal.spared ?? []) : []
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

function keptOf({ resource: { id, title }, removal, standing, why }: Listed): RemovalListing['kept'] {
  if (why !== undefined) return standing.length === 0 ? [] : [{ id, title, reason: why }]
  const spared = sparedOf(removal)
  return spared.length === 0 ? [] : [{ id, title, reason: `there before us: ${spared.join(', ')}` }]
}

function leftoversOf({ resource: { layer, title }, removal, after, standing }: Listed): readonly Leftover[] {
  const unreadable = after?.unreadable
  const reason =
    unreadable === undefined
      ? reasonOf(removal, title)
      : `could not be read, so nobody knows: ${unreadable.reason}`
  return standing.map((name) => ({ kind: layer, name, reason }))
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
