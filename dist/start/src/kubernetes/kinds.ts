import { isMap } from '../engine/json.js'
import type { CustomResourceDefinition } from 'kubernetes-types/apiextensions/v1.js'
import type { DaemonSet, Deployment, ReplicaSet } from 'kubernetes-types/apps/v1.js'
import type { Lease } from 'kubernetes-types/coordination/v1.js'
import type {
  ConfigMap,
  Event,
  Namespace,
  Node,
  Pod,
  Secret,
  ServiceAccount
} from 'kubernetes-types/core/v1.js'
import type { FlowSchema } from 'kubernetes-types/flowcontrol/v1.js'
import { isManifest, type Manifest } from './manifest.js'

/** A kind of object and the path it is served at. `T` is what its objects are read as. */
export interface Kind<T> {
  readonly apiVersion: string
  readonly kind: string
  /** Plural, lower case, as in the path. */
  readonly resource: string
  readonly namespaced: boolean
  is(value: unknown): value is T
}

export interface ObjectName {
  readonly name: string
  readonly namespace?: string | undefined
}

function kind<T>(apiVersion: string, name: string, resource: string, namespaced: boolean): Kind<T> {
  return {
    apiVersion,
    kind: name,
    resource,
    namespaced,
    is: (value): value is T =>
      isMap(value) && value['kind'] === name && value['apiVersion'] === apiVersion && isMap(value['metadata'])
  }
}

/** A kind known only by discovery or by its name. */
export function untyped(
  apiVersion: string,
  name: string,
  resource: string,
  namespaced: boolean
): Kind<Manifest> {
  return {
    apiVersion,
    kind: name,
    resource,
    namespaced,
    is: (value): value is Manifest =>
      isManifest(value) && value.kind === name && value.apiVersion === apiVersion
  }
}

export const namespaces = kind<Namespace>('v1', 'Namespace', 'namespaces', false)
export const nodes = kind<Node>('v1', 'Node', 'nodes', false)
export const pods = kind<Pod>('v1', 'Pod', 'pods', true)
export const configMaps = kind<ConfigMap>('v1', 'ConfigMap', 'configmaps', true)
export const secrets = kind<Secret>('v1', 'Secret', 'secrets', true)
export const serviceAccounts = kind<ServiceAccount>('v1', 'ServiceAccount', 'serviceaccounts', true)
export const events = kind<Event>('v1', 'Event', 'events', true)
export const deployments = kind<Deployment>('apps/v1', 'Deployment', 'deployments', true)
const replicaSets = kind<ReplicaSet>('apps/v1', 'ReplicaSet', 'replicasets', true)
export const daemonSets = kind<DaemonSet>('apps/v1', 'DaemonSet', 'daemonsets', true)
export const leases = kind<Lease>('coordination.k8s.io/v1', 'Lease', 'leases', true)
export const flowSchemas = kind<FlowSchema>(
  'flowcontrol.apiserver.k8s.io/v1',
  'FlowSchema',
  'flowschemas',
  false
)
export const customResourceDefinitions = kind<CustomResourceDefinition>(
  'apiextensions.k8s.io/v1',
  'CustomResourceDefinition',
  'customresourcedefinitions',
  false
)
export const nodePools = untyped('karpenter.sh/v1', 'NodePool', 'nodepools', false)
export const nodeClaims = untyped('karpenter.sh/v1', 'NodeClaim', 'nodeclaims', false)
export const nodeOverlays = untyped('karpenter.sh/v1alpha1', 'NodeOverlay', 'nodeoverlays', false)
export const ec2NodeClasses = untyped('karpenter.k8s.aws/v1', 'EC2NodeClass', 'ec2nodeclasses', false)

export const volumeAttachments = untyped('storage.k8s.io/v1', 'VolumeAttachment', 'volumeattachments', false)
export const services = untyped('v1', 'Service', 'services', true)
export const disruptionBudgets = untyped('policy/v1', 'PodDisruptionBudget', 'poddisruptionbudgets', true)
export const roles = untyped('rbac.authorization.k8s.io/v1', 'Role', 'roles', true)
export const roleBindings = untyped('rbac.authorization.k8s.io/v1', 'RoleBinding', 'rolebindings', true)
export const clusterRoles = untyped('rbac.authorization.k8s.io/v1', 'ClusterRole', 'clusterroles', false)
export const clusterRoleBindings = untyped(
  'rbac.authorization.k8s.io/v1',
  'ClusterRoleBinding',
  'clusterrolebindings',
  false
)

const known: readonly Kind<unknown>[] = [
  namespaces,
  nodes,
  pods,
  configMaps,
  secrets,
  serviceAccounts,
  events,
  deployments,
  replicaSets,
  daemonSets,
  leases,
  flowSchemas,
  customResourceDefinitions,
  services,
  disruptionBudgets,
  roles,
  roleBindings,
  clusterRoles,
  clusterRoleBindings,
  nodePools,
  nodeClaims,
  nodeOverlays,
  ec2NodeClasses
]

/** The kind by name where it is in the table; anything else has to be discovered. */
export function knownKind(apiVersion: string, name: string): Kind<Manifest> | undefined {
  const found = known.find((one) => one.apiVersion === apiVersion && one.kind === name)
  return found && untyped(found.apiVersion, found.kind, found.resource, found.namespaced)
}

/** The kind in the table that has this name. */
export function kindNamed(name: string): Kind<unknown> | undefined {
  return known.find((one) => one.kind === name)
}

/** `/apis/apps/v1/namespaces/x/deployments/y`. Without a namespace: the collection over all namespaces. */
export function pathOf(
  of: { readonly apiVersion: string; readonly resource: string },
  at: { readonly namespace?: string | undefined; readonly name?: string | undefined }
): string {
  const root = of.apiVersion.includes('/') ? `/apis/${of.apiVersion}` : `/api/${of.apiVersion}`
  const namespace = at.namespace === undefined ? '' : `/namespaces/${encodeURIComponent(at.namespace)}`
  const name = at.name === undefined ? '' : `/${encodeURIComponent(at.name)}`
  return `${root}${namespace}/${of.resource}${name}`
}

/** `nodepools.karpenter.sh`, as kubectl and RBAC messages call it. */
export function resourceName(of: { readonly apiVersion: string; readonly resource: string }): string {
  const [group, version] = of.apiVersion.split('/')
  return version === undefined ? of.resource : `${of.resource}.${group ?? ''}`
}
