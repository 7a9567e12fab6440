import { CORE_SCHEMA, defineMappingTag, defineScalarTag, defineSequenceTag, load } from 'js-yaml'
import { canonical, isMap, type JsonMap } from '../engine/json.js'

const never = (): boolean => false

/** CloudFormation's short forms (`!Sub`, `!GetAtt`) read as `{"!Sub": ...}`: enough to compare by. */
const schema = CORE_SCHEMA.withTags([
  defineScalarTag('!', {
    matchByTagPrefix: true,
    identify: never,
    resolve: (source, _explicit, tag) => ({ [tag]: source })
  }),
  defineSequenceTag<{ tag: string; items: unknown[] }, JsonMap>('!', {
    matchByTagPrefix: true,
    identify: never,
    create: (tag) => ({ tag, items: [] }),
    addItem: (carrier, item) => void carrier.items.push(item),
    finalize: (carrier) => ({ [carrier.tag]: carrier.items })
  }),
  defineMappingTag<{ tag: string; pairs: JsonMap }, JsonMap>('!', {
    matchByTagPrefix: true,
    identify: never,
    create: (tag) => ({ tag, pairs: {} }),
    addPair: (carrier, key, value) => {
      carrier.pairs[String(key)] = value
      return ''
    },
    has: (carrier, key) => String(key) in carrier.pairs,
    keys: () => [],
    get: () => undefined,
    finalize: (carrier) => ({ [carrier.tag]: carrier.pairs })
  })
])

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
  let template: unknown
  try {
    template = load(text, { schema })
  } catch {
    return undefined
  }
  if (!isMap(template)) return undefined
  const parts = new Map<string, string>()
  for (const [section, value] of Object.entries(template)) {
    if (section === 'Resources' && isMap(value)) {
      for (const [logicalId, own] of Object.entries(value)) parts.set(logicalId, canonical(own))
    } else if (section !== 'Description') parts.set(section, canonical(value))
  }
  return parts
}
