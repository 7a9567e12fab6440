import { loadAll } from 'js-yaml'
import type { Sandbox } from '../../sandbox/index.js'
import { list, record, text } from '../../sandbox/values.js'
import { at, get, listed, paths } from '../scenario.js'
import { helm } from './helm-install.js'

/** Namespaced kinds of Karpenter's chart; the others are the cluster's. */
const namespaced = ['PodDisruptionBudget', 'ServiceAccount', 'Role', 'RoleBinding', 'Service', 'Deployment']

/**
 * Helm's library writes under the name of the program that it is part of, the helm command under its own: gives all that
 * came with a release, its CRDs and the namespace that was made for it too, to the other program.
 */
export async function giveToManager(
  sandbox: Sandbox,
  release: { readonly name: string; readonly namespace: string },
  manager: string
): Promise<void> {
  const { name, namespace } = release
  const manifest = await helm(sandbox, ['get', 'manifest', name, '--namespace', namespace])
  const objects = loadAll(manifest)
    .map(record)
    .filter(({ kind }) => kind !== undefined)
  const crds = (await listed(sandbox, paths.crds)).map((crd) => text(at(crd, 'metadata', 'name')) ?? '')
  const all = [
    ...objects.map((object) => pathOf(object, namespace)),
    ...crds.map((crd) => `${paths.crds}/${crd}`),
    `/api/v1/namespaces/${namespace}`
  ]
  for (const path of all) {
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
