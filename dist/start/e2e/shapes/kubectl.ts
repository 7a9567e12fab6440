import { loadAll } from 'js-yaml'
import type { Sandbox } from '../../sandbox/index.js'
import { record, text } from '../../sandbox/values.js'
import { at, until, type KubernetesObject } from '../scenario.js'

const lastApplied = 'kubectl.kubernetes.io/last-applied-configuration'

/** Collections of the kinds that people apply, by kind; namespaced ones take their namespace's place. */
const collections: Readonly<Record<string, (namespace: string) => string>> = {
  Namespace: () => '/api/v1/namespaces',
  ConfigMap: (namespace) => `/api/v1/namespaces/${namespace}/configmaps`,
  ServiceAccount: (namespace) => `/api/v1/namespaces/${namespace}/serviceaccounts`,
  CustomResourceDefinition: () => '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
  FlowSchema: () => '/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas',
  NodePool: () => '/apis/karpenter.sh/v1/nodepools',
  EC2NodeClass: () => '/apis/karpenter.k8s.aws/v1/ec2nodeclasses'
}

/**
 * `kubectl apply -f -`, client-side as it is by default: the field manager is kubectl-client-side-apply, and the
 * manifest as it was given is kept in an annotation.
 */
export async function kubectlApply(sandbox: Sandbox, manifests: string): Promise<void> {
  for (const manifest of documents(manifests)) {
    const { metadata } = manifest
    const annotations = {
      ...record(at(manifest, 'metadata', 'annotations')),
      [lastApplied]: `${JSON.stringify(manifest)}\n`
    }
    await create(
      sandbox,
      { ...manifest, metadata: { ...record(metadata), annotations } },
      'kubectl-client-side-apply'
    )
  }
}

/** `kubectl create -f -`. */
export async function kubectlCreate(sandbox: Sandbox, manifests: string): Promise<void> {
  for (const manifest of documents(manifests)) await create(sandbox, manifest, 'kubectl-create')
}

/** Makes one object as a program of that name does. */
export async function create(sandbox: Sandbox, manifest: KubernetesObject, manager: string): Promise<void> {
  const kind = text(manifest['kind']) ?? ''
  const name = text(at(manifest, 'metadata', 'name')) ?? ''
  const path = collections[kind]?.(text(at(manifest, 'metadata', 'namespace')) ?? 'default')
  if (path === undefined) throw new Error(`${kind} ${name}: no collection is known for its kind`)
  await until(`${kind} ${name} to be taken`, async () => {
    const answer = await sandbox.kubernetes('POST', `${path}?fieldManager=${manager}`, manifest)
    if (answer.status === 201) return true
    // A CRD that has just come is not served at once, and then its storage is set up.
    if ((answer.status === 404 || answer.status === 429) && path.includes('karpenter')) return undefined
    throw new Error(
      `${kind} ${name}: the API server answered ${answer.status} ${JSON.stringify(answer.body)}`
    )
  })
}

function documents(manifests: string): readonly KubernetesObject[] {
  return loadAll(manifests).map(record)
}
