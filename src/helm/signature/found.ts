import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { isMap, type JsonMap, mapAt } from '../../engine/json.js'
import type { Answer } from '../download.js'
import type { Registry } from '../registry.js'

/** A signature as a registry holds it; nothing in it is proved yet. */
export type FoundSignature =
  /** cosign's own form: what was signed, and the annotations of its layer (cosign, specs/SIGNATURE_SPEC.md). */
  | { readonly kind: 'cosign'; readonly payload: Buffer; readonly annotations: JsonMap }
  /** Sigstore's bundle, as JSON (cosign, specs/BUNDLE_SPEC.md). */
  | { readonly kind: 'bundle'; readonly text: string }

const manifestTypes =
  'application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json'
const indexType = 'application/vnd.oci.image.index.v1+json'
const simpleSigning = 'application/vnd.dev.cosign.simplesigning.v1+json'
const bundleType = /^application\/vnd\.dev\.sigstore\.bundle[.+]/
/** More signatures of one artifact than these are not looked at. */
const most = 20

/** The manifest of that digest, which it was held to. Throws where the registry does not give it. */
export async function manifestOf(registry: Registry, digest: string, signal: AbortSignal): Promise<Buffer> {
  return byDigest(registry, 'manifests', digest, signal)
}

/** Signatures at the tag that cosign gives them, `sha256-<hex>.sig`; none where there is no such tag. */
export async function taggedSignatures(
  registry: Registry,
  digest: string,
  signal: AbortSignal
): Promise<readonly FoundSignature[]> {
  const answer = await answerOf(registry, `manifests/${tagOf(digest)}.sig`, manifestTypes, signal)
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
  const listed = await answerOf(registry, `referrers/${digest}`, indexType, signal)
  const entries = listed.status === 200 ? entriesIn(listed.bytes) : undefined
  const found: FoundSignature[] = []
  for (const entry of (entries ?? (await entriesAtTag(registry, digest, signal))).slice(0, most)) {
    const manifest = await byDigest(registry, 'manifests', digestIn(entry), signal)
    found.push(...(await signaturesIn(registry, manifest, signal)))
  }
  return found
}

/** sha256:<hex> */
export function sha256Of(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

/** Layers of a manifest: media type, digest, annotations. */
export function layersIn(manifest: Buffer): readonly JsonMap[] {
  return mapsAt(parsed(manifest), 'layers')
}

async function entriesAtTag(
  registry: Registry,
  digest: string,
  signal: AbortSignal
): Promise<readonly JsonMap[]> {
  const answer = await answerOf(registry, `manifests/${tagOf(digest)}`, indexType, signal)
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
    const blob = await byDigest(registry, 'blobs', digestIn(layer), signal)
    found.push(
      type === simpleSigning
        ? { kind: 'cosign', payload: blob, annotations: mapAt(layer, 'annotations') }
        : { kind: 'bundle', text: blob.toString('utf8') }
    )
  }
  return found
}

async function byDigest(
  registry: Registry,
  kind: 'manifests' | 'blobs',
  digest: string,
  signal: AbortSignal
): Promise<Buffer> {
  const accept = kind === 'manifests' ? manifestTypes : undefined
  const bytes = wellAnswered(await answerOf(registry, `${kind}/${digest}`, accept, signal))
  if (sha256Of(bytes) !== digest) throw new Error(`what it gives as ${digest} is ${sha256Of(bytes)}`)
  return bytes
}

const attempts = 3

/** What may pass is asked for again. */
async function answerOf(
  registry: Registry,
  path: string,
  accept: string | undefined,
  signal: AbortSignal
): Promise<Answer> {
  for (let attempt = 1; ; attempt++) {
    try {
      const answer = await registry.ask(registry.url(path), accept)
      if (attempt === attempts || (answer.status !== 429 && answer.status < 500)) return answer
    } catch (error) {
      signal.throwIfAborted()
      if (attempt === attempts) throw error
    }
    await sleep(250 * 2 ** attempt, undefined, { signal })
  }
}

function wellAnswered({ status, bytes }: Answer): Buffer {
  if (status !== 200) throw new Error(`HTTP ${status}`)
  return bytes
}

function parsed(bytes: Buffer): JsonMap {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'))
    return isMap(value) ? value : {}
  } catch {
    return {}
  }
}

function mapsAt(value: JsonMap, key: string): readonly JsonMap[] {
  const list = value[key]
  return Array.isArray(list) ? list.filter(isMap) : []
}

/** Of a descriptor; what is no digest is no path of the registry either. */
function digestIn({ digest }: JsonMap): string {
  if (typeof digest === 'string' && /^sha256:[0-9a-f]{64}$/.test(digest)) return digest
  throw new Error('a descriptor in it has no SHA-256')
}

function tagOf(digest: string): string {
  return digest.replace(':', '-')
}
