import type { Graph } from './graph.js'
import type { InstallRecord } from './record.js'
import type { AnyResource, Inspection } from './resource.js'
import type { Claim } from './standing.js'

/** What a removal goes by, for each resource by its id. `inspections`: from before its first write. */
export function claimsOf(
  graph: Graph,
  by: { readonly record: InstallRecord | undefined; readonly removeAdopted: boolean },
  inspections: ReadonlyMap<string, Inspection>
): ReadonlyMap<string, Claim> {
  const claims = new Map<string, Claim>()
  // A whole comes before its parts, which depend on it.
  for (const resource of graph.resources) {
    claims.set(resource.id, {
      recorded: by.record?.resources[resource.id],
      removeAdopted: by.removeAdopted,
      whole: wholeIn(resource, inspections, claims)
    })
  }
  return claims
}

function wholeIn(
  { partOf, goesWith }: AnyResource,
  inspections: ReadonlyMap<string, Inspection>,
  claims: ReadonlyMap<string, Claim>
): Claim['whole'] {
  const id = partOf ?? goesWith
  const whole = id === undefined ? undefined : inspections.get(id)
  const claim = id === undefined ? undefined : claims.get(id)
  if (whole === undefined || claim === undefined) return undefined
  const judged = whole.judged(claim)
  const first = judged.find(({ stays }) => stays !== undefined) ?? judged[0]
  if (first === undefined) return undefined
  return { title: whole.resource.title, standing: first.standing, stays: first.stays }
}
