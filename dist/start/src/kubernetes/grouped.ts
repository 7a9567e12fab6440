import { textField } from './manifest.js'

/** Objects that are followed, by what belongs together: hundreds of waits then look at thousands of objects at each change. */
export class Grouped<T> {
  readonly #keyOf: (object: T) => string
  readonly #groups = new Map<string, Map<string, T>>()
  readonly #keys = new Map<string, string>()

  constructor(keyOf: (object: T) => string) {
    this.#keyOf = keyOf
  }

  /** Told of each change by what follows them. */
  change(object: T, change: 'here' | 'gone'): void {
    const uid = textField(object, 'metadata', 'uid') ?? ''
    const before = this.#keys.get(uid)
    const key = this.#keyOf(object)
    if (before !== undefined && (change === 'gone' || before !== key)) this.#drop(uid, before)
    if (change === 'gone') return
    const group = this.#groups.get(key) ?? new Map<string, T>()
    this.#groups.set(key, group.set(uid, object))
    this.#keys.set(uid, key)
  }

  of(key: string): readonly T[] {
    return [...(this.#groups.get(key)?.values() ?? [])]
  }

  #drop(uid: string, key: string): void {
    const group = this.#groups.get(key)
    group?.delete(uid)
    if (group?.size === 0) this.#groups.delete(key)
    this.#keys.delete(uid)
  }
}
