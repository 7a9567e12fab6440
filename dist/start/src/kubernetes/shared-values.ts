import { isMap } from '../engine/json.js'
import type { Manifest } from './manifest.js'

/**
 * Keeps equal values of many objects once: hundreds of NodePools differ in a name and a field, and their fields, who wrote
 * them and their conditions are the same trees over and over.
 */
export class SharedValues {
  readonly #values = new Map<string, unknown>()
  readonly #texts = new Map<string, string>()

  /** The object, made of values that others have too wherever they are equal. */
  object(object: Manifest): Manifest {
    const { metadata, spec, status } = object
    const { managedFields } = metadata
    return {
      ...object,
      metadata: {
        ...metadata,
        ...(Array.isArray(managedFields) && {
          managedFields: managedFields.map((entry: unknown) => this.#members(entry))
        })
      },
      ...(spec !== undefined && { spec: this.#members(spec) }),
      ...(isMap(status) && {
        status: {
          ...status,
          ...(Array.isArray(status['conditions']) && {
            conditions: status['conditions'].map((one: unknown) => this.#value(one))
          })
        }
      })
    }
  }

  /** Labels, whose values are the same on many nodes. */
  texts(map: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
    const shared: Record<string, string> = {}
    for (const [name, value] of Object.entries(map)) shared[name] = this.#text(value)
    return shared
  }

  #members(value: unknown): unknown {
    if (!isMap(value)) return value
    const shared: Record<string, unknown> = {}
    for (const [name, member] of Object.entries(value)) shared[name] = this.#value(member)
    return shared
  }

  #value(value: unknown): unknown {
    if (value === undefined) return undefined
    const key = JSON.stringify(value)
    const known = this.#values.get(key)
    if (known !== undefined) return known
    this.#values.set(key, value)
    return value
  }

  #text(value: string): string {
    const known = this.#texts.get(value)
    if (known !== undefined) return known
    this.#texts.set(value, value)
    return value
  }
}
