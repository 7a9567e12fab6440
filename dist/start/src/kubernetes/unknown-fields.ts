import { isMap } from '../engine/json.js'
import { field, textField } from './manifest.js'
import { placesOf, schemaOf } from './structural-schema.js'

/**
 * Paths in an object's spec that a CRD's schema of this version does not have, which the API server drops when the object
 * is next written (structural schemas, Kubernetes 1.22 and later). Empty as well where the CRD does not have the version.
 */
export function unknownFields(object: unknown, crd: unknown): readonly string[] {
  const schema = field(schemaOf(crd, textField(object, 'apiVersion')?.split('/')[1]), 'properties', 'spec')
  if (!isMap(schema)) return []
  return placesOf(field(object, 'spec'), schema, 'spec').flatMap(({ path, kept }) => (kept ? [] : [path]))
}
