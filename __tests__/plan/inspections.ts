import { Graph } from '../../src/engine/graph.js'
import type { InstallRecord } from '../../src/engine/record.js'
import type { Inspection } from '../../src/engine/resource.js'
import { textResource } from '../engine/fake-resources.js'

/** What a look at these resources has found, by id. */
export async function lookedAt(
  states: Readonly<Record<string, Inspection['state']>>
): Promise<{ readonly graph: Graph; readonly inspections: ReadonlyMap<string, Inspection> }> {
  const world = new Map<string, string>()
  const resources = Object.entries(states).map(([id, state]) => {
    if (state !== 'absent') world.set(id, state === 'as wanted' ? `wanted ${id}` : 'other')
    return textResource(id, [], world, state === 'unreadable' ? { unreadable: 'it may not be read' } : {})
  })
  const { signal } = new AbortController()
  const inspections = await Promise.all(resources.map(async (one) => one.inspect(signal)))
  return {
    graph: new Graph(resources),
    inspections: new Map(inspections.map((one) => [one.resource.id, one]))
  }
}

/** The record of an install of 1.14.1 that wanted each of these ids as it is wanted now. */
export function recordWith(ids: readonly string[], more: Partial<InstallRecord> = {}): InstallRecord {
  return {
    schema: 1,
    karpenterVersion: '1.14.1',
    kubernetesVersion: '1.35',
    run: 'run',
    time: '2026-11-24T10:00:00.000Z',
    resources: Object.fromEntries(ids.map((id) => [id, { before: [], wanted: `wanted ${id}` }])),
    ...more
  }
}

/** That the caller may not read it. */
export function deniedOf(what: string) {
  return { what, layer: 'kubernetes', missingPermission: 'get it', reason: 'forbidden' } as const
}
