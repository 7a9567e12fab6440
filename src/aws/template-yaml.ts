import { CORE_SCHEMA, defineMappingTag, defineScalarTag, defineSequenceTag, load } from 'js-yaml'
import { isMap, type JsonMap } from '../engine/json.js'

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

/** A CloudFormation template, YAML or JSON; undefined when the text is neither, or no map. */
export function parseTemplate(text: string): JsonMap | undefined {
  try {
    const template: unknown = load(text, { schema })
    return isMap(template) ? template : undefined
  } catch {
    return undefined
  }
}
