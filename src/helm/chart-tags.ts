import { messageOf } from '../engine/errors.js'
import { isMap } from '../engine/json.js'
import { type Answer, ask, type DownloadOptions } from './download.js'
import { isLoopback, readChart } from './chart.js'

/** Which versions of a chart can be had. */
export type PublishedVersions =
  /** Every tag of its repository, as they come. */
  | { readonly kind: 'listed'; readonly versions: readonly string[]; readonly where: string }
  /** A chart from a path is of one version. */
  | { readonly kind: 'local'; readonly version: string }
  | { readonly kind: 'unlisted'; readonly reason: string }

/** A list of a thousand tags comes in pages of a hundred, and no list is followed for ever. */
const mostPages = 50

/**
 * Reads the tags of a chart's repository by the API of OCI registries (distribution-spec v1.1, listing tags), without a
 * login: a registry that asks for a token is asked for one that everybody can have. Never throws for what a registry says.
 */
export async function publishedVersions(
  reference: string,
  options: DownloadOptions
): Promise<PublishedVersions> {
  if (!reference.startsWith('oci://'))
    return { kind: 'local', version: (await readChart(reference, undefined)).version }
  const { host, hostname, pathname } = new URL(reference.replace(/^oci:/, 'https:'))
  const where = `${host}${pathname.replace(/\/+$/, '')}`
  const base = `${isLoopback(hostname) ? 'http' : 'https'}://${host}`
  try {
    const first = new URL(`${base}/v2${pathname.replace(/\/+$/, '')}/tags/list`)
    return { kind: 'listed', versions: await tagsOf(first, options), where }
  } catch (error) {
    options.signal.throwIfAborted()
    return { kind: 'unlisted', reason: `the tags of ${where} could not be listed: ${messageOf(error)}` }
  }
}

async function tagsOf(first: URL, options: DownloadOptions): Promise<readonly string[]> {
  const tags: string[] = []
  let headers: Readonly<Record<string, string>> = {}
  let url = first
  for (let page = 0; page < mostPages; page++) {
    let answer = await ask(url, headers, options)
    if (answer.status === 401 && headers['authorization'] === undefined) {
      headers = { authorization: `Bearer ${await tokenFor(answer, first, options)}` }
      answer = await ask(url, headers, options)
    }
    if (answer.status !== 200) throw new Error(`HTTP ${answer.status}`)
    tags.push(...namesIn(answer.text))
    const next = /<([^>]+)>\s*;[^,]*\brel="?next"?/i.exec(answer.header('link') ?? '')?.[1]
    if (next === undefined) return tags
    url = new URL(next, url)
    if (url.origin !== first.origin) throw new Error(`its next page is on ${url.origin}`)
  }
  throw new Error(`it has more than ${mostPages} pages`)
}

function namesIn(text: string): readonly string[] {
  const body: unknown = JSON.parse(text)
  const tags = isMap(body) ? body['tags'] : undefined
  // A repository without tags says null.
  if (tags === null) return []
  if (!Array.isArray(tags)) throw new Error('the answer has no list of tags')
  return tags.filter((tag) => typeof tag === 'string')
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
  const body: unknown = JSON.parse(answer.text)
  const token = isMap(body) ? (body['token'] ?? body['access_token']) : undefined
  if (typeof token !== 'string') throw new Error(`${url.host} gives no token`)
  return token
}
