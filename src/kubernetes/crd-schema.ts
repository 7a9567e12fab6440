import type { ErrorObject } from 'ajv'
import { isMap, type JsonMap } from '../engine/json.js'
import { listField, type Manifest, textField } from './manifest.js'
import { crdOf, otherFields, type Place, placesOf, schemaOf, withInner } from './structural-schema.js'

/** What a CRD says against an object. */
export interface SchemaProblems {
  readonly object: Manifest
  /** `spec.disruption must have required property 'consolidateAfter'`; never empty. */
  readonly problems: readonly string[]
}

/**
 * Judges objects by the CRDs that are to be installed, as the API server will: types, required and unknown fields,
 * enumerations, patterns, and the rules in CEL. Rules that compare with the object before (`oldSelf`) are passed over, and
 * so is a rule that cannot be worked out here, and an object without a CRD: the server has the last word.
 */
export async function problemsBy(
  crds: readonly Manifest[],
  objects: readonly Manifest[]
): Promise<readonly SchemaProblems[]> {
  const judges = new Map<JsonMap, Judge>()
  const found: SchemaProblems[] = []
  for (const object of objects) {
    const schema = schemaOf(crdOf(crds, object), object.apiVersion.split('/')[1])
    if (schema === undefined) continue
    const judge = judges.get(schema) ?? (await judgeBy(schema))
    judges.set(schema, judge)
    const problems = judge(object)
    if (problems.length > 0) found.push({ object, problems })
  }
  return found
}

type Judge = (object: Manifest) => readonly string[]

async function judgeBy(schema: JsonMap): Promise<Judge> {
  const [{ default: schemas }, { Environment }] = await Promise.all([
    import('ajv'),
    import('@marcbachmann/cel-js/evaluator')
  ])
  const ajv = new schemas.Ajv({
    allErrors: true,
    strict: false,
    useDefaults: true,
    validateFormats: false,
    unicodeRegExp: false
  })
  const structure = ajv.compile(withoutStatus(strictly(schema)))
  const environment = new Environment({ unlistedVariablesAreDyn: true }).registerFunction(
    'string.find(string): string',
    (text: string, pattern: string) => new RegExp(pattern).exec(text)?.[0] ?? ''
  )
  const breaks = ({ rule, self }: Rule): boolean => {
    try {
      return environment.evaluate(rule, { self }) === false
    } catch {
      // Undecided, not refused.
      return false
    }
  }
  return (object) => {
    // Gets the defaults, as on the server, which judges by its rules what is sound otherwise.
    const judged: unknown = structuredClone(object)
    if (!structure(judged)) return [...new Set((structure.errors ?? []).map(textOf))]
    return placesOf(judged, schema)
      .flatMap(rulesOf)
      .filter(breaks)
      .map(({ path, message }) => `${path} ${message}`.trim())
  }
}

function textOf({ instancePath, message = 'is wrong', params }: ErrorObject): string {
  const at = pathOf(instancePath)
  const unknown: unknown = params['additionalProperty']
  return typeof unknown === 'string'
    ? `${at === '' ? unknown : `${at}.${unknown}`}: unknown field`
    : `${at} ${message}${allowed(params['allowedValues'])}`.trim()
}

function allowed(values: unknown): string {
  return Array.isArray(values) ? `: ${values.map(String).join(', ')}` : ''
}

/** `/spec/template/spec/requirements/0/key` as `spec.template.spec.requirements[0].key`. */
function pathOf(pointer: string): string {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce(
      (path, part) => (/^\d+$/.test(part) ? `${path}[${part}]` : path === '' ? part : `${path}.${part}`),
      ''
    )
}

/**
 * A structural schema with every field that it does not name refused, as the server refuses it of a strict request. An open
 * map takes them, and so do the items of an open list; what it does name has its own schema.
 */
function strictly(schema: JsonMap, inOpenList = false): JsonMap {
  const open = inOpenList || otherFields(schema) === 'all'
  const isObject = isMap(schema['properties']) || schema['type'] === 'object'
  return {
    ...withInner(schema, (inner, of) => strictly(inner, of === 'items' && open)),
    ...(isObject && schema['additionalProperties'] === undefined && !open && { additionalProperties: false })
  }
}

/** No manifest has a status, and it is half of the schema; the metadata are not the CRD's to judge. */
function withoutStatus(schema: JsonMap): JsonMap {
  const { properties } = schema
  return isMap(properties) ? { ...schema, properties: { ...properties, metadata: {}, status: {} } } : schema
}

/** Source: Kubernetes, validation rules of CustomResourceDefinitions. */
interface Rule {
  readonly path: string
  readonly rule: string
  readonly message: string
  /** The value that the rule stands at, its whole numbers as CEL has them. */
  readonly self: unknown
}

function rulesOf({ schema, value, path }: Place): readonly Rule[] {
  if (value === undefined || value === null) return []
  return listField(schema, 'x-kubernetes-validations').flatMap((one) => {
    const rule = textField(one, 'rule') ?? ''
    if (/oldSelf/.test(rule)) return []
    return [
      { path, rule, message: textField(one, 'message') ?? `breaks the rule ${rule}`, self: inCel(value) }
    ]
  })
}

/** CEL's whole numbers are not its fractions. */
function inCel(value: unknown): unknown {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value
  if (Array.isArray(value)) return Array.from(value, inCel)
  return isMap(value)
    ? Object.fromEntries(Object.entries(value).map(([name, one]) => [name, inCel(one)]))
    : value
}
