import type { AnyResource } from './resource.js'

/** Resources by id, with their order. Throws when an id stands twice, is not there, or depends on itself in a circle. */
export class Graph {
  readonly resources: readonly AnyResource[]
  readonly #byId: ReadonlyMap<string, AnyResource>

  constructor(resources: readonly AnyResource[]) {
    this.#byId = new Map(resources.map((resource) => [resource.id, resource]))
    if (this.#byId.size !== resources.length) throw new Error('two resources have the same id')
    this.resources = this.#sorted(resources)
  }

  get(id: string): AnyResource {
    const found = this.#byId.get(id)
    if (found === undefined) throw new Error(`no resource ${id} in the model`)
    return found
  }

  /** What a person calls the resource; other ids, those of stages, are their own names. */
  titleOf(id: string): string {
    return this.#byId.get(id)?.title ?? id
  }

  /** Ids of the resources that depend on this one directly. */
  dependants(id: string): readonly string[] {
    return this.resources.filter((resource) => resource.dependsOn.includes(id)).map((resource) => resource.id)
  }

  #sorted(resources: readonly AnyResource[]): AnyResource[] {
    const sorted: AnyResource[] = []
    const state = new Map<string, 'open' | 'done'>()
    const visit = (resource: AnyResource, path: readonly string[]): void => {
      const seen = state.get(resource.id)
      if (seen === 'done') return
      if (seen === 'open')
        throw new Error(`resources depend on each other: ${[...path, resource.id].join(' -> ')}`)
      state.set(resource.id, 'open')
      for (const id of resource.dependsOn) visit(this.get(id), [...path, resource.id])
      state.set(resource.id, 'done')
      sorted.push(resource)
    }
    for (const resource of resources) visit(resource, [])
    return sorted
  }
}
