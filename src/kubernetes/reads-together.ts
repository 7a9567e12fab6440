import { sharedRead } from '../engine/once.js'
import type { Kubernetes } from './client.js'
import type { Kind } from './kinds.js'
import type { Manifest } from './manifest.js'
import { SharedValues } from './shared-values.js'

/** Reads an object of one kind; undefined: it is not there. */
export type ReadByName = (name: string, signal: AbortSignal) => Promise<Manifest | undefined>

/** A list of more than this costs less than as many reads, even where most of the kind is others'. */
export const mostByName = 20

/**
 * Reads objects whose names are known beforehand: few of them each by itself; many that are asked for at the same time by
 * one list, of which nothing but they is kept. `looked`: as much of one as is looked at.
 */
export function readsTogether(
  kubernetes: Kubernetes,
  kind: Kind<Manifest>,
  names: readonly string[],
  looked: (object: Manifest) => Manifest = (object) => object
): ReadByName {
  if (names.length <= mostByName)
    return async (name, signal) => {
      const object = await kubernetes.within(signal).get(kind, name)
      return object && looked(object)
    }
  const wanted = new Set(names)
  const listed = sharedRead(async (signal: AbortSignal) => {
    const values = new SharedValues()
    const { items } = await kubernetes
      .within(signal)
      .pick(kind, (object) => (wanted.has(object.metadata.name) ? values.object(looked(object)) : undefined))
    return new Map(items.flatMap((object) => (object === undefined ? [] : [[object.metadata.name, object]])))
  })
  return async (name, signal) => (await listed(signal)).get(name)
}
