import { mapAt } from './engine/json.js'
import type { InstallRecord } from './engine/record.js'
import type { Chart } from './helm/chart.js'
import type { Inputs } from './inputs.js'
import { isManifest, type Manifest } from './kubernetes/manifest.js'

/**
 * The inputs with everything that the record says was chosen at the last install: an uninstall takes away what is there,
 * whatever the workflow's inputs have become since. Without a record they are as given.
 */
export function recordedInputs(inputs: Inputs, record: InstallRecord | undefined): Inputs {
  if (record === undefined) return inputs
  const wanted = (id: string): unknown => record.resources[id]?.wanted
  const nodeRole = text(wanted('node-access'), 'nodeRoleArn')?.split('/').at(-1)
  const template = text(wanted('stack'), 'template')
  return {
    ...inputs,
    karpenterVersion: record.karpenterVersion,
    namespace: text(wanted('helm-release'), 'namespace') ?? inputs.namespace,
    controllerRoleName: text(wanted('controller-role'), 'roleName') ?? inputs.controllerRoleName,
    nodeRoleName: nodeRole ?? inputs.nodeRoleName,
    stackName: text(wanted('stack'), 'name') ?? inputs.stackName,
    ...('oidc-provider' in record.resources && { controllerIdentity: 'irsa' }),
    ...('pod-identity-association' in record.resources && { controllerIdentity: 'pod-identity' }),
    ...(nodeRole !== undefined && {
      nodeAccess: text(wanted('node-access'), 'type') === undefined ? 'aws-auth' : 'access-entry'
    }),
    ...(template !== undefined && { template: { kind: 'text', text: template, origin: 'as recorded' } }),
    nodePools: { kind: 'none' }
  }
}

/** The chart as far as the record has it, which is as far as a removal needs it; undefined: it must be pulled. */
export function recordedChart(record: InstallRecord | undefined): Chart | undefined {
  const crds = mapAt(record?.resources['crds'], 'wanted')['crds']
  if (record === undefined || !Array.isArray(crds) || !crds.every(isManifest)) return undefined
  const version = record.karpenterVersion
  return { path: '', name: 'karpenter', version, appVersion: version, digest: undefined, values: {}, crds }
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
