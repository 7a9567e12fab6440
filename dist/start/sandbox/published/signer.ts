import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import { initializeCA, initializeCTLog } from '@sigstore/mock/dist/fulcio/index.js'
import { initializeTLog } from '@sigstore/mock/dist/rekor/index.js'
import { record, text } from '../values.js'

/** A signature as a registry holds it. */
export interface ChartSignature {
  /** What was signed, with the annotations of its layer: cosign's own form. */
  readonly payload: Buffer
  readonly annotations: Readonly<Record<string, string>>
  /** The same as a bundle v0.3: cosign's form from version 3 on. */
  readonly bundle: Buffer
}

/** A Sigstore instance: certificate authority, certificate log and transparency log, each with a key of its own. */
export interface ChartSigner {
  /** trusted_root.json */
  readonly trustRoot: string
  /** `identity`: the workflow that signs; `artifact`: `public.ecr.aws/karpenter/karpenter`. */
  sign(of: {
    readonly artifact: string
    readonly digest: string
    readonly version: string
    readonly identity: string
    readonly issuer?: string
  }): Promise<ChartSignature>
}

const gitHubIssuer = 'https://token.actions.githubusercontent.com'

/** The identity that Karpenter's release workflow has at a tag (charts/karpenter/README.md). */
export function releaseIdentity(version: string): string {
  return `https://github.com/aws/karpenter-provider-aws/.github/workflows/release.yaml@refs/tags/v${version}`
}

const keys = () => generateKeyPairSync('ec', { namedCurve: 'P-256' })
const sha256 = (bytes: Buffer): Buffer => createHash('sha256').update(bytes).digest()
const statementType = 'application/vnd.in-toto+json'
/** Of the certificate's issuer, as Fulcio's extensions have it (sigstore/fulcio, docs/oid-info.md). */
const issuerExtension = '1.3.6.1.4.1.57264.1.8'

/** Makes an instance; its parts are those of @sigstore/mock, without what it does to the network. */
export async function startSigner(): Promise<ChartSigner> {
  const ctLog = await initializeCTLog(keys())
  const ca = await initializeCA(keys(), ctLog)
  const rekor = 'https://rekor.sandbox.test'
  const log = await initializeTLog(rekor, keys())
  const since = { start: new Date(Date.now() - 3_600_000).toISOString() }

  const logged = async (entry: object): Promise<Readonly<Record<string, unknown>>> =>
    record(Object.values(record(await log.log(entry)))[0])
  const issued = async (identity: string, issuer: string) => {
    const pair = keys()
    const der = await ca.issueCertificate({
      publicKey: pair.publicKey.export({ format: 'der', type: 'spki' }),
      subjectAltName: identity,
      extensions: [{ oid: issuerExtension, value: issuer }]
    })
    const base64 = base64Of(der)
    const lines = base64.match(/.{1,64}/g)?.join('\n') ?? ''
    return {
      base64,
      pem: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
      sign: (bytes: Buffer) => sign('sha256', bytes, pair.privateKey).toString('base64')
    }
  }

  return {
    trustRoot: JSON.stringify({
      mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
      tlogs: [publicLog(rekor, log.publicKey, since)],
      certificateAuthorities: [
        {
          subject: { organization: 'sigstore.mock', commonName: 'sigstore' },
          uri: 'https://fulcio.sandbox.test',
          certChain: { certificates: [{ rawBytes: base64Of(ca.rootCertificate) }] },
          validFor: since
        }
      ],
      ctlogs: [publicLog('https://ctfe.sandbox.test', ctLog.publicKey, since)],
      timestampAuthorities: []
    }),
    sign: async ({ artifact, digest, version, identity, issuer = gitHubIssuer }) => {
      const certificate = await issued(identity, issuer)
      const verifier = Buffer.from(certificate.pem).toString('base64')
      const payload = Buffer.from(
        JSON.stringify({
          critical: {
            identity: { 'docker-reference': artifact },
            image: { 'docker-manifest-digest': digest },
            type: 'cosign container image signature'
          },
          optional: { version }
        })
      )
      const signature = certificate.sign(payload)
      const entry = await logged({
        apiVersion: '0.0.1',
        kind: 'hashedrekord',
        spec: {
          data: { hash: { algorithm: 'sha256', value: sha256(payload).toString('hex') } },
          signature: { content: signature, publicKey: { content: verifier } }
        }
      })
      return {
        payload,
        annotations: {
          'dev.cosignproject.cosign/signature': signature,
          'dev.sigstore.cosign/certificate': certificate.pem,
          'dev.sigstore.cosign/bundle': JSON.stringify({
            SignedEntryTimestamp: record(entry['verification'])['signedEntryTimestamp'],
            Payload: {
              body: entry['body'],
              integratedTime: entry['integratedTime'],
              logIndex: entry['logIndex'],
              logID: entry['logID']
            }
          })
        },
        bundle: await bundleOf(statementOf(digest, version), certificate, verifier)
      }
    }
  }

  async function bundleOf(
    statement: Buffer,
    certificate: Awaited<ReturnType<typeof issued>>,
    verifier: string
  ): Promise<Buffer> {
    // DSSE's pre-authentication encoding (secure-systems-lab/dsse, protocol.md).
    const head = `DSSEv1 ${statementType.length} ${statementType} ${statement.length} `
    const signature = certificate.sign(Buffer.concat([Buffer.from(head), statement]))
    const envelope = {
      payload: statement.toString('base64'),
      payloadType: statementType,
      signatures: [{ sig: signature }]
    }
    const entry = await logged({
      apiVersion: '0.0.1',
      kind: 'dsse',
      spec: {
        envelopeHash: {
          algorithm: 'sha256',
          value: sha256(Buffer.from(JSON.stringify(envelope))).toString('hex')
        },
        payloadHash: { algorithm: 'sha256', value: sha256(statement).toString('hex') },
        signatures: [{ signature, verifier }]
      }
    })
    const { inclusionProof, signedEntryTimestamp } = record(entry['verification'])
    const proof = record(inclusionProof)
    return Buffer.from(
      JSON.stringify({
        mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
        verificationMaterial: {
          certificate: { rawBytes: certificate.base64 },
          tlogEntries: [
            {
              logIndex: String(entry['logIndex']),
              logId: { keyId: Buffer.from(text(entry['logID']) ?? '', 'hex').toString('base64') },
              kindVersion: { kind: 'dsse', version: '0.0.1' },
              integratedTime: String(entry['integratedTime']),
              inclusionPromise: { signedEntryTimestamp },
              inclusionProof: {
                logIndex: String(proof['logIndex']),
                treeSize: String(proof['treeSize']),
                rootHash: Buffer.from(text(proof['rootHash']) ?? '', 'hex').toString('base64'),
                hashes: [],
                checkpoint: { envelope: proof['checkpoint'] }
              },
              canonicalizedBody: entry['body']
            }
          ]
        },
        dsseEnvelope: envelope
      })
    )
  }
}

/** What cosign 3 signs of an image (cosign, cmd/cosign/cli/sign/sign.go, signDigestBundle). */
function statementOf(digest: string, version: string): Buffer {
  return Buffer.from(
    JSON.stringify({
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ digest: { sha256: digest.replace('sha256:', '') }, annotations: { version } }],
      predicateType: 'https://sigstore.dev/cosign/sign/v1',
      predicate: {}
    })
  )
}

function publicLog(baseUrl: string, publicKey: Buffer, validFor: { readonly start: string }) {
  return {
    baseUrl,
    hashAlgorithm: 'SHA2_256',
    publicKey: {
      rawBytes: publicKey.toString('base64'),
      keyDetails: 'PKIX_ECDSA_P256_SHA_256',
      validFor
    },
    logId: { keyId: sha256(publicKey).toString('base64') }
  }
}

function base64Of(view: ArrayBufferView): string {
  return Buffer.from(view.buffer, view.byteOffset, view.byteLength).toString('base64')
}
