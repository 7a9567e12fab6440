import { canonical, isMap, type JsonMap } from '../engine/json.js'
import { parseTemplate } from './template-syntax.js'

/**
 * Where two CloudFormation templates say something different: logical ids, and names of other sections. Comments, layout
 * and the order of keys do not count. `the template` when one of them cannot be read as YAML or JSON.
 */
export function templateDifferences(a: string, b: string): readonly string[] {
  if (a.trimEnd() === b.trimEnd()) return []
  const [one, other] = [partsOf(a), partsOf(b)]
  if (one === undefined || other === undefined) return ['the template']
  return [...new Set([...one.keys(), ...other.keys()])]
    .filter((name) => one.get(name) !== other.get(name))
    .toSorted()
}

/** Name to canonical text; descriptions do nothing. */
function partsOf(text: string): ReadonlyMap<string, string> | undefined {
  const template = bodyOf(text)
  if (template === undefined) return undefined
  const parts = new Map<string, string>()
  for (const [section, value] of Object.entries(template)) {
    if (section === 'Resources' && isMap(value)) {
      for (const [logicalId, own] of Object.entries(value)) parts.set(logicalId, canonical(own))
    } else if (section !== 'Description') parts.set(section, canonical(value))
  }
  return parts
}

function bodyOf(text: string): JsonMap | undefined {
  try {
    return parseTemplate(text).body
  } catch {
    return undefined
  }
}
