import type { Owner } from '../../engine/owner.js'
import type { Inspection } from '../../engine/resource.js'

/**
 * Whose a resource is: by itself, or by what it is part of. Roles, policies and rules bear no mark of their stack, and who
 * keeps the stack keeps them.
 */
export function keptBy(
  inspections: ReadonlyMap<string, Inspection>,
  { resource: { partOf }, present, owner }: Inspection
): Owner | undefined {
  const whole = partOf === undefined ? undefined : inspections.get(partOf)
  if (owner?.kind === 'other' || present.length === 0 || whole?.owner?.kind !== 'other') return owner
  return { kind: 'other', who: whole.owner.who, evidence: [`part of ${whole.resource.title}`] }
}
