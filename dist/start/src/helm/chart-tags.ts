import { messageOf } from '../engine/errors.js'
import { isMap } from '../engine/json.js'
import { readChart } from './chart.js'
import type { DownloadOptions } from './download.js'
import { openRegistry, type Registry } from './registry.js'

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
 * Reads the tags of a chart's repository by the API of OCI registries (distribution-spec v1.1, listing tags). Never throws
 * for what a registry says.
 */
export async function publishedVersions(
  reference: string,
  options: DownloadOptions
): Promise<PublishedVersions> {
  if (!reference.startsWith('oci://'))
    return { kind: 'local', version: (await readChart(reference, undefined)).version }
  const registry = openRegistry(reference, options)
  const { where } = registry
  try {
    return { kind: 'listed', versions: await tagsOf(registry), where }
  } catch (error) {
    options.signal.throwIfAborted()
    return { kind: 'unlisted', reason: `the tags of ${where} could not be listed: ${messageOf(error)}` }
  }
}

async function tagsOf(registry: Registry): Promise<readonly string[]> {
  const first = registry.url('tags/list')
  const tags: string[] = []
  let url = first
  for (let page = 0; page < mostPages; page++) {
    const answer = await registry.ask(url)
    if (answer.status !== 200) throw new Error(`HTTP ${answer.status}`)
    tags.push(...namesIn(answer.bytes.toString('utf8')))
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
