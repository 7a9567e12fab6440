import { Sha256 } from '@aws-crypto/sha256-js'
import { SignatureV4 } from '@smithy/signature-v4'
import type { Aws } from './clients.js'

export interface EksToken {
  /** `k8s-aws-v1.` and a presigned URL in base64url, as EKS's authenticator takes it. */
  readonly token: string
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
}

/** EKS accepts a presigned URL for 15 minutes after its signature, whatever X-Amz-Expires says; a minute is left. */
const lifeMilliseconds = 14 * 60_000

/**
 * Tokens for one cluster's Kubernetes API, made in memory by presigning sts:GetCallerIdentity. The same one is handed out
 * for 14 minutes, or until its credentials end. `now` must be AWS's time: EKS
 * refuses what was signed at another one.
 */
export function eksTokens(
  aws: Pick<Aws, 'credentials' | 'account' | 'stsEndpoint'>,
  clusterName: string,
  ports: {
    readonly now: () => number
    readonly mask: (secret: string) => void
  }
): () => Promise<EksToken> {
  let kept: (EksToken & { readonly accessKeyId: string }) | undefined
  return async () => {
    const identity = await aws.credentials.get()
    const now = ports.now()
    if (kept !== undefined && kept.expiresAt > now && kept.accessKeyId === identity.accessKeyId) return kept
    const endpoint = aws.stsEndpoint
    const signer = new SignatureV4({
      service: 'sts',
      region: aws.account.region,
      credentials: identity,
      sha256: Sha256
    })
    const signed = await signer.presign(
      {
        method: 'GET',
        protocol: endpoint.protocol,
        hostname: endpoint.hostname,
        ...(endpoint.port !== '' && { port: Number(endpoint.port) }),
        path: '/',
        query: { Action: 'GetCallerIdentity', Version: '2011-06-15' },
        headers: { host: endpoint.host, 'x-k8s-aws-id': clusterName }
      },
      { expiresIn: 60, signingDate: new Date(now), unhoistableHeaders: new Set(['x-k8s-aws-id']) }
    )
    const url = `${endpoint.origin}/?${queryText(signed.query ?? {})}`
    const token = `k8s-aws-v1.${Buffer.from(url).toString('base64url')}`
    ports.mask(token)
    kept = {
      token,
      expiresAt: Math.min(now + lifeMilliseconds, identity.expiration?.getTime() ?? Infinity),
      accessKeyId: identity.accessKeyId
    }
    return kept
  }
}

function queryText(query: Readonly<Record<string, string | readonly string[] | null>>): string {
  return Object.entries(query)
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(String(value ?? ''))}`)
    .join('&')
}
