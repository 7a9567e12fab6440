import type { Ownership } from '../../aws/environment.js'
import { onceEach } from '../../engine/once.js'
import { readYaml } from '../../engine/yaml.js'
import { readRelease } from '../../helm/release.js'
import { isCrdOfCharts } from '../../karpenter/crd-names.js'
import type { Kubernetes } from '../../kubernetes/client.js'
import { isManifest, textField } from '../../kubernetes/manifest.js'
import { ownerOfObject } from '../../adoption/owners/object-owner.js'

/** The Helm release whose manifest has a CRD. */
export interface KeepingRelease {
  readonly name: string
  readonly namespace: string
  readonly revision: number
  /** Of its chart: `1.2.1`. */
  readonly version: string
  readonly manifest: string
  /** `ConfigMap/x` of every object that is no CRD of Karpenter. */
  readonly others: readonly string[]
}

/** Who keeps a CRD beside us: upgrades it, puts it back, or takes it away with all objects of its kind. */
export interface CrdKeeper {
  /** `Helm release kube-system/karpenter-crd`, `Argo CD Application karpenter`. */
  readonly who: string
  /** One line each: `annotation meta.helm.sh/release-name=karpenter-crd`. */
  readonly evidence: readonly string[]
  readonly release: KeepingRelease | undefined
}

const releaseName = 'meta.helm.sh/release-name'
const releaseNamespace = 'meta.helm.sh/release-namespace'

/**
 * Programs that write CRDs once, out of a chart's crds/ folder, and never look at them again: helm itself and what has it
 * built in. Their field manager alone keeps nothing.
 */
const writesOnce = /^field manager (helm|terraform-provider-\S*|kubectl-datadog|eksctl)\b/

/**
 * Who keeps each of the CRDs, by name; those that nobody keeps are left out. A release is asked for only where a CRD is
 * marked by one, and one whose record is gone keeps nothing. `own`: our release.
 */
export async function keepersOf(
  kubernetes: Kubernetes,
  crds: readonly unknown[],
  ownership: Ownership,
  own: { readonly name: string; readonly namespace: string }
): Promise<ReadonlyMap<string, CrdKeeper>> {
  const release = onceEach(async (name: string, namespace: string) =>
    keepingRelease(kubernetes, name, namespace)
  )
  const releaseOf = async (crd: unknown): Promise<KeepingRelease | undefined> => {
    const name = textField(crd, 'metadata', 'annotations', releaseName)
    const namespace = textField(crd, 'metadata', 'annotations', releaseNamespace) ?? ''
    if (name === undefined || (name === own.name && namespace === own.namespace)) return undefined
    return release(name, namespace)
  }
  const found = await Promise.all(
    crds.map(async (crd): Promise<readonly (readonly [string, CrdKeeper])[]> => {
      const keeper = keeperOf(crd, await releaseOf(crd), ownership)
      return keeper === undefined ? [] : [[textField(crd, 'metadata', 'name') ?? '', keeper]]
    })
  )
  return new Map(found.flat())
}

/** Whether our own release has the CRD in its manifest, so that helm would take it away once the chart has it no more. */
export function isOfRelease(
  crd: unknown,
  own: { readonly name: string; readonly namespace: string }
): boolean {
  return (
    textField(crd, 'metadata', 'annotations', releaseName) === own.name &&
    textField(crd, 'metadata', 'annotations', releaseNamespace) === own.namespace
  )
}

/** `Helm release kube-system/karpenter-crd (annotation meta.helm.sh/release-name=karpenter-crd)`. */
export function keeperText({ who, evidence }: CrdKeeper): string {
  return `${who} (${evidence.join('; ')})`
}

function keeperOf(
  crd: unknown,
  release: KeepingRelease | undefined,
  ownership: Ownership
): CrdKeeper | undefined {
  const owner = ownerOfObject(crd, ownership)
  const lasting = owner.kind === 'other' && owner.evidence.some((one) => !writesOnce.test(one))
  const byRelease = owner.kind === 'other' && owner.who.startsWith('Helm release ')
  if (lasting && !byRelease) return { who: owner.who, evidence: owner.evidence, release }
  if (release === undefined) return undefined
  return {
    who: `Helm release ${release.namespace}/${release.name}`,
    evidence: [
      `annotation ${releaseName}=${release.name}`,
      `revision ${release.revision}, chart ${release.version}`
    ],
    release
  }
}

async function keepingRelease(
  kubernetes: Kubernetes,
  name: string,
  namespace: string
): Promise<KeepingRelease | undefined> {
  const release = await readRelease(kubernetes, name, namespace)
  if (release === undefined || release.status === 'uninstalled') return undefined
  const objects = readYaml(release.manifest)
    .map(({ value }) => value)
    .filter((document) => isManifest(document))
  return {
    name,
    namespace,
    revision: release.revision,
    version: release.chartVersion,
    manifest: release.manifest,
    others: objects
      .filter(({ kind, metadata }) => kind !== 'CustomResourceDefinition' || !isCrdOfCharts(metadata.name))
      .map(({ kind, metadata }) => `${kind}/${metadata.name}`)
  }
}
