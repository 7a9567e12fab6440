import { canonical, isMap, type JsonMap } from '../engine/json.js'
import { isAnsweredFor } from './template-as-read.js'
import { parseTemplate } from './template-syntax.js'

/**
 * Where two CloudFormation templates say something different: logical ids, and names of other sections. Comments, layout
 * and the order of keys do not count, nor does what CloudFormation takes no update for when nothing else changes. `the
 * template` when one of them cannot be read as YAML or JSON.
 */
export function templateDifferences(a: string, b: string): readonly string[] {
  if (isAnsweredFor(a.trimEnd(), b.trimEnd())) return []
  const [one, other] = [partsOf(a), partsOf(b)]
  if (one === undefined || other === undefined) return ['the template']
  return [...new Set([...one.keys(), ...other.keys()])]
    .filter((name) => {
      const [mine, theirs] = [one.get(name), other.get(name)]
      return mine === undefined || theirs === undefined || !isAnsweredFor(mine, theirs)
    })
    .toSorted()
}

/** Sections that a stack is not updated for by themselves (CloudFormation User Guide, template anatomy). */
const noUpdate = ['AWSTemplateFormatVersion', 'Description', 'Metadata']
/** Parts of a parameter that only people read. */
const parameterTexts = ['Description', 'ConstraintDescription']

/** Name to canonical text. */
function partsOf(text: string): ReadonlyMap<string, string> | undefined {
  const template = bodyOf(text)
  if (template === undefined) return undefined
  const parts = new Map<string, string>()
  for (const [section, value] of Object.entries(template)) {
    if (section === 'Resources' && isMap(value)) {
      for (const [logicalId, own] of Object.entries(value)) parts.set(logicalId, canonical(own))
    } else if (section === 'Parameters' && isMap(value)) {
      parts.set(section, canonical(withoutTexts(value)))
    } else if (!noUpdate.includes(section)) parts.set(section, canonical(value))
  }
  return parts
}

function withoutTexts(parameters: JsonMap): JsonMap {
  return Object.fromEntries(
    Object.entries(parameters).map(([name, own]) => [
      name,
      isMap(own)
        ? Object.fromEntries(Object.entries(own).filter(([key]) => !parameterTexts.includes(key)))
        : own
    ])
  )
}

function bodyOf(text: string): JsonMap | undefined {
  try {
    return parseTemplate(text).body
  } catch {
    return undefined
  }
}
