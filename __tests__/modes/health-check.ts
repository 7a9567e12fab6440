import type { Finding } from '../../src/engine/findings.js'
import { isMap } from '../../src/engine/json.js'
import type { Ended, PlayedWorld } from './played-run.js'

export const podPath = '/api/v1/namespaces/karpenter/pods/karpenter-0'
export const longAgo = '2026-11-29T08:00:00Z'

export type Objects = Readonly<Record<string, Record<string, unknown>>>

/** A check while these objects are so; afterwards they are as they were. */
export async function checkWith(
  world: PlayedWorld,
  objects: Objects,
  given: Readonly<Record<string, string>> = {}
): Promise<Ended> {
  const { server } = world
  const before = Object.keys(objects).map((path) => [path, server.at(path)] as const)
  for (const [path, change] of Object.entries(objects)) server.put(path, { ...server.at(path), ...change })
  try {
    const ended = await world.main({ mode: 'check', ...given })
    expect(ended.writes).toEqual({ aws: [], cluster: [] })
    return ended
  } finally {
    for (const [path, object] of before) {
      if (object === undefined) server.remove(path)
      else server.put(path, object)
    }
  }
}

export function findingsOf({ report }: Ended): readonly Partial<Finding>[] {
  const found = report?.['findings']
  return Array.isArray(found) ? found.filter((one) => isMap(one)) : []
}

/** The check says this and nothing else, fails by it, and does not where that is not asked for. */
export async function expectUnhealthy(
  world: PlayedWorld,
  objects: Objects,
  expected: Partial<Finding>
): Promise<void> {
  const ended = await checkWith(world, objects)
  expect(findingsOf(ended)).toEqual([expect.objectContaining({ kind: 'unhealthy', ...expected })])
  expect(ended.outputs).toMatchObject({ drift: '0', unhealthy: '1', pending: '0', unknown: '0' })
  expect(ended.failed).toContain('1 unhealthy')
  expect(ended.failed).toContain('no install mends what is as installed and does not work')
  expect(ended.errors).toHaveLength(1)
  expect(ended.summary).toContain('1 unhealthy')
  expect((await checkWith(world, objects, { 'fail-on': 'drift,unknown' })).failed).toBeUndefined()
}

export const noReplica = { updatedReplicas: 2, replicas: 2, observedGeneration: 1 }
