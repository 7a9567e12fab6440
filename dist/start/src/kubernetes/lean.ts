import { isMap } from '../engine/json.js'
import type { Manifest } from './manifest.js'

/** Of what a controller says of an object: the rest are lists of what it has found, hundreds long in a large VPC. */
const looked = ['conditions', 'resources']

/**
 * Who wrote each field; images on a node; and what a node class has found. Of an object that is only read, and not compared
 * with its manifest, nobody asks for them.
 */
export const notLooked = {
  without: ['managedFields', 'images', 'subnets', 'securityGroups', 'amis']
} as const

/**
 * An object without what makes the most of it and is looked at nowhere but where it is compared with its manifest: who wrote
 * each of its fields, and all of its status but conditions and resources.
 */
export function lean(object: Manifest): Manifest {
  const metadata = { ...object.metadata }
  delete metadata['managedFields']
  const { status } = object
  if (!isMap(status)) return { ...object, metadata }
  const kept = Object.entries(status).filter(([name]) => looked.includes(name))
  return { ...object, metadata, status: Object.fromEntries(kept) }
}
