import { createHash, X509Certificate } from 'node:crypto'
import { type Bundle, bundleFromJSON } from '@sigstore/bundle'
import { TrustedRoot } from '@sigstore/protobuf-specs'
import { toSignedEntity, toTrustMaterial, Verifier } from '@sigstore/verify'
import { messageOf } from '../../engine/errors.js'
import { isMap, type JsonMap, mapAt } from '../../engine/json.js'
import { oneLine } from '../../engine/plain-text.js'
import type { FoundSignature } from './found.js'
import type { Signer } from './request.js'
import { signerText } from './signer.js'

/** What the signature has to be of, and by whom. */
export interface Expected {
  /** sha256:<hex> of the manifest. */
  readonly digest: string
  readonly manifest: Buffer
  readonly signer: Signer
  /** What the annotation `version` says; undefined: whatever it says. */
  readonly version: string | undefined
}

export type Proof =
  | {
      readonly kind: 'signed'
      /** Index of the entry in the transparency log. */
      readonly logIndex: string
      /** When it was signed: by the log, or by a timestamp authority where the log gives no time. */
      readonly at: Date | undefined
    }
  | { readonly kind: 'wrong'; readonly reason: string }
  /** None of what was found claims to be a signature, as attestations do not. */
  | { readonly kind: 'missing' }

/**
 * Proves one of the signatures by Sigstore's rules: the certificate goes back to the trust root and stands in a certificate
 * log, the signature stands in a transparency log (inclusion proof or signed promise), it was made while the certificate was
 * valid, by the signer that is expected, and of exactly this artifact. `trustRoot`: a trusted_root.json, parsed; throws where
 * it is none. The libraries of Sigstore are loaded with this file and no sooner.
 */
export function prove(found: readonly FoundSignature[], expected: Expected, trustRoot: unknown): Proof {
  const verifier = new Verifier(toTrustMaterial(TrustedRoot.fromJSON(trustRoot)))
  const reasons: string[] = []
  for (const signature of found) {
    try {
      const bundle =
        signature.kind === 'cosign' ? ofCosign(signature, expected) : ofBundle(signature, expected)
      if (bundle === undefined) continue
      const artifact = signature.kind === 'cosign' ? signature.payload : expected.manifest
      const { identity } = verified(verifier, bundle, artifact)
      bySigner(
        { identity: identity?.subjectAlternativeName ?? '', issuer: identity?.extensions?.issuer ?? '' },
        expected.signer
      )
      const [entry] = bundle.verificationMaterial.tlogEntries
      const seconds = Number(entry?.integratedTime ?? 0)
      return {
        kind: 'signed',
        logIndex: entry?.logIndex ?? '',
        at: seconds > 0 ? new Date(seconds * 1000) : undefined
      }
    } catch (error) {
      reasons.push(oneLine(messageOf(error)))
    }
  }
  return reasons.length === 0
    ? { kind: 'missing' }
    : { kind: 'wrong', reason: [...new Set(reasons)].slice(0, 3).join('; ') }
}

function verified(verifier: Verifier, bundle: Bundle, artifact: Buffer): ReturnType<Verifier['verify']> {
  try {
    return verifier.verify(toSignedEntity(bundle, artifact))
  } catch (error) {
    throw new Error(`its proof fails: ${messageOf(error)}`, { cause: error })
  }
}

function bySigner(actual: Signer, wanted: Signer): void {
  if (actual.identity === wanted.identity && actual.issuer === wanted.issuer) return
  throw new Error(`it was signed by ${signerText(actual)}, not by ${signerText(wanted)}`)
}

/** The same as a bundle of the form v0.1, which has what cosign keeps: a certificate, and the log's signed promise. */
function ofCosign(
  { payload, annotations }: Extract<FoundSignature, { kind: 'cosign' }>,
  expected: Expected
): Bundle {
  ofThis(payload, expected)
  const certificate = annotations['dev.sigstore.cosign/certificate']
  const logged = jsonIn(annotations, 'dev.sigstore.cosign/bundle')
  if (typeof certificate !== 'string') throw new Error('it has no certificate: it was made with a key')
  if (logged === undefined) throw new Error('it has no entry of a transparency log')
  const entry = mapAt(logged, 'Payload')
  const body: unknown = JSON.parse(Buffer.from(String(entry['body']), 'base64').toString('utf8'))
  const stamp = jsonIn(annotations, 'dev.sigstore.cosign/rfc3161timestamp')?.['SignedRFC3161Timestamp']
  return bundleFromJSON({
    mediaType: 'application/vnd.dev.sigstore.bundle+json;version=0.1',
    verificationMaterial: {
      x509CertificateChain: {
        certificates: [{ rawBytes: new X509Certificate(certificate).raw.toString('base64') }]
      },
      tlogEntries: [
        {
          logIndex: String(entry['logIndex']),
          logId: { keyId: Buffer.from(String(entry['logID']), 'hex').toString('base64') },
          kindVersion: {
            kind: isMap(body) ? body['kind'] : undefined,
            version: isMap(body) ? body['apiVersion'] : undefined
          },
          integratedTime: String(entry['integratedTime']),
          inclusionPromise: { signedEntryTimestamp: logged['SignedEntryTimestamp'] },
          canonicalizedBody: entry['body']
        }
      ],
      ...(typeof stamp === 'string' && {
        timestampVerificationData: { rfc3161Timestamps: [{ signedTimestamp: stamp }] }
      })
    },
    messageSignature: {
      messageDigest: {
        algorithm: 'SHA2_256',
        digest: createHash('sha256').update(payload).digest('base64')
      },
      signature: annotations['dev.cosignproject.cosign/signature']
    }
  })
}

/** Simple signing: the payload names what it is of (cosign, specs/SIGNATURE_SPEC.md). */
function ofThis(payload: Buffer, { digest, version }: Expected): void {
  const signed: unknown = JSON.parse(payload.toString('utf8'))
  const critical = mapAt(signed, 'critical')
  if (critical['type'] !== 'cosign container image signature') throw new Error('it is no signature of cosign')
  sameDigest(mapAt(critical, 'image')['docker-manifest-digest'], digest)
  sameVersion(mapAt(signed, 'optional')['version'], version)
}

const statementType = 'application/vnd.in-toto+json'
/** cosign, pkg/types/predicate.go. */
const signPredicate = 'https://sigstore.dev/cosign/sign/v1'

/** Undefined where it is an attestation of something else, which is no signature. */
function ofBundle(
  { text }: Extract<FoundSignature, { kind: 'bundle' }>,
  { digest, version }: Expected
): Bundle | undefined {
  const bundle = bundleFromJSON(JSON.parse(text))
  if (bundle.content.$case === 'messageSignature') return bundle
  const { payload, payloadType } = bundle.content.dsseEnvelope
  if (payloadType !== statementType) return undefined
  const statement: unknown = JSON.parse(payload.toString('utf8'))
  if (!isMap(statement) || statement['predicateType'] !== signPredicate) return undefined
  const subjects: unknown = statement['subject']
  const [subject] = Array.isArray(subjects) ? subjects.filter(isMap) : []
  sameDigest(`sha256:${String(mapAt(subject, 'digest')['sha256'])}`, digest)
  sameVersion(mapAt(subject, 'annotations')['version'], version)
  return bundle
}

function sameDigest(signed: unknown, digest: string): void {
  if (signed !== digest) throw new Error(`it is the signature of another artifact, ${String(signed)}`)
}

function sameVersion(signed: unknown, version: string | undefined): void {
  if (version !== undefined && signed !== version)
    throw new Error(`its annotation version is ${String(signed)}, not ${version}`)
}

function jsonIn(annotations: JsonMap, name: string): JsonMap | undefined {
  const text = annotations[name]
  const value: unknown = typeof text === 'string' ? JSON.parse(text) : undefined
  return isMap(value) ? value : undefined
}
