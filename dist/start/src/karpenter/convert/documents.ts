import { UserError } from '../../engine/errors.js'
import { isMap } from '../../engine/json.js'
import { readYaml, YamlProblem } from '../../engine/yaml.js'
import type { Place } from './findings.js'

export interface ReadDocument {
  readonly place: Place
  readonly value: unknown
}

/** Every document that is not empty, with its place; the items of a List (or NodePoolList) each for themselves. */
export function readDocuments(text: string, source: string): readonly ReadDocument[] {
  try {
    return readYaml(text)
      .map(({ value, line }, index) => ({ value, place: { source, document: index + 1, line } }))
      .filter(({ value }) => value !== null && value !== undefined)
      .flatMap(({ value, place }) => itemsOf(value).map((item) => ({ value: item, place })))
  } catch (error) {
    if (!(error instanceof YamlProblem)) throw error
    throw new UserError(
      `${source}${error.line === undefined ? '' : ` (line ${error.line})`}`,
      `is not YAML: ${error.message}`,
      'Correct the manifest and run again.',
      { state: 'Nothing was changed.' }
    )
  }
}

/** What a list holds, one that is in a list too; anything else itself. */
function itemsOf(value: unknown): readonly unknown[] {
  if (!isMap(value) || !/List$/.test(String(value['kind'])) || !('items' in value)) return [value]
  const { items } = value
  if (items === null) return []
  return Array.isArray(items) ? items.flatMap((item: unknown) => itemsOf(typed(item, value))) : [value]
}

/** The items of a typed list, such as a NodePoolList of the API itself, do not say what they are. */
function typed(item: unknown, list: Readonly<Record<string, unknown>>): unknown {
  const kind = String(list['kind']).replace(/List$/, '')
  return isMap(item) && kind !== '' ? { apiVersion: list['apiVersion'], kind, ...item } : item
}
