import { isMap, type JsonMap } from '../engine/json.js'
import { field, listField, textField } from './manifest.js'

/** The CRD of an object's kind; undefined when it is not among them. */
export function crdOf<C>(
  crds: readonly C[],
  { apiVersion, kind }: { readonly apiVersion: string; readonly kind: string }
): C | undefined {
  return crds.find(
    (crd) =>
      textField(crd, 'spec', 'group') === apiVersion.split('/')[0] &&
      textField(crd, 'spec', 'names', 'kind') === kind
  )
}

/** A CRD's schema of one version, `v1`; undefined when it does not have that version. */
export function schemaOf(crd: unknown, version: string | undefined): JsonMap | undefined {
  const found = listField(crd, 'spec', 'versions').find((one) => field(one, 'name') === version)
  const schema = field(found, 'schema', 'openAPIV3Schema')
  return isMap(schema) ? schema : undefined
}

/** Names of the versions that a CRD serves. */
export function servedBy(crd: unknown): readonly string[] {
  return listField(crd, 'spec', 'versions')
    .filter((one) => field(one, 'served') === true)
    .flatMap((one) => textField(one, 'name') ?? [])
}

/** Which fields a map takes beside those that it names; `one kind`: of any name, by one schema for all. */
export function otherFields(schema: JsonMap): 'all' | 'one kind' | 'none' {
  if (schema['x-kubernetes-preserve-unknown-fields'] === true) return 'all'
  const others = schema['additionalProperties']
  return others === undefined || others === false ? 'none' : 'one kind'
}

/** A schema inside another one. */
export interface Inner {
  readonly schema: JsonMap
  /** `.cpu` of a field, `[]` of the items of a list, `.*` of what a map takes by one schema for all. */
  readonly at: string
  readonly required: boolean
}

/** Schemas directly inside one. */
export function innerOf(schema: JsonMap): readonly Inner[] {
  const { properties, items, additionalProperties } = schema
  const required = listField(schema, 'required')
  return [
    ...Object.entries(isMap(properties) ? properties : {}).map(([name, one]) => ({
      schema: one,
      at: `.${name}`,
      required: required.includes(name)
    })),
    { schema: items, at: '[]', required: false },
    { schema: additionalProperties, at: '.*', required: false }
  ].flatMap(({ schema: inner, ...place }) => (isMap(inner) ? [{ schema: inner, ...place }] : []))
}

/** The schema with each one directly inside it replaced. */
export function withInner(
  schema: JsonMap,
  replace: (inner: JsonMap, of: 'field' | 'items' | 'other fields') => JsonMap
): JsonMap {
  const { properties, items, additionalProperties } = schema
  return {
    ...schema,
    ...(isMap(properties) && {
      properties: Object.fromEntries(
        Object.entries(properties).map(([name, one]) => [name, isMap(one) ? replace(one, 'field') : one])
      )
    }),
    ...(isMap(items) && { items: replace(items, 'items') }),
    ...(isMap(additionalProperties) && {
      additionalProperties: replace(additionalProperties, 'other fields')
    })
  }
}

/** One place of an object, and what the schema of its kind says of it. */
export interface Place {
  /** `spec.requirements[0].key` */
  readonly path: string
  readonly value: unknown
  /** Undefined where no schema names it. */
  readonly schema: JsonMap | undefined
  /** Whether the API server keeps it: it is named, or in a map that is open. */
  readonly kept: boolean
}

/**
 * Every place of a value that its schema leads to, from the outside in; of what no schema names, only the topmost. As the
 * API server goes (pkg/apiserver/schema/pruning of k8s.io/apiextensions-apiserver): an open map keeps what it does not
 * name, with all below it; what it does name has its own schema again. That a list is open holds for its items as well.
 */
export function placesOf(value: unknown, schema: JsonMap, path = '', inOpenList = false): readonly Place[] {
  const own: Place = { path, value, schema, kept: true }
  const open = inOpenList || otherFields(schema) === 'all'
  const { properties, items, additionalProperties } = schema
  if (Array.isArray(value))
    return [
      own,
      ...value.flatMap((one, index) => placesOf(one, isMap(items) ? items : {}, `${path}[${index}]`, open))
    ]
  if (!isMap(value)) return [own]
  const inside = Object.entries(value).flatMap(([name, inner]): readonly Place[] => {
    const at = path === '' ? name : `${path}.${name}`
    const known = field(properties, name) ?? additionalProperties
    if (known !== undefined && known !== false) return placesOf(inner, isMap(known) ? known : {}, at)
    return [{ path: at, value: inner, schema: undefined, kept: open }]
  })
  return [own, ...inside]
}
