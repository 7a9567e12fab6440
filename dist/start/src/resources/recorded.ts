import { isMap, mapAt } from '../engine/json.js'
import type { InstallRecord } from '../engine/record.js'
import { isManifest, type Manifest } from '../kubernetes/manifest.js'
import { idOf, nameIn, type ResourceId } from './ids.js'

type Known = InstallRecord | undefined

/** What the last install wanted of a resource; empty when the record has none of it. */
function wantedOf(record: Known, id: ResourceId): Readonly<Record<string, unknown>> {
  return mapAt(record?.resources[id], 'wanted')
}

export function isRecorded(record: Known, id: ResourceId): boolean {
  return record?.resources[id] !== undefined
}

/** Name and template of the stack, the template as it was given. */
export function recordedStack(record: Known): { readonly name?: string; readonly template?: string } {
  const { name, template } = wantedOf(record, idOf.stack)
  return { ...(typeof name === 'string' && { name }), ...(typeof template === 'string' && { template }) }
}

/** The role whose nodes join, and how. */
export function recordedNodeAccess(
  record: Known
): { readonly nodeRoleArn: string; readonly by: 'access-entry' | 'aws-auth' } | undefined {
  const { nodeRoleArn, type } = wantedOf(record, idOf.nodeAccess)
  if (typeof nodeRoleArn !== 'string') return undefined
  return { nodeRoleArn, by: typeof type === 'string' ? 'access-entry' : 'aws-auth' }
}

/** The controller's role; its permissions boundary as it was set, `none` included. */
export function recordedControllerRole(record: Known): {
  readonly name?: string
  readonly permissionsBoundary?: string
} {
  const { roleName, permissionsBoundary } = wantedOf(record, idOf.controllerRole)
  return {
    ...(typeof roleName === 'string' && { name: roleName }),
    ...(typeof permissionsBoundary === 'string' && { permissionsBoundary })
  }
}

/** Namespace of the Helm release: known from the first write on. */
export function recordedNamespace(record: Known): string | undefined {
  const { namespace } = wantedOf(record, idOf.helmRelease)
  return typeof namespace === 'string' ? namespace : undefined
}

/** Version and values of the Helm release of the last install that ended well, and the digest of its chart. */
export function recordedRelease(record: Known):
  | {
      readonly version: string
      readonly values: Readonly<Record<string, unknown>>
      readonly digest: string | undefined
    }
  | undefined {
  const { version, values, digest } = wantedOf(record, idOf.helmRelease)
  if (typeof version !== 'string' || !isMap(values)) return undefined
  return { version, values, digest: typeof digest === 'string' ? digest : undefined }
}

/** CRDs of the last install; undefined when the record has none. `left`: they are somebody else's. */
export function recordedCrds(record: Known): readonly Manifest[] | undefined {
  const { crds } = wantedOf(record, idOf.crds)
  return Array.isArray(crds) && crds.every(isManifest) ? crds : undefined
}

/** Whether the CRDs were left to whoever keeps them. */
export function leftCrds(record: Known): boolean {
  return wantedOf(record, idOf.crds)['left'] === true
}

/** NodePools or EC2NodeClasses of the last install. */
export function recordedManifests(record: Known, kind: 'nodePool' | 'ec2NodeClass'): readonly Manifest[] {
  return Object.entries(record?.resources ?? {})
    .filter(([id]) => nameIn(idOf[kind], id) !== undefined)
    .map(([, { wanted }]) => wanted)
    .filter((wanted) => isManifest(wanted))
}
