import type { Ailment } from '../../engine/health.js'
import { heldCrd } from '../../kubernetes/held.js'
import { textField } from '../../kubernetes/manifest.js'

/**
 * A CRD that is being deleted: the server makes no new object of its kind and deletes those that are there
 * (apiextensions-apiserver, pkg/controller/finalizer).
 */
export function terminating(crd: unknown): readonly Ailment[] {
  const since = textField(crd, 'metadata', 'deletionTimestamp')
  if (since === undefined) return []
  const name = textField(crd, 'metadata', 'name') ?? ''
  const plural = textField(crd, 'spec', 'names', 'plural') ?? name
  return [
    {
      path: `${name}.metadata.deletionTimestamp`,
      wanted: undefined,
      live: since,
      reason: `CRD ${name} is being deleted since ${since}${heldCrd(crd).text}; no new object of its kind can be made, and those that are there go with it`,
      severity: 'breaks scaling',
      install: 'not stop the deletion',
      fix: `See what is left of its objects, and run install when it is gone, which makes it anew: kubectl get ${plural}`
    }
  ]
}
