import type { Ownership } from '../aws/environment.js'
import { ownerLabel, runAnnotation } from './differences.js'
import { textField } from './manifest.js'

/** Ids of resources by the kind of their objects. */
const ids: Readonly<Record<string, (name: string) => string>> = {
  NodePool: (name) => `node-pool/${name}`,
  EC2NodeClass: (name) => `ec2-node-class/${name}`,
  CustomResourceDefinition: () => 'crds',
  Namespace: () => 'namespace'
}

/** Whether we made it: it carries our label, or the annotation that only we write; or it counts as ours in this removal. */
export function isOurs(object: unknown, ownership: Ownership): boolean {
  const id = ids[textField(object, 'kind') ?? '']?.(textField(object, 'metadata', 'name') ?? '')
  return (
    (id !== undefined && ownership.adopted?.has(id) === true) ||
    textField(object, 'metadata', 'labels', ownerLabel) === ownership.owner ||
    textField(object, 'metadata', 'annotations', runAnnotation) !== undefined
  )
}
