import 'reflect-metadata'
import { webcrypto } from 'node:crypto'
import * as x509 from '@peculiar/x509'

/** A certificate and its private key, both PEM; the key as PKCS #8. */
export interface IssuedCertificate {
  readonly certPem: string
  readonly keyPem: string
}

export interface CertificateRequest {
  readonly commonName: string
  /** O of the subject. In a client certificate for Kubernetes these are the groups. */
  readonly organization?: string | readonly string[]
  /** May begin with `*.`. */
  readonly dnsNames?: readonly string[]
  readonly ipAddresses?: readonly string[]
  readonly usage: 'server' | 'client' | 'server-and-client'
}

/** A certificate authority whose key is held in memory only. */
export interface Authority {
  readonly certPem: string
  issue(request: CertificateRequest): Promise<IssuedCertificate>
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const day = 24 * 60 * 60 * 1000

/** Makes an authority. Everything that it issues, itself included, is valid from an hour before now for 30 days. */
export async function createAuthority(name: string, now: () => number = Date.now): Promise<Authority> {
  const keys = await newKeys()
  const validity = () => ({ notBefore: new Date(now() - day / 24), notAfter: new Date(now() + 30 * day) })
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: newSerialNumber(),
      name: [{ CN: [name] }],
      ...validity(),
      keys,
      signingAlgorithm: algorithm,
      extensions: [
        new x509.BasicConstraintsExtension(true, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto)
      ]
    },
    webcrypto
  )
  return {
    certPem: pem(certificate),
    issue: async (request) => {
      const leaf = await newKeys()
      const issued = await x509.X509CertificateGenerator.create(
        {
          serialNumber: newSerialNumber(),
          subject: subjectOf(request),
          issuer: certificate.subjectName,
          ...validity(),
          publicKey: leaf.publicKey,
          signingKey: keys.privateKey,
          signingAlgorithm: algorithm,
          extensions: [
            new x509.BasicConstraintsExtension(false, undefined, true),
            new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
            new x509.ExtendedKeyUsageExtension(usages[request.usage]),
            await x509.SubjectKeyIdentifierExtension.create(leaf.publicKey, false, webcrypto),
            await x509.AuthorityKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
            ...alternativeNames(request)
          ]
        },
        webcrypto
      )
      const key = await webcrypto.subtle.exportKey('pkcs8', leaf.privateKey)
      return { certPem: pem(issued), keyPem: `${x509.PemConverter.encode(key, 'PRIVATE KEY')}\n` }
    }
  }
}

const usages: Record<CertificateRequest['usage'], x509.ExtendedKeyUsage[]> = {
  server: [x509.ExtendedKeyUsage.serverAuth],
  client: [x509.ExtendedKeyUsage.clientAuth],
  'server-and-client': [x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth]
}

function subjectOf(request: CertificateRequest): x509.JsonName {
  const organizations = [request.organization ?? []].flat()
  return [...organizations.map((organization) => ({ O: [organization] })), { CN: [request.commonName] }]
}

function alternativeNames(request: CertificateRequest): x509.Extension[] {
  const names: x509.JsonGeneralNames = [
    ...(request.dnsNames ?? []).map((value) => ({ type: 'dns' as const, value })),
    ...(request.ipAddresses ?? []).map((value) => ({ type: 'ip' as const, value }))
  ]
  return names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)]
}

async function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
}

/** Positive and without a leading zero, as DER wants an integer. */
function newSerialNumber(): string {
  const bytes = Buffer.from(webcrypto.getRandomValues(new Uint8Array(16)))
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40
  return bytes.toString('hex')
}

function pem(certificate: x509.X509Certificate): string {
  return `${certificate.toString('pem')}\n`
}
