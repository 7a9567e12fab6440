import { loadAll } from 'js-yaml'
import type { Sandbox } from '../../sandbox/index.js'
import { list, record, text } from '../../sandbox/values.js'
import { at, get } from '../scenario.js'

/** Namespaced kinds of Karpenter's chart; the others are the cluster's. */
const namespaced = ['PodDisruptionBudget', 'ServiceAccount', 'Role', 'RoleBinding', 'Service', 'Deployment']

/**
 * Helm's library writes under the name of the program that it is part of, the helm command under its own: gives all that
 * a release's manifest names to the other program.
 */
export async function giveToManager(
  sandbox: Sandbox,
  manifest: string,
  namespace: string,
  manager: string
): Promise<void> {
  for (const object of loadAll(manifest).map(record)) {
    if (object['kind'] === undefined) continue
    const path = pathOf(object, namespace)
    const managedFields = list(at(await get(sandbox, path), 'metadata', 'managedFields')).map((entry) =>
      record(entry)['manager'] === 'helm' ? { ...record(entry), manager } : entry
    )
    const change = [{ op: 'replace', path: '/metadata/managedFields', value: managedFields }]
    const { status } = await sandbox.kubernetes('PATCH', path, change, 'application/json-patch+json')
    if (status !== 200) throw new Error(`${path}: the API server answered ${status}`)
  }
}

function pathOf(object: Readonly<Record<string, unknown>>, releaseNamespace: string): string {
  const kind = text(object['kind']) ?? ''
  const group = text(object['apiVersion']) ?? ''
  const namespace = text(at(object, 'metadata', 'namespace')) ?? releaseNamespace
  const root = group.includes('/') ? `/apis/${group}` : `/api/${group}`
  const within = namespaced.includes(kind) ? `/namespaces/${namespace}` : ''
  return `${root}${within}/${kind.toLowerCase()}s/${text(at(object, 'metadata', 'name')) ?? ''}`
}
