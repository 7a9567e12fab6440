import { isMap } from '../engine/json.js'
import { field, listField, textField } from './manifest.js'

/**
 * Paths in an object's spec that a CRD's schema of this version does not have, which the API server drops when the object
 * is next written (structural schemas, Kubernetes 1.22 and later). Empty as well where the CRD does not serve the version.
 */
export function unknownFields(object: unknown, crd: unknown): readonly string[] {
  const version = textField(object, 'apiVersion')?.split('/')[1]
  const served = listField(crd, 'spec', 'versions').find((one) => field(one, 'name') === version)
  const schema = field(served, 'schema', 'openAPIV3Schema', 'properties', 'spec')
  return schema === undefined ? [] : unknownIn(field(object, 'spec'), schema, 'spec')
}

/**
 * As the API server prunes (pkg/apiserver/schema/pruning of k8s.io/apiextensions-apiserver): an open map keeps what it does not
 * name, with all below it; what it does name is judged by its own schema again. `open` is handed on to the items of a list.
 */
function unknownIn(value: unknown, schema: unknown, path: string, listIsOpen = false): readonly string[] {
  const open = listIsOpen || field(schema, 'x-kubernetes-preserve-unknown-fields') === true
  if (Array.isArray(value)) {
    const items = field(schema, 'items')
    return value.flatMap((one, index) => unknownIn(one, items, `${path}[${index}]`, open))
  }
  if (!isMap(value)) return []
  const properties = field(schema, 'properties')
  const others = field(schema, 'additionalProperties')
  return Object.entries(value).flatMap(([name, inner]) => {
    const known = field(properties, name) ?? others
    if (known !== undefined && known !== false) return unknownIn(inner, known, `${path}.${name}`)
    return open ? [] : [`${path}.${name}`]
  })
}
