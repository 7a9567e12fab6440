import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { isMap, type JsonMap } from '../engine/json.js'
import type { Answer } from './download.js'
import type { Registry } from './registry.js'

/** Of a manifest, and not of an index of several. */
export const manifestTypes =
  'application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json'

/** sha256:<hex> */
export function sha256Of(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

/** Layers of a manifest: media type, digest, annotations. */
export function layersIn(manifest: Buffer): readonly JsonMap[] {
  return mapsAt(parsed(manifest), 'layers')
}

/** A manifest or a blob, held to its digest. Throws where the registry does not give it. */
export async function byDigest(
  registry: Registry,
  kind: 'manifests' | 'blobs',
  digest: string,
  patience: Patience
): Promise<Buffer> {
  const accept = kind === 'manifests' ? manifestTypes : undefined
  const bytes = wellAnswered(await answerOf(registry, `${kind}/${digest}`, accept, patience))
  if (sha256Of(bytes) !== digest) throw new Error(`what it gives as ${digest} is ${sha256Of(bytes)}`)
  return bytes
}

/** How often what may pass is asked for, and until when. */
export interface Patience {
  readonly signal: AbortSignal
  /** 3 when left out. */
  readonly attempts?: number
}

/** What may pass is asked for again. */
export async function answerOf(
  registry: Registry,
  path: string,
  accept: string | undefined,
  { signal, attempts = 3 }: Patience
): Promise<Answer> {
  for (let attempt = 1; ; attempt++) {
    try {
      const answer = await registry.ask(registry.url(path), accept)
      if (attempt === attempts || (answer.status !== 429 && answer.status < 500)) return answer
    } catch (error) {
      signal.throwIfAborted()
      if (attempt === attempts) throw error
    }
    await sleep(250 * 2 ** attempt, undefined, { signal })
  }
}

/** What was answered, where that was an answer of 200. */
export function wellAnswered({ status, bytes }: Answer): Buffer {
  if (status !== 200) throw new Error(`HTTP ${status}`)
  return bytes
}

/** JSON; empty where it is none. */
export function parsed(bytes: Buffer): JsonMap {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'))
    return isMap(value) ? value : {}
  } catch {
    return {}
  }
}

export function mapsAt(value: JsonMap, key: string): readonly JsonMap[] {
  const list = value[key]
  return Array.isArray(list) ? list.filter(isMap) : []
}

/** Of a descriptor; what is no digest is no path of the registry either. */
export function digestIn({ digest }: JsonMap): string {
  if (typeof digest === 'string' && /^sha256:[0-9a-f]{64}$/.test(digest)) return digest
  throw new Error('a descriptor in it has no SHA-256')
}
