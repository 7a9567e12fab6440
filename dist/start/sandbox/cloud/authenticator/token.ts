import type { CredentialStore } from '../credentials/store.js'
import { verify } from '../credentials/verify.js'
import type { Home } from '../partition.js'
import type { Caller } from '../service.js'
import { AwsError } from '../service.js'
import { readSignature, type SignedRequest } from '../wire/signature.js'

export interface TokenParts {
  readonly home: Home
  readonly now: () => number
  readonly credentials: CredentialStore
  /** 127.0.0.1:PORT: taken as STS's hosts beside the real one. */
  readonly ownHosts: ReadonlySet<string>
}

export type TokenVerdict =
  | { readonly kind: 'caller'; readonly caller: Caller; readonly accessKeyId: string }
  | { readonly kind: 'refused'; readonly reason: string }

const prefix = 'k8s-aws-v1.'
const clusterHeader = 'x-k8s-aws-id'

/**
 * Who presigned the GetCallerIdentity that an EKS token holds, and whether for this cluster. The rules are
 * aws-iam-authenticator's: prefix, host, path, parameters, signed header, 15 minutes.
 */
export function readToken(parts: TokenParts, token: string, clusterName: string): TokenVerdict {
  const url = urlOf(token)
  if (url === undefined) return refused('the token is not k8s-aws-v1. and a URL in base64')
  const host = hostFault(parts, url)
  if (host !== undefined) return refused(host)
  if (url.pathname !== '/') return refused(`unexpected path in pre-signed URL: ${url.pathname}`)
  if (url.searchParams.get('Action') !== 'GetCallerIdentity') {
    return refused('unexpected action parameter in pre-signed URL')
  }
  const request: SignedRequest = {
    method: 'GET',
    url,
    headers: { host: url.host, [clusterHeader]: clusterName },
    body: ''
  }
  const signature = readSignature(request)
  if (signature === undefined || signature === 'malformed')
    return refused('the URL in the token is not signed')
  if (!signature.signedHeaders.includes(clusterHeader)) {
    return refused(`client did not sign the ${clusterHeader} header in the pre-signed URL`)
  }
  if (signature.signedHeaders.some((name) => name !== 'host' && name !== clusterHeader)) {
    return refused('the URL in the token signs headers that are not sent with it')
  }
  if (signature.service !== 'sts') return refused(`the URL in the token is signed for ${signature.service}`)
  try {
    const { caller } = verify(parts.credentials, request, signature, 'query', parts.now())
    return { kind: 'caller', caller, accessKeyId: signature.accessKeyId }
  } catch (error) {
    if (error instanceof AwsError) return refused(`${error.code}: ${error.message}`)
    throw error
  }
}

function refused(reason: string): TokenVerdict {
  return { kind: 'refused', reason }
}

function urlOf(token: string): URL | undefined {
  if (!token.startsWith(prefix) || !/^[\w-]+$/.test(token.slice(prefix.length))) return undefined
  const text = Buffer.from(token.slice(prefix.length), 'base64url').toString('utf8')
  return URL.canParse(text) ? new URL(text) : undefined
}

function hostFault({ home, ownHosts }: TokenParts, url: URL): string | undefined {
  if (ownHosts.has(url.host)) return undefined
  const regional = `sts.${home.region}.${home.urlSuffix}`
  const allowed = home.partition === 'aws' ? [regional, 'sts.amazonaws.com'] : [regional]
  if (!allowed.includes(url.host)) return `unexpected hostname "${url.host}" in pre-signed URL`
  return url.protocol === 'https:' ? undefined : `unexpected scheme "${url.protocol}" in pre-signed URL`
}
