import { isEmpty, sameValue, subsetDifferences } from '../engine/compare.js'
import { isMap } from '../engine/json.js'
import { field, textField, type Manifest } from './manifest.js'
import type { Patch } from './patch.js'

/*
 * A write whose answer was lost is sent again, and the second one is refused because of the first: the name is taken, the
 * test of the patch fails. Whether that is so is seen on the object.
 */

/** Whether the object is what this create makes of it. */
export function isCreated(sent: Manifest, live: unknown): boolean {
  return live !== undefined && subsetDifferences(sent, live).length === 0
}

/** Whether the object is as this patch leaves it. */
export function isPatched(patch: Patch, live: unknown): boolean {
  if (live === undefined) return false
  if (patch.type === 'merge') return isMerged(patch.value, live, '')
  return patch.operations
    .filter(({ op, path }) => op !== 'test' && !path.startsWith('/metadata/managedFields'))
    .every((operation) => {
      const now = field(live, ...partsOf(operation.path))
      return operation.op === 'remove' ? now === undefined : sameOrEmpty(operation.value, now)
    })
}

/** Whether the object is being deleted, or gone. */
export function isDeleted(live: unknown): boolean {
  return live === undefined || textField(live, 'metadata', 'deletionTimestamp') !== undefined
}

/** RFC 7396: null takes a field away, a map is merged, everything else is put in its place. */
function isMerged(wanted: unknown, live: unknown, path: string): boolean {
  // What the write was conditional on is the server's to count up.
  if (path === '.metadata.resourceVersion') return true
  if (wanted === null) return live === undefined
  if (!isMap(wanted)) return sameOrEmpty(wanted, live)
  return Object.entries(wanted).every(([key, value]) =>
    isMerged(value, isMap(live) ? live[key] : undefined, `${path}.${key}`)
  )
}

function sameOrEmpty(wanted: unknown, live: unknown): boolean {
  return sameValue(wanted, live) || (isEmpty(wanted) && isEmpty(live))
}

/** Of a JSON pointer (RFC 6901). */
function partsOf(path: string): readonly string[] {
  return path
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
}
