import { additionsTo } from '../kubernetes/additions.js'
import type { Kubernetes } from '../kubernetes/client.js'
import { KubernetesError } from '../kubernetes/errors.js'
import type { Kind } from '../kubernetes/kinds.js'
import type { Manifest } from '../kubernetes/manifest.js'
import { operationsToPutBack } from '../kubernetes/put-back.js'
import { ownersOf } from './kubernetes-object.js'
import { ourName } from '../engine/owner.js'

/** A manifest that the API server would refuse. */
export interface Refusal {
  /** `NodePool default` */
  readonly title: string
  /** In the server's words. */
  readonly message: string
  /** Where it is not the manifest that is wrong. */
  readonly fix?: string
}

/**
 * What the API server says to manifests without writing them, whatever its answer: schema, unknown fields, CEL rules,
 * immutable fields, a webhook's denial. Kinds whose CRD is not there yet cannot be asked and are passed over.
 */
export async function refusals(
  kubernetes: Kubernetes,
  manifests: readonly Manifest[],
  lacking: LackingRight = 'is a refusal'
): Promise<readonly Refusal[]> {
  const found = await Promise.all(
    manifests.map(async (manifest) => {
      const kind = await kubernetes.kindOf(manifest.apiVersion, manifest.kind)
      if (kind === undefined) return []
      try {
        await kubernetes.apply(kind, manifest, { dryRun: true, force: true, fieldValidation: 'Strict' })
        return []
      } catch (error) {
        if (!(error instanceof KubernetesError)) throw error
        if (lacking === 'is thrown' && error.permission !== undefined) throw error
        if (error.status === 404 || noDryRun(error)) return []
        if (error.status === 422 && (await isTakenCleared(kubernetes, kind, manifest))) return []
        const title = `${manifest.kind} ${manifest.metadata.name}`
        const manifestIsWrong = error.status === 400 || error.status === 422
        return [{ title, message: error.message, ...(!manifestIsWrong && { fix: error.fix }) }]
      }
    })
  )
  return found.flat()
}

/** What becomes of a caller that may not write: it installs, and is refused; or another will, and it cannot be asked. */
export type LackingRight = 'is a refusal' | 'is thrown'

/** A webhook with side effects cannot be asked in a dry run: nothing is known then. */
export function noDryRun({ message }: KubernetesError): boolean {
  return /does not support dry run/.test(message)
}

/**
 * Whether the server takes what is there once others' additions are out of it, which an install writes first: somebody's
 * `instanceProfile`, say, beside which our `role` is refused.
 */
async function isTakenCleared(
  kubernetes: Kubernetes,
  kind: Kind<Manifest>,
  manifest: Manifest
): Promise<boolean> {
  const { name, namespace } = manifest.metadata
  const live = await kubernetes.get(kind, name, namespace)
  const owners = ownersOf(live, { owner: ourName, run: '' })
  if (additionsTo(manifest, live, owners).length === 0) return false
  const operations = operationsToPutBack(manifest, live, owners)
  try {
    await kubernetes.patch(kind, { name, namespace }, { type: 'json', operations }, { dryRun: true })
    return true
  } catch (error) {
    if (error instanceof KubernetesError) return false
    throw error
  }
}
