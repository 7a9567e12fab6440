import { type JsonMap, mapAt } from '../../engine/json.js'
import {
  answerOf,
  byDigest,
  digestIn,
  layersIn,
  manifestTypes,
  mapsAt,
  parsed,
  wellAnswered
} from '../artifact.js'
import type { Registry } from '../registry.js'

/** A signature as a registry holds it; nothing in it is proved yet. */
export type FoundSignature =
  /** cosign's own form: what was signed, and the annotations of its layer (cosign, specs/SIGNATURE_SPEC.md). */
  | { readonly kind: 'cosign'; readonly payload: Buffer; readonly annotations: JsonMap }
  /** Sigstore's bundle, as JSON (cosign, specs/BUNDLE_SPEC.md). */
  | { readonly kind: 'bundle'; readonly text: string }

const indexType = 'application/vnd.oci.image.index.v1+json'
const simpleSigning = 'application/vnd.dev.cosign.simplesigning.v1+json'
const bundleType = /^application\/vnd\.dev\.sigstore\.bundle[.+]/
/** More signatures of one artifact than these are not looked at. */
const most = 20

/** Signatures at the tag that cosign gives them, `sha256-<hex>.sig`; none where there is no such tag. */
export async function taggedSignatures(
  registry: Registry,
  digest: string,
  signal: AbortSignal
): Promise<readonly FoundSignature[]> {
  const answer = await answerOf(registry, `manifests/${tagOf(digest)}.sig`, manifestTypes, { signal })
  return answer.status === 404 ? [] : signaturesIn(registry, wellAnswered(answer), signal)
}

/**
 * Signatures that refer to the artifact, by the API of distribution-spec v1.1, and by the tag `sha256-<hex>` where the
 * registry does not have that (same place, "Unavailable Referrers API").
 */
export async function referringSignatures(
  registry: Registry,
  digest: string,
  signal: AbortSignal
): Promise<readonly FoundSignature[]> {
  const listed = await answerOf(registry, `referrers/${digest}`, indexType, { signal })
  const entries = listed.status === 200 ? entriesIn(listed.bytes) : undefined
  const found: FoundSignature[] = []
  for (const entry of (entries ?? (await entriesAtTag(registry, digest, signal))).slice(0, most)) {
    const manifest = await byDigest(registry, 'manifests', digestIn(entry), { signal })
    found.push(...(await signaturesIn(registry, manifest, signal)))
  }
  return found
}

async function entriesAtTag(
  registry: Registry,
  digest: string,
  signal: AbortSignal
): Promise<readonly JsonMap[]> {
  const answer = await answerOf(registry, `manifests/${tagOf(digest)}`, indexType, { signal })
  return answer.status === 404 ? [] : (entriesIn(wellAnswered(answer)) ?? [])
}

/** Manifests in an index that may be signatures; undefined where it is none, as of a registry that answers with a page. */
function entriesIn(index: Buffer): readonly JsonMap[] | undefined {
  const list = parsed(index)
  if (!Array.isArray(list['manifests'])) return undefined
  // An attestation in cosign's older form says nothing of who released the artifact.
  return mapsAt(list, 'manifests').filter(({ artifactType }) =>
    typeof artifactType === 'string'
      ? bundleType.test(artifactType) || artifactType.includes('cosign.artifact.sig')
      : artifactType === undefined
  )
}

async function signaturesIn(
  registry: Registry,
  manifest: Buffer,
  signal: AbortSignal
): Promise<readonly FoundSignature[]> {
  const found: FoundSignature[] = []
  for (const layer of layersIn(manifest).slice(0, most)) {
    const type = String(layer['mediaType'])
    if (type !== simpleSigning && !bundleType.test(type)) continue
    const blob = await byDigest(registry, 'blobs', digestIn(layer), { signal })
    found.push(
      type === simpleSigning
        ? { kind: 'cosign', payload: blob, annotations: mapAt(layer, 'annotations') }
        : { kind: 'bundle', text: blob.toString('utf8') }
    )
  }
  return found
}

function tagOf(digest: string): string {
  return digest.replace(':', '-')
}
