import type { Graph } from '../engine/graph.js'
import type { Owner } from '../engine/owner.js'
import type { Inspection } from '../engine/resource.js'
import { withoutSecrets } from '../engine/secret-values.js'
import type { AdoptionEntry } from '../report/adoption-entry.js'
import { keptBy } from './owners/kept-by.js'

/** The adoption report, resource by resource, in the graph's order. */
export function adoptionEntries(
  graph: Graph,
  inspections: ReadonlyMap<string, Inspection>
): readonly AdoptionEntry[] {
  return graph.resources.flatMap((resource) => {
    const inspection = inspections.get(resource.id)
    return inspection === undefined ? [] : [entryOf(inspection, keptBy(inspections, inspection))]
  })
}

function entryOf(inspection: Inspection, owner: Owner | undefined): AdoptionEntry {
  const { resource, differences } = inspection
  const { id, title, layer } = resource
  return {
    id,
    title,
    layer,
    state: stateOf(inspection, owner),
    ...(owner?.kind === 'other' && { keeper: owner.who }),
    evidence: owner === undefined || owner.kind === 'ours' ? [] : owner.evidence,
    differences: differences.map(withoutSecrets),
    adopt: whatAdoptDoes(inspection, owner)
  }
}

function stateOf({ state }: Inspection, owner: Owner | undefined): AdoptionEntry['state'] {
  switch (state) {
    case 'absent':
      return 'missing'
    case 'unreadable':
      return 'unknown'
    case 'differs':
      return owner?.kind === 'other' ? "somebody else's" : 'different'
    case 'as wanted':
      return owner?.kind === 'other' ? "somebody else's" : 'as wanted'
  }
}

function whatAdoptDoes(
  { state, refusal, differences, unreadable, present }: Inspection,
  owner: Owner | undefined
): string {
  if (refusal !== undefined) return `be refused: ${refusal.message}`
  if (state === 'unreadable') return `be refused: it cannot be read (${unreadable?.missingPermission ?? ''})`
  if (state === 'absent') return 'create it'
  const places = `${differences.length} ${differences.length === 1 ? 'place' : 'places'}`
  if (owner?.kind === 'other') {
    return state === 'differs'
      ? `change it in ${places}, and leave it to ${owner.who}`
      : `use it, and leave it to ${owner.who}`
  }
  // Nothing is there of it, and nothing is to be: a resource of an empty list.
  if (present.length === 0 && state === 'as wanted') return 'leave it'
  return state === 'differs' ? `take it over, and change it in ${places}` : 'take it over as it is'
}
