import type { Made } from './handler.js'
import { sameJson } from './json.js'
import {
  activeResources,
  dependenciesOf,
  outputsOf,
  resolvedProperties,
  resourceTags,
  scopeOf,
  type Lookup,
  type Surroundings
} from './resolution.js'
import {
  createResource,
  removeResource,
  updateResource,
  type Operation,
  type Wanted
} from './resource-steps.js'
import { enter, type Definition, type StackResource } from './stack.js'
import type { ResourceDeclaration } from './template.js'
import { reversed, walk } from './walk.js'

type Standing = StackResource & { readonly made: Made }

function standing(resource: StackResource | undefined): resource is Standing {
  return resource?.made !== undefined
}

/** Makes all that the definition holds; on a failure removes what was made, as far as the stack's choice allows. */
export async function createStack(
  operation: Operation,
  definition: Definition,
  around: Surroundings
): Promise<void> {
  const { stack, token } = operation
  say(operation, 'CREATE_IN_PROGRESS', 'User Initiated')
  stack.definition = definition
  const made = new Map<string, StackResource>()
  stack.resources = made
  const failed = await apply(operation, definition, around, { now: made, before: new Map() })
  if (failed.length === 0) {
    stack.outputs = outputsOf(definition, scopeOf(definition, around, lookupIn(made)))
    say(operation, 'CREATE_COMPLETE')
    return
  }
  const reason = `The following resource(s) failed to create: [${failed.join(', ')}]. `
  if (stack.onFailure === 'DO_NOTHING') {
    say(operation, 'CREATE_FAILED', reason)
    return
  }
  if (stack.onFailure === 'DELETE') {
    say(operation, 'CREATE_FAILED', `${reason}Delete requested by user.`)
    await deleteStack(operation, [])
    return
  }
  say(operation, 'ROLLBACK_IN_PROGRESS', `${reason}Rollback requested by user.`)
  const kept = await removeAll(operation, [...made.values()], (resource) =>
    made.set(resource.logicalId, resource)
  )
  if (kept.length === 0) enter(stack, 'ROLLBACK_COMPLETE', operation.clock.now(), undefined, token)
  else say(operation, 'ROLLBACK_FAILED', `The following resource(s) failed to delete: [${kept.join(', ')}]. `)
}

/** Brings the stack to the definition; on a failure brings it back to what it was. */
export async function updateStack(
  operation: Operation,
  definition: Definition,
  around: Surroundings
): Promise<void> {
  const { stack } = operation
  const before = stack.resources
  const was = stack.definition
  stack.updatedAt = operation.clock.now()
  say(operation, 'UPDATE_IN_PROGRESS', 'User Initiated')
  const now = new Map<string, StackResource>()
  const shown = new Map(before)
  stack.resources = shown
  const failed = await apply(operation, definition, around, {
    now,
    before,
    show: (resource) => shown.set(resource.logicalId, resource)
  })
  if (failed.length === 0) {
    stack.definition = definition
    stack.outputs = outputsOf(definition, scopeOf(definition, around, lookupIn(now)))
    say(operation, 'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS')
    const superseded = [...before.values()].filter((old) => standing(old) && !standsIn(now, old))
    const left = await cleanUp(operation, superseded)
    stack.resources = now
    say(
      operation,
      'UPDATE_COMPLETE',
      left > 0 ? 'Update successful. One or more resources could not be deleted.' : undefined
    )
    return
  }
  say(
    operation,
    'UPDATE_ROLLBACK_IN_PROGRESS',
    `The following resource(s) failed to update: [${failed.join(', ')}]. `
  )
  const restored = new Map(before)
  const stuck = await restore(operation, before, now, restored)
  stack.resources = restored
  if (was !== undefined) stack.definition = was
  if (stuck.length > 0) {
    say(
      operation,
      'UPDATE_ROLLBACK_FAILED',
      `The following resource(s) failed to update: [${stuck.join(', ')}]. `
    )
    return
  }
  say(operation, 'UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS')
  const added = [...now.values()].filter((one) => standing(one) && !standsIn(before, one))
  await removeAll(operation, added, () => undefined)
  say(operation, 'UPDATE_ROLLBACK_COMPLETE')
}

/**
 * Tries three times; what cannot be removed then stays in AWS and is no longer the stack's (CloudFormation User Guide,
 * "Resource removed from stack but not deleted"). Answers how many those are.
 */
async function cleanUp(operation: Operation, superseded: readonly StackResource[]): Promise<number> {
  let left = superseded
  for (let attempt = 1; attempt <= 3 && left.length > 0; attempt++) {
    const failed = await removeAll(operation, left, () => undefined)
    left = left.filter(({ logicalId }) => failed.includes(logicalId))
  }
  return left.length
}

/** Removes all; `retain` are logical ids to be left where they are. */
export async function deleteStack(operation: Operation, retain: readonly string[]): Promise<void> {
  const { stack, clock } = operation
  say(operation, 'DELETE_IN_PROGRESS', 'User Initiated')
  const left = new Map(stack.resources)
  stack.resources = left
  const gone = (resource: StackResource): void => {
    left.set(resource.logicalId, resource)
  }
  const standingOnes = [...left.values()].filter(({ status }) => status !== 'DELETE_COMPLETE')
  const failed = await removeAll(operation, standingOnes, gone, retain)
  if (failed.length > 0) {
    say(operation, 'DELETE_FAILED', `The following resource(s) failed to delete: [${failed.join(', ')}]. `)
    return
  }
  stack.deletedAt = clock.now()
  stack.outputs = []
  say(operation, 'DELETE_COMPLETE')
}

interface Change {
  /** Filled with what stands. */
  readonly now: Map<string, StackResource>
  readonly before: ReadonlyMap<string, StackResource>
  readonly show?: (resource: StackResource) => void
}

/** Creates, updates and replaces until the definition stands. Answers the logical ids that failed. */
async function apply(
  operation: Operation,
  definition: Definition,
  around: Surroundings,
  { now, before, show }: Change
): Promise<readonly string[]> {
  const scope = scopeOf(definition, around, lookupIn(now))
  const note = (resource: StackResource): void => {
    now.set(resource.logicalId, resource)
    show?.(resource)
  }
  const active = activeResources(definition, scope)
  const failed: string[] = []
  const needs = (id: string): readonly string[] => {
    const declaration = active.get(id)
    return declaration === undefined ? [] : dependenciesOf(declaration, active)
  }
  await walk([...active.keys()], needs, async (id) => {
    const declaration = active.get(id)
    if (declaration === undefined || failed.length > 0) return false
    const wanted = wantedResource(operation, definition, id, {
      declaration,
      properties: resolvedProperties(declaration, scope),
      dependsOn: needs(id)
    })
    const done = await reach(operation, wanted, before.get(id), note, () => failed.length > 0)
    if (!done) failed.push(id)
    return done
  })
  return failed
}

async function reach(
  operation: Operation,
  wanted: Wanted,
  old: StackResource | undefined,
  note: (resource: StackResource) => void,
  stopped: () => boolean
): Promise<boolean> {
  if (!standing(old) || old.type !== wanted.type.name) return createResource(operation, wanted, note, stopped)
  if (sameJson(old.properties, wanted.properties) && sameTags(old, wanted)) {
    note({ ...old, dependsOn: wanted.dependsOn, retained: wanted.retained })
    return true
  }
  const replaced = [...wanted.type.createOnly].some(
    (key) => !sameJson(old.properties[key], wanted.properties[key])
  )
  return replaced
    ? createResource(operation, wanted, note, stopped)
    : updateResource(operation, wanted, old, note)
}

/** Sets back what was changed in place. Answers what could not be. */
async function restore(
  operation: Operation,
  before: ReadonlyMap<string, StackResource>,
  now: ReadonlyMap<string, StackResource>,
  restored: Map<string, StackResource>
): Promise<readonly string[]> {
  const stuck: string[] = []
  for (const [id, changed] of now) {
    const old = before.get(id)
    const type = operation.types.get(changed.type)
    if (!standing(old) || !standing(changed) || type === undefined || !standsIn(before, changed)) continue
    if (sameJson(old.properties, changed.properties) && sameTags(old, changed)) continue
    const { properties, tags, dependsOn, retained } = old
    const done = await updateResource(
      operation,
      { logicalId: id, type, properties, tags, dependsOn, retained },
      changed,
      (resource) => restored.set(id, resource)
    )
    if (!done) stuck.push(id)
  }
  return stuck
}

/** Removes what depends on others first. Answers the logical ids that could not be removed. */
async function removeAll(
  operation: Operation,
  resources: readonly StackResource[],
  note: (resource: StackResource) => void,
  retain: readonly string[] = []
): Promise<readonly string[]> {
  const byId = new Map(resources.map((resource) => [resource.logicalId, resource]))
  const ids = [...byId.keys()]
  const failed: string[] = []
  const after = reversed(ids, (id) => byId.get(id)?.dependsOn ?? [])
  await walk(ids, after, async (id) => {
    const resource = byId.get(id)
    if (resource === undefined) return true
    const left = resource.retained || retain.includes(id)
    const done = await removeResource(operation, resource, note, left)
    if (!done) failed.push(id)
    return done
  })
  return failed
}

function wantedResource(
  { types }: Operation,
  definition: Definition,
  logicalId: string,
  {
    declaration,
    properties,
    dependsOn
  }: { readonly declaration: ResourceDeclaration } & Pick<Wanted, 'properties' | 'dependsOn'>
): Wanted {
  const type = types.get(declaration.type)
  if (type === undefined)
    throw new Error(`${declaration.type} of ${logicalId} was not refused with the template`)
  return {
    logicalId,
    type,
    properties,
    tags: resourceTags(type, properties, definition.tags),
    dependsOn,
    retained: declaration.deletionPolicy === 'Retain'
  }
}

function lookupIn(resources: ReadonlyMap<string, StackResource>): Lookup {
  return (id) => resources.get(id)?.made
}

function standsIn(resources: ReadonlyMap<string, StackResource>, resource: StackResource): boolean {
  return resources.get(resource.logicalId)?.made?.physicalId === resource.made?.physicalId
}

function sameTags(one: Pick<StackResource, 'tags'>, other: Pick<StackResource, 'tags'>): boolean {
  const written = (tags: StackResource['tags']): string =>
    JSON.stringify(tags.map(({ Key, Value }) => [Key, Value]).toSorted())
  return written(one.tags) === written(other.tags)
}

function say({ stack, clock, token }: Operation, status: string, reason?: string): void {
  enter(stack, status, clock.now(), reason, token)
}
