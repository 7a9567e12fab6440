import type { Graph } from '../engine/graph.js'
import type { InstallRecord } from '../engine/record.js'
import type { RemovalListing } from '../engine/removal-listing.js'
import type { Inspection } from '../engine/resource.js'

/** What is there before a removal, a line a resource; and by what it is known to be ours. */
export function standingLines(
  graph: Graph,
  inspections: ReadonlyMap<string, Inspection>,
  record: InstallRecord | undefined
): readonly string[] {
  const there = graph.resources.toReversed().flatMap(({ id, title }) => {
    const names = inspections.get(id)?.present ?? []
    return names.length === 0
      ? []
      : [names.length === 1 && names[0] === title ? title : `${title}: ${names.join(', ')}`]
  })
  return [
    ...there,
    there.length === 0
      ? 'nothing of an installation is there'
      : `${there.length} of ${graph.resources.length} resources are there`,
    record === undefined
      ? 'no record of an install: only what carries our tags or labels is removed'
      : `removed is what was made since the install on ${record.time}`
  ]
}

/** The proof, for the log. */
export function listingLines({ removed, kept, leftovers }: RemovalListing): readonly string[] {
  return [
    ...kept.map(({ title, reason }) => `kept ${title}: ${reason}`),
    ...leftovers.map(({ name, reason }) => `left over: ${name}: ${reason}`),
    leftovers.length > 0
      ? `${leftovers.length} leftovers`
      : removed.length === 0
        ? 'nothing to remove: nothing of ours was there'
        : `nothing of ours is left: ${removed.length} resources were removed and read as gone`
  ]
}
