import type { Ownership } from '../aws/environment.js'
import { ownerLabel, runAnnotation } from './differences.js'
import { textField } from './manifest.js'

/** Whether we made it: it carries our label, or the annotation that only we write. */
export function isOurs(object: unknown, ownership: Ownership): boolean {
  return (
    textField(object, 'metadata', 'labels', ownerLabel) === ownership.owner ||
    textField(object, 'metadata', 'annotations', runAnnotation) !== undefined
  )
}
