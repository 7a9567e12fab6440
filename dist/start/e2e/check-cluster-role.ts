import { readFileSync } from 'node:fs'
import { loadAll } from 'js-yaml'
import type { Sandbox } from '../sandbox/index.js'
import { record, text } from '../sandbox/values.js'
import { at, type KubernetesObject } from './scenario.js'

const file = new URL('../docs/permissions/check-cluster-role.yaml', import.meta.url)
const rbac = '/apis/rbac.authorization.k8s.io/v1'

/** The group to which the published roles are bound. */
export const checkGroup = 'setup-karpenter-check'

/** docs/permissions/check-cluster-role.yaml, for a controller in this namespace. */
export function checkRoles(namespace = 'karpenter'): readonly KubernetesObject[] {
  const published = readFileSync(file, 'utf8').replaceAll(
    'namespace: karpenter\n',
    `namespace: ${namespace}\n`
  )
  return loadAll(published).map(record)
}

/** Where an object of RBAC stands, with its name. */
export function pathOf(manifest: KubernetesObject): string {
  return `${collectionOf(manifest)}/${text(at(manifest, 'metadata', 'name')) ?? ''}`
}

/** `kubectl apply -f check-cluster-role.yaml` */
export async function applyCheckRoles(sandbox: Sandbox, namespace?: string): Promise<void> {
  for (const manifest of checkRoles(namespace)) {
    const { status } = await sandbox.kubernetes('POST', collectionOf(manifest), manifest)
    if (status !== 201) throw new Error(`${pathOf(manifest)}: the API server answered ${status}`)
  }
}

function collectionOf(manifest: KubernetesObject): string {
  const namespace = text(at(manifest, 'metadata', 'namespace'))
  const plural = `${(text(manifest['kind']) ?? '').toLowerCase()}s`
  return `${rbac}${namespace === undefined ? '' : `/namespaces/${namespace}`}/${plural}`
}
