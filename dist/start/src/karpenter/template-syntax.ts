import { CORE_SCHEMA, defineMappingTag, defineScalarTag, defineSequenceTag, load } from 'js-yaml'
import { UserError, messageOf } from '../engine/errors.js'
import { isMap, type JsonMap } from '../engine/json.js'

/** `!Sub` is `Fn::Sub`; these two are not prefixed. */
function longName(tag: string): string {
  const name = tag.slice(1)
  return name === 'Ref' || name === 'Condition' ? name : `Fn::${name}`
}

function call(tag: string, argument: unknown): JsonMap {
  const name = longName(tag)
  if (name !== 'Fn::GetAtt' || typeof argument !== 'string') return { [name]: argument }
  const dot = argument.indexOf('.')
  return { [name]: dot < 0 ? [argument] : [argument.slice(0, dot), argument.slice(dot + 1)] }
}

const never = (): boolean => false

/** CloudFormation's short forms, read as the long ones. */
const schema = CORE_SCHEMA.withTags([
  defineScalarTag('!', {
    matchByTagPrefix: true,
    identify: never,
    resolve: (source, _explicit, tag) => call(tag, source)
  }),
  defineSequenceTag<{ tag: string; items: unknown[] }, JsonMap>('!', {
    matchByTagPrefix: true,
    identify: never,
    create: (tag) => ({ tag, items: [] }),
    addItem: (carrier, item) => void carrier.items.push(item),
    finalize: (carrier) => call(carrier.tag, carrier.items)
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
    finalize: (carrier) => call(carrier.tag, carrier.pairs)
  })
])

/** One resource as a template declares it. */
export interface DeclaredResource {
  readonly logicalId: string
  readonly type: string
  readonly condition: string | undefined
  readonly properties: JsonMap
}

/** A CloudFormation template with all functions in their long form. */
export interface Template {
  /** Everything, for writing it again. */
  readonly body: JsonMap
  readonly parameters: Readonly<Record<string, JsonMap>>
  readonly mappings: JsonMap
  readonly conditions: JsonMap
  readonly resources: readonly DeclaredResource[]
}

/** Reads YAML or JSON. Throws UserError that begins with `template` when it is neither, or has no resources. */
export function parseTemplate(text: string): Template {
  let body: unknown
  try {
    body = load(text, { schema })
  } catch (error) {
    throw notATemplate(`it is neither YAML nor JSON: ${messageOf(error).split('\n')[0] ?? ''}`)
  }
  if (!isMap(body) || !isMap(body['Resources'])) throw notATemplate('it has no Resources')
  const resources = Object.entries(body['Resources']).map(([logicalId, declared]): DeclaredResource => {
    if (!isMap(declared) || typeof declared['Type'] !== 'string')
      throw notATemplate(`resource ${logicalId} has no Type`)
    const condition = declared['Condition']
    return {
      logicalId,
      type: declared['Type'],
      condition: typeof condition === 'string' ? condition : undefined,
      properties: mapOf(declared['Properties'])
    }
  })
  const parameters = Object.fromEntries(
    Object.entries(mapOf(body['Parameters'])).map(([name, own]) => [name, mapOf(own)])
  )
  return {
    body,
    parameters,
    mappings: mapOf(body['Mappings']),
    conditions: mapOf(body['Conditions']),
    resources
  }
}

function mapOf(value: unknown): JsonMap {
  return isMap(value) ? value : {}
}

function notATemplate(why: string): UserError {
  return new UserError(
    'template',
    `is not a CloudFormation template: ${why}`,
    'Pass upstream, built-in, or the path or URL of a template like the one that Karpenter publishes.',
    { state: 'Nothing was changed.' }
  )
}
