import { createHash, createHmac, timingSafeEqual } from 'node:crypto'

/** A request as far as its signature covers it. Header names in lower case. */
export interface SignedRequest {
  readonly method: string
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** What a request says about its own signature (Signature Version 4, in the header or presigned in the query). */
export interface Signature {
  readonly accessKeyId: string
  /** YYYYMMDD/region/service/aws4_request */
  readonly scope: string
  readonly date: string
  readonly region: string
  readonly service: string
  readonly signedHeaders: readonly string[]
  readonly signature: string
  /** YYYYMMDDTHHMMSSZ */
  readonly amzDate: string
  readonly sessionToken: string | undefined
  /** Seconds for which a presigned request is good; undefined for one that carries the header. */
  readonly expires: number | undefined
}

const algorithm = 'AWS4-HMAC-SHA256'

/** Undefined: the request is not signed. `malformed`: it is, but says it wrongly. */
export function readSignature(request: SignedRequest): Signature | 'malformed' | undefined {
  const header = request.headers['authorization']
  if (header !== undefined) return fromHeader(header, request)
  const query = request.url.searchParams
  if (!query.has('X-Amz-Credential') && !query.has('X-Amz-Signature')) return undefined
  if (query.get('X-Amz-Algorithm') !== algorithm) return 'malformed'
  return assembled({
    credential: query.get('X-Amz-Credential'),
    signedHeaders: query.get('X-Amz-SignedHeaders'),
    signature: query.get('X-Amz-Signature'),
    amzDate: query.get('X-Amz-Date'),
    sessionToken: query.get('X-Amz-Security-Token'),
    expires: Number(query.get('X-Amz-Expires') ?? NaN)
  })
}

function fromHeader(header: string, request: SignedRequest): Signature | 'malformed' {
  if (!header.startsWith(`${algorithm} `)) return 'malformed'
  const parts = Object.fromEntries(
    header
      .slice(algorithm.length + 1)
      .split(',')
      .map((part) => {
        const [name = '', ...value] = part.trim().split('=')
        return [name, value.join('=')]
      })
  )
  return assembled({
    credential: parts['Credential'] ?? null,
    signedHeaders: parts['SignedHeaders'] ?? null,
    signature: parts['Signature'] ?? null,
    amzDate: request.headers['x-amz-date'] ?? null,
    sessionToken: request.headers['x-amz-security-token'] ?? null,
    expires: undefined
  })
}

function assembled(parts: {
  readonly credential: string | null
  readonly signedHeaders: string | null
  readonly signature: string | null
  readonly amzDate: string | null
  readonly sessionToken: string | null
  readonly expires: number | undefined
}): Signature | 'malformed' {
  const { credential, signedHeaders, signature, amzDate, expires } = parts
  if (credential === null || signedHeaders === null || signature === null || amzDate === null)
    return 'malformed'
  const [accessKeyId, date, region, service, end] = credential.split('/')
  if (!accessKeyId || !date || !region || !service || end !== 'aws4_request') return 'malformed'
  if (!/^\d{8}T\d{6}Z$/.test(amzDate) || !amzDate.startsWith(date)) return 'malformed'
  if (expires !== undefined && !(expires > 0 && expires <= 604_800)) return 'malformed'
  const headers = signedHeaders.split(';')
  if (!headers.includes('host')) return 'malformed'
  return {
    accessKeyId,
    scope: `${date}/${region}/${service}/aws4_request`,
    date,
    region,
    service,
    signedHeaders: headers,
    signature,
    amzDate,
    sessionToken: parts.sessionToken ?? undefined,
    expires
  }
}

/** True when `secretKey` makes this very signature of this very request. */
export function signatureFits(request: SignedRequest, signature: Signature, secretKey: string): boolean {
  const payloadHash = sha256(request.body)
  const claimed = request.headers['x-amz-content-sha256']
  if (claimed !== undefined && claimed !== payloadHash) return false
  const canonical = [
    request.method,
    canonicalPath(request.url.pathname),
    canonicalQuery(request.url.searchParams),
    ...signature.signedHeaders.map(
      (name) => `${name}:${(request.headers[name] ?? '').trim().replace(/\s+/g, ' ')}`
    ),
    '',
    signature.signedHeaders.join(';'),
    payloadHash
  ].join('\n')
  const toSign = [algorithm, signature.amzDate, signature.scope, sha256(canonical)].join('\n')
  const key = ['aws4_request', signature.service, signature.region, signature.date].reduceRight<
    string | Buffer
  >((secret, part) => createHmac('sha256', secret).update(part).digest(), `AWS4${secretKey}`)
  const expected = createHmac('sha256', key).update(toSign).digest()
  const given = Buffer.from(signature.signature, 'hex')
  return given.length === expected.length && timingSafeEqual(given, expected)
}

/** When the request was signed, milliseconds since the epoch. */
export function signedAt(signature: Signature): number {
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(signature.amzDate)
  if (parts === null) return NaN
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = parts.slice(1).map(Number)
  return Date.UTC(year, month - 1, day, hour, minute, second)
}

export function amzDate(time: number): string {
  return new Date(time).toISOString().replace(/[-:]|\.\d{3}/g, '')
}

function sha256(content: string): string {
  return createHash('sha256').update(content).digest('hex')
}

/** Every service but S3 has the path, which is encoded already, encoded once more. */
function canonicalPath(path: string): string {
  return path.split('/').map(encoded).join('/')
}

function canonicalQuery(query: URLSearchParams): string {
  return [...query]
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => [encoded(name), encoded(value)] as const)
    .toSorted(([a, x], [b, y]) => compare(a, b) || compare(x, y))
    .map(([name, value]) => `${name}=${value}`)
    .join('&')
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function encoded(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
}
