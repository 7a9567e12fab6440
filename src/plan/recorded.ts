import { isMap, mapAt } from '../engine/json.js'
import type { InstallRecord } from '../engine/record.js'
import type { Inputs } from '../inputs/inputs.js'
import { isManifest, type Manifest } from '../kubernetes/manifest.js'

/**
 * The inputs with everything that the record says was chosen at the last install: an uninstall takes away what is there,
 * whatever the workflow's inputs have become since. What the record does not say is as given; nothing is downloaded for it.
 */
export function recordedInputs(given: Inputs, record: InstallRecord | undefined): Inputs {
  const inputs: Inputs = {
    ...given,
    nodePools: { kind: 'none' },
    ...(given.template.kind === 'upstream' && { template: { kind: 'built-in' } })
  }
  if (record === undefined) return inputs
  const wanted = (id: string): unknown => record.resources[id]?.wanted
  const nodeRole = text(wanted('node-access'), 'nodeRoleArn')?.split('/').at(-1)
  const template = text(wanted('stack'), 'template')
  return {
    ...inputs,
    karpenterVersion: { kind: 'exact', version: record.karpenterVersion },
    namespace: text(wanted('helm-release'), 'namespace') ?? inputs.namespace,
    controllerRoleName: text(wanted('controller-role'), 'roleName') ?? inputs.controllerRoleName,
    nodeRoleName: nodeRole ?? inputs.nodeRoleName,
    stackName: text(wanted('stack'), 'name') ?? inputs.stackName,
    ...(mapAt({ crds: wanted('crds') }, 'crds')['left'] === true && { crds: 'leave' }),
    ...('oidc-provider' in record.resources && { controllerIdentity: 'irsa' }),
    ...('pod-identity-association' in record.resources && { controllerIdentity: 'pod-identity' }),
    ...(nodeRole !== undefined && {
      nodeAccess: text(wanted('node-access'), 'type') === undefined ? 'aws-auth' : 'access-entry'
    }),
    ...(template !== undefined && { template: { kind: 'text', text: template, origin: 'as recorded' } })
  }
}

/** Version and values of the Helm release of the last install that ended well, and the digest of its chart. */
export function recordedRelease(record: InstallRecord | undefined):
  | {
      readonly version: string
      readonly values: Readonly<Record<string, unknown>>
      readonly digest: string | undefined
    }
  | undefined {
  const wanted = mapAt(record?.resources['helm-release'], 'wanted')
  const { version, values, digest } = wanted
  if (typeof version !== 'string' || !isMap(values)) return undefined
  return { version, values, digest: typeof digest === 'string' ? digest : undefined }
}

/** CRDs of the last install; undefined when the record has none. */
export function recordedCrds(record: InstallRecord | undefined): readonly Manifest[] | undefined {
  const crds = mapAt(record?.resources['crds'], 'wanted')['crds']
  return Array.isArray(crds) && crds.every(isManifest) ? crds : undefined
}

/** NodePools or EC2NodeClasses of the last install. */
export function recordedManifests(
  record: InstallRecord | undefined,
  kind: 'node-pool' | 'ec2-node-class'
): readonly Manifest[] {
  return Object.entries(record?.resources ?? {})
    .filter(([id]) => id.startsWith(`${kind}/`))
    .map(([, { wanted }]) => wanted)
    .filter((wanted) => isManifest(wanted))
}

function text(wanted: unknown, key: string): string | undefined {
  const value = mapAt({ wanted }, 'wanted')[key]
  return typeof value === 'string' ? value : undefined
}
