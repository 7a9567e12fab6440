import { isMap } from '../../engine/json.js'
import type { Step } from '../../engine/resource.js'
import { fieldManager, type Kubernetes } from '../../kubernetes/client.js'
import type { JsonPatchOperation } from '../../kubernetes/patch.js'
import { customResourceDefinitions, secrets } from '../../kubernetes/kinds.js'
import { field, listField, textField } from '../../kubernetes/manifest.js'
import type { CrdKeeper, KeepingRelease } from './crd-keeper.js'

/** What tools know their objects by, in labels and annotations alike. */
const marks =
  /^(meta\.helm\.sh\/|argocd\.argoproj\.io\/|(kustomize|helm)\.toolkit\.fluxcd\.io\/|pulumi\.com\/|crossplane\.io\/|objectset\.rio\.cattle\.io\/|kapp\.k14s\.io\/|kubectl\.kubernetes\.io\/last-applied-configuration$|app\.kubernetes\.io\/(managed-by|instance)$)/

/**
 * Takes the records of the releases away, so that no `helm uninstall` deletes their CRDs, and every NodePool with them.
 * Before any mark goes: a run that is broken off in between is seen to have more to do. `keep` has the whole of each first.
 */
export async function forgetReleases(
  kubernetes: Kubernetes,
  keepers: readonly CrdKeeper[],
  keep: (name: string, text: string) => void,
  step: Step
): Promise<void> {
  const releases = new Map(
    keepers.flatMap(({ release }) =>
      release === undefined ? [] : [[`${release.namespace}/${release.name}`, release] as const]
    )
  )
  for (const [key, release] of releases) {
    keep(`Helm release ${key}, revision ${release.revision}`, release.manifest)
    const removed = await forget(kubernetes, release)
    step.changed(
      `removed the record of Helm release ${key} (chart ${release.version}, ${removed} ${removed === 1 ? 'revision' : 'revisions'}), so that no helm uninstall deletes the CRDs; the report keeps its manifest`
    )
  }
}

async function forget(kubernetes: Kubernetes, { name, namespace }: KeepingRelease): Promise<number> {
  const { items } = await kubernetes.list(secrets, { namespace, labelSelector: `owner=helm,name=${name}` })
  for (const secret of items) {
    await kubernetes.delete(secrets, { name: secret.metadata?.name ?? '', namespace })
  }
  return items.length
}

/**
 * Takes off a CRD what its keeper knows it by, and what other field managers hold of it; ours and the API server's own
 * entries stay. A tool that has it in its source writes it again: that is said.
 */
export async function takeMarksOff(
  kubernetes: Kubernetes,
  name: string,
  keeper: CrdKeeper,
  step: Step
): Promise<void> {
  const crd = await kubernetes.get(customResourceDefinitions, name)
  const found = ['labels', 'annotations'].flatMap((part) => {
    const texts = field(crd, 'metadata', part)
    return Object.keys(isMap(texts) ? texts : {})
      .filter((key) => marks.test(key))
      .filter((key) => textField(texts, key) !== fieldManager)
      .map((key) => ({ part, key }))
  })
  const entries = listField(crd, 'metadata', 'managedFields')
  const kept = entries.filter(
    (entry) => textField(entry, 'subresource') !== undefined || textField(entry, 'manager') === fieldManager
  )
  const operations: readonly JsonPatchOperation[] = [
    { op: 'test', path: '/metadata/resourceVersion', value: textField(crd, 'metadata', 'resourceVersion') },
    ...found.map(({ part, key }) => ({ op: 'remove' as const, path: `/metadata/${part}/${escaped(key)}` })),
    ...(kept.length === entries.length
      ? []
      : [{ op: 'replace' as const, path: '/metadata/managedFields', value: kept.length > 0 ? kept : [{}] }])
  ]
  await kubernetes.patch(customResourceDefinitions, { name }, { type: 'json', operations })
  const taken = found.map(({ part, key }) => `${part === 'labels' ? 'label' : 'annotation'} ${key}`)
  step.changed(`took CRD ${name} over from ${keeper.who}${taken.length === 0 ? '' : `: ${taken.join(', ')}`}`)
  if (!keeper.who.startsWith('Helm release ')) {
    step.warning(
      `CRD ${name}: ${keeper.who} writes it again until it is taken out of its source (${keeper.evidence.join('; ')})`
    )
  }
}

/** A key as a part of a JSON pointer (RFC 6901). */
function escaped(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1')
}
