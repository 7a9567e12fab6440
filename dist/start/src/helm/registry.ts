import { isMap } from '../engine/json.js'
import { type Answer, ask, type DownloadOptions } from './download.js'

/** One repository of an OCI registry, read by its API (distribution-spec v1.1) without a login. */
export interface Registry {
  /** `public.ecr.aws/karpenter/karpenter` */
  readonly where: string
  /** Of `manifests/1.14.0` and the like. */
  readonly url: (path: string) => URL
  /** Any status but that of a registry which asks for a token that everybody can have: it is asked for it, once. */
  readonly ask: (url: URL, accept?: string) => Promise<Answer>
}

/** `reference`: oci://host/path. Nothing is asked yet. */
export function openRegistry(reference: string, options: DownloadOptions): Registry {
  const { host, hostname, pathname } = new URL(reference.replace(/^oci:/, 'https:'))
  const path = pathname.replace(/\/+$/, '')
  const base = `${isLoopback(hostname) ? 'http' : 'https'}://${host}/v2${path}/`
  let token: Readonly<Record<string, string>> | undefined
  return {
    where: `${host}${path}`,
    url: (below) => new URL(`${base}${below}`),
    ask: async (url, accept) => {
      const headers = accept === undefined ? {} : { accept }
      const answer = await ask(url, { ...headers, ...token }, options)
      if (answer.status !== 401 || token !== undefined) return answer
      token = { authorization: `Bearer ${await tokenFor(answer, url, options)}` }
      return ask(url, { ...headers, ...token }, options)
    }
  }
}

/** A registry on the machine itself speaks HTTP. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127\./.test(host)
}

/** `Bearer realm="https://public.ecr.aws/token/",service="public.ecr.aws",scope="aws"` (RFC 6750, and distribution's token page). */
async function tokenFor(refusal: Answer, asked: URL, options: DownloadOptions): Promise<string> {
  const challenge = refusal.header('www-authenticate') ?? ''
  const fields = Object.fromEntries(
    [...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, name = '', value = '']) => [name, value])
  )
  const { realm } = fields
  if (!/^bearer\s/i.test(challenge) || realm === undefined) throw new Error('it asks for a login')
  const url = new URL(realm)
  if (asked.protocol === 'https:' && url.protocol !== 'https:')
    throw new Error(`it gives tokens on ${url.origin}`)
  for (const name of ['service', 'scope']) {
    const value = fields[name]
    if (value !== undefined) url.searchParams.set(name, value)
  }
  const answer = await ask(url, {}, options)
  if (answer.status !== 200) throw new Error(`${url.host} gives no token: HTTP ${answer.status}`)
  const body: unknown = JSON.parse(answer.bytes.toString('utf8'))
  const token = isMap(body) ? (body['token'] ?? body['access_token']) : undefined
  if (typeof token !== 'string') throw new Error(`${url.host} gives no token`)
  return token
}
