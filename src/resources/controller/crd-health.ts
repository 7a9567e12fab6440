import type { Ailment } from '../../engine/health.js'
import { conditionOf, describe } from '../../kubernetes/conditions.js'
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

/**
 * A CRD that the server does not serve: its names are another CRD's (apiextensions-apiserver, pkg/controller/status). Its
 * objects are in etcd and nobody can read them.
 */
export function notServed(crd: unknown): readonly Ailment[] {
  const established = conditionOf(crd, 'Established')
  const accepted = conditionOf(crd, 'NamesAccepted')
  const wrong = [accepted, established].find((condition) => condition?.status === 'False')
  if (wrong === undefined) return []
  const name = textField(crd, 'metadata', 'name') ?? ''
  return [
    {
      path: `${name}.status.conditions[${wrong.type}]`,
      wanted: 'True',
      live: 'False',
      reason: `CRD ${name} is not served: ${describe(wrong)}`,
      severity: 'breaks scaling',
      install: 'wait for it, and fail with the same reason',
      fix: namesTaken
    }
  ]
}

export const namesTaken =
  'Another CRD has its names: kubectl get crds | grep karpenter; delete the one that is not of Karpenter, then run again.'
