import type { Ownership } from '../../aws/environment.js'
import type { Kubernetes } from '../../kubernetes/client.js'
import {
  configMaps,
  customResourceDefinitions,
  daemonSets,
  deployments,
  disruptionBudgets,
  pods,
  roleBindings,
  roles,
  secrets,
  serviceAccounts,
  services,
  untyped,
  type Kind
} from '../../kubernetes/kinds.js'
import { field, listField, textField, type Manifest } from '../../kubernetes/manifest.js'
import { isOurs } from '../kubernetes-object.js'

/** Kinds of Kubernetes itself that somebody keeps in a namespace; what controllers derive from them is not asked for. */
const kinds: readonly Kind<Manifest>[] = [
  pods,
  services,
  configMaps,
  secrets,
  serviceAccounts,
  deployments,
  daemonSets,
  disruptionBudgets,
  roles,
  roleBindings
]
  .map(({ apiVersion, kind, resource, namespaced }) => untyped(apiVersion, kind, resource, namespaced))
  .concat([
    untyped('v1', 'PersistentVolumeClaim', 'persistentvolumeclaims', true),
    untyped('apps/v1', 'StatefulSet', 'statefulsets', true),
    untyped('batch/v1', 'Job', 'jobs', true),
    untyped('batch/v1', 'CronJob', 'cronjobs', true),
    untyped('networking.k8s.io/v1', 'Ingress', 'ingresses', true),
    untyped('networking.k8s.io/v1', 'NetworkPolicy', 'networkpolicies', true)
  ])

/** What every namespace gets by itself. */
const everywhere = new Set([
  'ConfigMap kube-root-ca.crt',
  'ConfigMap istio-ca-root-cert',
  'ServiceAccount default'
])

/**
 * Objects in a namespace that are neither ours nor made by the cluster: `Deployment web`. Kubernetes' own kinds and every
 * namespaced custom resource are looked through; a namespace that is deleted takes them along.
 */
export async function othersIn(
  kubernetes: Kubernetes,
  namespace: string,
  ownership: Ownership
): Promise<readonly string[]> {
  // Schemas are nearly all of what a cluster's CRDs come to: tens of megabytes where there are hundreds.
  const without = ['openAPIV3Schema', 'managedFields']
  const custom = await kubernetes.pick(customResourceDefinitions, servedKind, { without })
  const found = await Promise.all(
    [...kinds, ...custom.items.flatMap((kind) => kind ?? [])].map(async (kind) => {
      const named = await kubernetes.pick(
        kind,
        (object) => (isOfOthers(object, ownership) ? [`${kind.kind} ${object.metadata.name}`] : []),
        { namespace, metadataOnly: true }
      )
      return named.items.flat()
    })
  )
  return found.flat()
}

function servedKind(crd: unknown): Kind<Manifest> | undefined {
  if (textField(crd, 'spec', 'scope') !== 'Namespaced') return undefined
  const version = listField(crd, 'spec', 'versions').find((one) => field(one, 'served') === true)
  const names = ['kind', 'plural'].map((key) => textField(crd, 'spec', 'names', key) ?? '')
  const apiVersion = `${textField(crd, 'spec', 'group') ?? ''}/${textField(version, 'name') ?? ''}`
  return untyped(apiVersion, names[0] ?? '', names[1] ?? '', true)
}

function isOfOthers(object: Manifest, ownership: Ownership): boolean {
  const { kind, metadata } = object
  if (everywhere.has(`${kind} ${metadata.name}`) || isOurs(object, ownership)) return false
  // Derived from something that is listed itself, or ending already.
  if (listField(object, 'metadata', 'ownerReferences').length > 0) return false
  return metadata.deletionTimestamp === undefined
}
