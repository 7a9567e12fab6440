import { once } from '../engine/once.js'
import type { Kubernetes } from './client.js'
import { awaitObject } from './conditions.js'
import { Grouped } from './grouped.js'
import type { Kind } from './kinds.js'
import type { Manifest } from './manifest.js'
import { mostByName } from './reads-together.js'
import { SharedUse } from './shared-use.js'
import { type Decision, View } from './view.js'

/** Waits until `decide` comes to an answer about an object of one kind, undefined while it does not exist. It may throw. */
export type AwaitByName = <R>(
  name: string,
  signal: AbortSignal,
  decide: (object: Manifest | undefined) => Decision<R>
) => Promise<R>

/** Each is followed by itself. */
export function waitsApart(kubernetes: Kubernetes, kind: Kind<Manifest>): AwaitByName {
  return async (name, signal, decide) => awaitObject(kubernetes, kind, { name }, signal, decide)
}

/** Milliseconds. Hundreds are written one after another, and each may be what is waited for before the next one comes. */
const linger = 5_000

/**
 * Waits for objects whose names are known beforehand: few of them are followed each by itself; many that are waited for at
 * the same time by one list and watch, of which nothing but they is kept. What is followed may lag behind a write of who
 * comes later. `looked`: as much of one as is looked at.
 */
export function waitsTogether(
  kubernetes: Kubernetes,
  kind: Kind<Manifest>,
  names: readonly string[],
  looked: (object: Manifest) => Manifest = (object) => object
): AwaitByName {
  if (names.length <= mostByName) return waitsApart(kubernetes, kind)
  const wanted = new Set(names)
  const shared = new SharedUse((signal) => {
    const view = new View(kubernetes, signal)
    const byName = new Grouped<Manifest>(({ metadata }) => metadata.name)
    const followed = once(async () =>
      view.follow(
        kind,
        {},
        (object, change) => byName.change(object, change),
        (object) => (wanted.has(object.metadata.name) ? looked(object) : undefined)
      )
    )
    return {
      object: async <R>(name: string, decide: (object: Manifest | undefined) => Decision<R>): Promise<R> => {
        await followed()
        return view.until(() => decide(byName.of(name)[0]))
      },
      close: async () => view.close()
    }
  }, linger)
  return async (name, signal, decide) => shared.use(signal, async ({ object }) => object(name, decide))
}
