import type { ResourceType } from './handler.js'
import { sameJson } from './json.js'
import {
  activeResources,
  knownAfterApply,
  outputsOf,
  resolvedProperties,
  resourceTags,
  scopeOf,
  type Surroundings
} from './resolution.js'
import type { Definition, ResourceChange, Stack, StackResource } from './stack.js'

/** What executing the definition would do to the stack, one entry a resource. */
export function changesTo(
  stack: Pick<Stack, 'resources'>,
  definition: Definition,
  around: Surroundings,
  types: ReadonlyMap<string, ResourceType>
): readonly ResourceChange[] {
  const replaced = new Set<string>()
  // A replacement changes what others refer to, which may replace those too; settled when a round adds none.
  for (;;) {
    const changes = oneRound(stack.resources, definition, around, types, replaced)
    const more = changes.filter(
      ({ logicalId, replacement }) => replacement === 'True' && !replaced.has(logicalId)
    )
    if (more.length === 0) return changes
    for (const { logicalId } of more) replaced.add(logicalId)
  }
}

/** Would the stack's outputs, parameters or description differ though no resource does? */
export function changesBesideResources(stack: Stack, definition: Definition, around: Surroundings): boolean {
  const { definition: current } = stack
  if (current === undefined) return true
  const lookup = (id: string): StackResource['made'] => stack.resources.get(id)?.made
  const outputs = outputsOf(definition, scopeOf(definition, around, lookup))
  return !sameJson(
    outputs.map(({ key, value }) => [key, value]),
    stack.outputs.map(({ key, value }) => [key, value])
  )
}

function oneRound(
  resources: ReadonlyMap<string, StackResource>,
  definition: Definition,
  around: Surroundings,
  types: ReadonlyMap<string, ResourceType>,
  replaced: ReadonlySet<string>
): readonly ResourceChange[] {
  const scope = scopeOf(definition, around, (id) => (replaced.has(id) ? undefined : resources.get(id)?.made))
  const active = activeResources(definition, scope)
  const changes: ResourceChange[] = []
  for (const [logicalId, declaration] of active) {
    const type = types.get(declaration.type)
    const old = resources.get(logicalId)
    if (type === undefined) continue
    if (old?.made === undefined) {
      changes.push({ action: 'Add', logicalId, type: declaration.type, details: [] })
      continue
    }
    const properties = resolvedProperties(declaration, scope)
    const names = new Set([...Object.keys(properties), ...Object.keys(old.properties)])
    const changed = [...names].filter(
      (name) => name !== 'Tags' && !sameJson(properties[name], old.properties[name])
    )
    const tags = resourceTags(type, properties, definition.tags)
    const retagged = !sameJson(tags.map(written).toSorted(), old.tags.map(written).toSorted())
    const otherType = old.type !== declaration.type
    if (changed.length === 0 && !retagged && !otherType) continue
    const recreating = changed.filter((name) => type.createOnly.has(name))
    const certain = recreating.some(
      (name) => !JSON.stringify(properties[name] ?? null).includes(knownAfterApply)
    )
    changes.push({
      action: 'Modify',
      logicalId,
      physicalId: old.made.physicalId,
      type: declaration.type,
      replacement: otherType || certain ? 'True' : recreating.length > 0 ? 'Conditional' : 'False',
      details: [
        ...changed.map((name) => ({
          attribute: 'Properties' as const,
          name,
          recreation: type.createOnly.has(name) ? ('Always' as const) : ('Never' as const)
        })),
        ...(retagged ? [{ attribute: 'Tags' as const, recreation: 'Never' as const }] : [])
      ]
    })
  }
  for (const [logicalId, { made, type }] of resources) {
    if (active.has(logicalId) || made === undefined) continue
    changes.push({ action: 'Remove', logicalId, physicalId: made.physicalId, type, details: [] })
  }
  return changes
}

function written({ Key, Value }: { readonly Key: string; readonly Value: string }): string {
  return `${Key}=${Value}`
}
