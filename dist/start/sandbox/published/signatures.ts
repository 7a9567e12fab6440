import { digestOf } from './chart.js'
import { type ChartSignature, type ChartSigner, releaseIdentity } from './signer.js'

/**
 * How charts are signed. `release`: by upstream's release workflow, as cosign 2 stores it. `bundle`: the same as cosign 3
 * does. `another workflow`: by one that releases nothing.
 */
export type Signing = 'release' | 'bundle' | 'another workflow' | 'none'

/** A manifest with its media type. */
export interface SignatureManifest {
  readonly type: string
  readonly body: Buffer
}

/** Signatures of charts, beside them in their repository. */
export interface Signatures {
  /** Makes what belongs to a chart. */
  add(of: { readonly artifact: string; readonly digest: string; readonly version: string }): Promise<void>
  manifest(signing: Signing, reference: string): SignatureManifest | undefined
  blob(digest: string): Buffer | undefined
  /** The index of what refers to an artifact. */
  referrers(signing: Signing, digest: string): SignatureManifest
  /** Tag that cosign 2 gives the signatures of an artifact. */
  tagOf(digest: string): string
}

const manifestType = 'application/vnd.oci.image.manifest.v1+json'
const indexType = 'application/vnd.oci.image.index.v1+json'
const bundleType = 'application/vnd.dev.sigstore.bundle.v0.3+json'
const otherIdentity =
  'https://github.com/aws/karpenter-provider-aws/.github/workflows/ci.yaml@refs/heads/main'

export function signaturesBy(signer: ChartSigner): Signatures {
  const blobs = new Map<string, Buffer>()
  const manifests = new Map<string, Buffer>()
  const tagged = { release: new Map<string, Buffer>(), 'another workflow': new Map<string, Buffer>() }
  const referring = new Map<string, unknown>()

  const put = (type: string, content: Buffer) => {
    blobs.set(digestOf(content), content)
    return { mediaType: type, digest: digestOf(content), size: content.length }
  }
  const manifestOf = (fields: Readonly<Record<string, unknown>>): Buffer =>
    Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: manifestType, ...fields }))
  const tag = ({ payload, annotations }: ChartSignature): Buffer =>
    manifestOf({
      config: put('application/vnd.oci.image.config.v1+json', Buffer.from('{}')),
      layers: [{ ...put('application/vnd.dev.cosign.simplesigning.v1+json', payload), annotations }]
    })
  const tagOf = (digest: string): string => `${digest.replace(':', '-')}.sig`

  return {
    tagOf,
    add: async (of) => {
      const release = await signer.sign({ ...of, identity: releaseIdentity(of.version) })
      tagged.release.set(tagOf(of.digest), tag(release))
      tagged['another workflow'].set(
        tagOf(of.digest),
        tag(await signer.sign({ ...of, identity: otherIdentity }))
      )
      const manifest = manifestOf({
        artifactType: bundleType,
        config: put('application/vnd.oci.empty.v1+json', Buffer.from('{}')),
        layers: [put(bundleType, release.bundle)],
        subject: { mediaType: manifestType, digest: of.digest }
      })
      manifests.set(digestOf(manifest), manifest)
      referring.set(of.digest, {
        mediaType: manifestType,
        artifactType: bundleType,
        digest: digestOf(manifest),
        size: manifest.length
      })
    },
    manifest: (signing, reference) => {
      const body =
        signing === 'release' || signing === 'another workflow'
          ? tagged[signing].get(reference)
          : signing === 'bundle'
            ? manifests.get(reference)
            : undefined
      return body === undefined ? undefined : { type: manifestType, body }
    },
    blob: (digest) => blobs.get(digest),
    referrers: (signing, digest) => ({
      type: indexType,
      body: Buffer.from(
        JSON.stringify({
          schemaVersion: 2,
          mediaType: indexType,
          manifests: signing === 'bundle' && referring.has(digest) ? [referring.get(digest)] : []
        })
      )
    })
  }
}
