import { readFile } from 'node:fs/promises'
import { messageOf } from '../../engine/errors.js'
import type { Chart } from '../chart.js'
import { briefly, type DownloadOptions } from '../download.js'
import { openRegistry } from '../registry.js'
import { byDigest, layersIn, sha256Of } from '../artifact.js'
import { type FoundSignature, referringSignatures, taggedSignatures } from './found.js'
import { asAsked, isPublished } from './published.js'
import type { SignatureRequest, Signer } from './request.js'
import { wantedSigner } from './signer.js'
import type { TrustRoot, TrustSource } from './trust-root.js'

/** The chart that was pulled. */
export interface PulledChart {
  readonly reference: string
  readonly version: string
  readonly chart: Pick<Chart, 'path' | 'name' | 'digest' | 'origin'>
}

export type Signature =
  | {
      readonly kind: 'signed'
      readonly by: Signer
      readonly logIndex: string
      readonly at: Date | undefined
      readonly trust: Trust
    }
  /** It has signatures, and none is the one that is asked for. */
  | { readonly kind: 'wrong'; readonly reason: string; readonly trust: Trust | undefined }
  | { readonly kind: 'missing' }
  | { readonly kind: 'unreadable'; readonly reason: string }
  /** A chart from a path has no place for one. */
  | { readonly kind: 'local' }
  | { readonly kind: 'not-asked' }

/** By whose trust root it was decided. */
export type Trust =
  | { readonly kind: 'given' }
  | { readonly kind: 'renewed' }
  /** As this release has it, and why there is no newer one. */
  | { readonly kind: 'carried'; readonly reason: string }

export interface SignatureReads extends DownloadOptions {
  /** A folder for what is being read. */
  readonly temporary: string
  /** Sigstore's public instance when left out. */
  readonly source?: TrustSource
}

/**
 * Reads who signed the chart that was pulled, from the registry that it came from, and proves it down to the bytes of the
 * archive: signature, digest of the manifest, digest of its layer, archive. Never throws but for the signal.
 */
export async function readSignature(
  asked: SignatureRequest,
  pulled: PulledChart,
  reads: SignatureReads
): Promise<Signature> {
  const { reference, chart } = pulled
  if (!reference.startsWith('oci://')) return { kind: 'local' }
  const published = isPublished(reference)
  if (asked.wanted === 'off' && !published) return { kind: 'not-asked' }
  const request = asAsked(asked, reference)
  const { digest } = chart
  if (digest === undefined) return { kind: 'unreadable', reason: 'helm did not say which digest it pulled' }
  try {
    // The token that it was pulled with is good for what stands beside it.
    const registry = chart.origin?.registry ?? openRegistry(reference, { ...reads, ...briefly })
    const manifest =
      chart.origin?.manifest ?? (await byDigest(registry, 'manifests', digest, { signal: reads.signal }))
    const archive = sha256Of(await readFile(chart.path))
    if (!layersIn(manifest).some((layer) => layer['digest'] === archive))
      return wrong(`the archive that was pulled, ${archive}, is not the one that its manifest names`)
    const prove = proverOf(request, pulled, { ...reads, digest, manifest })
    const tagged = await prove(await taggedSignatures(registry, digest, reads.signal))
    if (tagged.kind === 'signed') return tagged
    const referring = async (): Promise<Signature> =>
      prove(await referringSignatures(registry, digest, reads.signal))
    // What refers to it cannot make up for a wrong one by being unreadable.
    if (tagged.kind !== 'wrong') return await referring()
    const other = await referring().catch((): Signature => tagged)
    return other.kind === 'missing' ? tagged : other
  } catch (error) {
    reads.signal.throwIfAborted()
    return { kind: 'unreadable', reason: messageOf(error) }
  }
}

type Prover = (found: readonly FoundSignature[]) => Promise<Signature>

/** Loads Sigstore's libraries and the trust root when there is something to prove, once. */
function proverOf(
  request: SignatureRequest,
  { version, chart }: PulledChart,
  of: SignatureReads & { readonly digest: string; readonly manifest: Buffer }
): Prover {
  const upstream = request.signer === undefined
  const by = wantedSigner(request, version)
  const expected = { ...of, signer: by, version: upstream ? version : undefined }
  let root: Promise<TrustRoot> | undefined
  return async (found) => {
    if (found.length === 0) return { kind: 'missing' }
    const { value, notRenewed } = await (root ??= trustRootOf(request, of))
    const { prove } = await import('./verify.js')
    const proof = prove(found, expected, value)
    const trust = trustOf(request, notRenewed)
    if (proof.kind === 'missing') return proof
    if (proof.kind === 'wrong') return { ...proof, trust }
    // The same workflow signs the chart karpenter-crd and the image, and for the same version.
    return upstream && chart.name !== 'karpenter'
      ? { kind: 'wrong', reason: `it is the signature of the chart ${chart.name}`, trust }
      : { ...proof, by, trust }
  }
}

async function trustRootOf(
  { trustRoot: given }: SignatureRequest,
  reads: SignatureReads
): Promise<TrustRoot> {
  if (given !== undefined) return { value: JSON.parse(given), notRenewed: undefined }
  const { publicTrust, trustRoot } = await import('./trust-root.js')
  const { temporary, source = publicTrust() } = reads
  return trustRoot(source, temporary, { ...reads, silence: 5_000 })
}

function trustOf(request: SignatureRequest, notRenewed: string | undefined): Trust {
  if (request.trustRoot !== undefined) return { kind: 'given' }
  return notRenewed === undefined ? { kind: 'renewed' } : { kind: 'carried', reason: notRenewed }
}

function wrong(reason: string): Signature {
  return { kind: 'wrong', reason, trust: undefined }
}
