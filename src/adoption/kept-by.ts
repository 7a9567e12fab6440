import type { Owner } from '../engine/owner.js'
import type { Inspection } from '../engine/resource.js'

/** Ids of the parts of the published stack. */
const ofStack = /^(policy\/|role\/|rule\/|queue$)/

/**
 * Whose a resource is: by itself, or by the stack that it is part of. Roles, policies and rules bear no mark of their
 * stack, and who keeps the stack keeps them.
 */
export function keptBy(
  inspections: ReadonlyMap<string, Inspection>,
  { resource: { id }, state, owner }: Inspection
): Owner | undefined {
  const stack = inspections.get('stack')
  const there = state === 'as wanted' || state === 'differs'
  if (owner?.kind === 'other' || !there || !ofStack.test(id) || stack?.owner?.kind !== 'other') return owner
  return { kind: 'other', who: stack.owner.who, evidence: [`part of ${stack.resource.title}`] }
}
