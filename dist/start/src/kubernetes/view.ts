import { heardOf, notReady } from '../engine/calls.js'
import type { Kubernetes, Selection } from './client.js'
import { isKubernetesError } from './errors.js'
import type { Kind } from './kinds.js'
import { field, textField } from './manifest.js'

/** A set of objects, current as of the last event. */
export interface Followed<T> {
  readonly objects: readonly T[]
}

/** What `until` decides from: nothing yet, or the answer. */
export type Decision<R> = { readonly done: true; readonly value: R } | undefined

export function decided<R>(value: R): Decision<R> {
  return { done: true, value }
}

/** Milliseconds after which a set is listed anew and watched from there. */
export interface Looks {
  /** When its watch has brought nothing, no bookmark either: a connection can be dead without a sign. */
  readonly afterSilence: number
  /** Whatever its watch has brought. */
  readonly always: number
}

const looksOfItsOwn: Looks = { afterSilence: 45_000, always: 180_000 }

/**
 * Sets of objects followed side by side through list and watch, and one place to wait for what they come to together. A
 * watch is not trusted for long: now and then the set is listed anew. Close it, or its connections stay open until the
 * client's signal ends them.
 */
export class View {
  readonly #looks: Looks
  readonly #kubernetes: Kubernetes
  readonly #end = new AbortController()
  /** The caller's signal or our own end. */
  readonly #ended: AbortSignal
  readonly #running: Promise<void>[] = []
  readonly #kinds: string[] = []
  #failure: { readonly error: unknown } | undefined
  #change = Promise.withResolvers<undefined>()

  constructor(kubernetes: Kubernetes, signal: AbortSignal, looks: Looks = looksOfItsOwn) {
    this.#looks = looks
    this.#ended = AbortSignal.any([signal, this.#end.signal])
    this.#kubernetes = kubernetes.within(this.#ended)
    if (signal.aborted) this.#fail(signal.reason)
    else
      signal.addEventListener('abort', () => this.#fail(signal.reason), {
        once: true,
        signal: this.#end.signal
      })
  }

  /**
   * Lists now; from then on `objects` is kept current. `each` sees every object as it comes and changes, the first ones too.
   * `looked`: as much of an object as is looked at, undefined for one that is not; only that is kept.
   */
  async follow<T>(
    kind: Kind<T>,
    selection: Selection,
    each: (object: T, change: 'here' | 'gone') => void = () => undefined,
    looked: (object: T) => T | undefined = (object) => object
  ): Promise<Followed<T>> {
    const current = new Map<string, T>()
    this.#kinds.push(kind.kind)
    const listAgain = async (): Promise<string> => {
      const listing = await this.#kubernetes.pick(kind, looked, selection)
      const present = new Map(
        listing.items.flatMap((item) => (item === undefined ? [] : [[keyOf(item), item]]))
      )
      for (const [key, object] of current) {
        if (present.has(key)) continue
        current.delete(key)
        each(object, 'gone')
      }
      for (const [key, object] of present) {
        const changed = versionOf(current.get(key)) !== versionOf(object)
        current.set(key, object)
        if (changed) each(object, 'here')
      }
      return listing.resourceVersion
    }
    const changed = (object: T, change: 'here' | 'gone'): void => {
      const known = looked(object)
      if (change === 'here' && known !== undefined) {
        current.set(keyOf(object), known)
        each(known, change)
      } else if (current.delete(keyOf(object))) each(object, 'gone')
    }
    const from = await listAgain()
    this.#running.push(this.#keep(kind, selection, from, { listAgain, changed }))
    return {
      get objects() {
        return [...current.values()]
      }
    }
  }

  /**
   * The first answer that `decide` comes to; it is asked now, after every change, and every so many milliseconds for what
   * only time decides. Throws what it throws, a broken watch's error, and the signal's reason.
   */
  async until<R>(decide: () => Decision<R>, every = 1_000): Promise<R> {
    while (true) {
      if (this.#failure !== undefined) throw this.#failure.error
      const changed = this.#change.promise
      const decision = decide()
      if (decision !== undefined) {
        notReady(undefined)
        return decision.value
      }
      notReady(this.#kinds.join(', '))
      let timer: NodeJS.Timeout | undefined
      const time = new Promise<void>((resolve) => (timer = setTimeout(resolve, every)))
      await Promise.race([changed.then(heardOf), time])
      clearTimeout(timer)
    }
  }

  async close(): Promise<void> {
    this.#end.abort()
    await Promise.all(this.#running)
  }

  async #keep<T>(
    kind: Kind<T>,
    selection: Selection,
    from: string,
    followed: {
      readonly listAgain: () => Promise<string>
      readonly changed: (object: T, change: 'here' | 'gone') => void
    }
  ): Promise<void> {
    let resourceVersion = from
    const over = (): boolean => this.#ended.aborted
    while (!over()) {
      const look = this.#timeToLook()
      try {
        const watch = this.#kubernetes.watch(kind, { ...selection, resourceVersion }, look.signal)
        for await (const event of watch) {
          look.heard()
          if (event.type === 'bookmark') continue
          followed.changed(event.object, event.type === 'deleted' ? 'gone' : 'here')
          this.#wake()
        }
      } catch (error) {
        if (!isKubernetesError(error, 410)) return this.#fail(error)
      } finally {
        look.end()
      }
      if (over()) return
      try {
        resourceVersion = await followed.listAgain()
        this.#wake()
      } catch (error) {
        return this.#fail(error)
      }
    }
  }

  /** Ends one watch when it is time to look by ourselves. */
  #timeToLook(): { readonly signal: AbortSignal; heard(): void; end(): void } {
    const over = new AbortController()
    const look = (): void => over.abort()
    const latest = setTimeout(look, this.#looks.always)
    let silence = setTimeout(look, this.#looks.afterSilence)
    return {
      signal: over.signal,
      heard: () => {
        clearTimeout(silence)
        silence = setTimeout(look, this.#looks.afterSilence)
      },
      end: () => {
        clearTimeout(latest)
        clearTimeout(silence)
        over.abort()
      }
    }
  }

  #wake(): void {
    this.#change.resolve(undefined)
    this.#change = Promise.withResolvers()
  }

  #fail(error: unknown): void {
    if (this.#end.signal.aborted) return
    this.#failure ??= { error }
    this.#wake()
  }
}

function keyOf(object: unknown): string {
  return (
    textField(object, 'metadata', 'uid') ??
    `${textField(object, 'metadata', 'namespace') ?? ''}/${textField(object, 'metadata', 'name') ?? ''}`
  )
}

function versionOf(object: unknown): unknown {
  return field(object, 'metadata', 'resourceVersion')
}
