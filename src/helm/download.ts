import { createHash } from 'node:crypto'
import { open, rm } from 'node:fs/promises'
import { Agent as HttpAgent, get as httpGet, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, get as httpsGet } from 'node:https'
import { setTimeout as sleep } from 'node:timers/promises'
import { called } from '../engine/calls.js'
import { messageOf } from '../engine/errors.js'
import { ourName } from '../engine/owner.js'

export interface DownloadOptions {
  /** HTTPS_PROXY, NO_PROXY and their kin. */
  readonly proxyEnv: Readonly<Record<string, string | undefined>>
  readonly signal: AbortSignal
  /** How often it is tried, and how many milliseconds without data end a try; 3 and 30,000 when left out. */
  readonly attempts?: number
  readonly silence?: number
}

/** For what a run can do without: it is not waited for long. */
export const briefly = { attempts: 2, silence: 10_000 } as const

/** An answer of any status, its body read. */
export interface Answer {
  readonly status: number
  readonly header: (name: string) => string | undefined
  readonly bytes: Buffer
}

/**
 * Asks once, with headers, which no other host is sent. Rejects where there is no answer, and where it has more than `most`
 * bytes.
 */
export async function ask(
  url: URL,
  headers: Readonly<Record<string, string>>,
  options: DownloadOptions,
  most = mostAnswered
): Promise<Answer> {
  return called(`GET ${url.host}`, async () => {
    const response = await request(url, options, headers)
    return {
      status: response.statusCode ?? 0,
      header: (name) => [response.headers[name.toLowerCase()]].flat()[0],
      bytes: await bytesOf(response, most)
    }
  })
}

const usualAttempts = 3
/** Bytes: what is asked for by an API is small. */
const mostAnswered = 8 * 1024 * 1024
const mostRedirects = 5
const usualSilence = 30_000

/** A small text file. Undefined when the server says that there is none; throws when it could not be asked. */
export async function downloadText(url: URL, options: DownloadOptions): Promise<string | undefined> {
  return withRetries(url, options, bodyOf)
}

async function bodyOf(response: IncomingMessage): Promise<string> {
  return (await bytesOf(response, Infinity)).toString('utf8')
}

async function bytesOf(response: IncomingMessage, most: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of response) {
    if (!Buffer.isBuffer(chunk)) continue
    length += chunk.length
    if (length > most) throw new Error(`its answer has more than ${most} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** Writes the file while its SHA-256 is taken; the hex digest. Undefined when the server says that there is none. */
export async function downloadFile(
  url: URL,
  path: string,
  options: DownloadOptions
): Promise<string | undefined> {
  return withRetries(url, options, async (response) => {
    const hash = createHash('sha256')
    const file = await open(path, 'w', 0o600)
    try {
      for await (const chunk of response) {
        if (!Buffer.isBuffer(chunk)) continue
        hash.update(chunk)
        await file.appendFile(chunk)
        giveBack(chunk)
      }
    } catch (error) {
      await rm(path, { force: true })
      throw error
    } finally {
      await file.close()
    }
    return hash.digest('hex')
  })
}

/** What has come of a helm is 18 MB, which would wait for a collection that has no other reason to begin. */
function giveBack({ buffer, byteLength }: Buffer): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0)
}

async function withRetries<R>(
  url: URL,
  options: DownloadOptions,
  read: (response: IncomingMessage) => Promise<R>
): Promise<R | undefined> {
  const { attempts = usualAttempts } = options
  let last: unknown
  for (let attempt = 1; attempt <= attempts; attempt++) {
    try {
      const { status, value } = await called(`GET ${url.host}`, async () => {
        const response = await request(url, options)
        if (response.statusCode === 200) return { status: 200, value: await read(response) }
        response.resume()
        return { status: response.statusCode ?? 0, value: undefined }
      })
      if (value !== undefined) return value
      if (status === 404 || status === 403) return undefined
      last = new Error(`HTTP ${status}`)
      if (status !== 429 && status < 500) break
    } catch (error) {
      if (options.signal.aborted) throw options.signal.reason
      last = error
    }
    if (attempt < attempts) await sleep(250 * 2 ** attempt, undefined, { signal: options.signal })
  }
  throw new Error(`${url.href} could not be read: ${messageOf(last)}`, { cause: last })
}

async function request(
  url: URL,
  options: DownloadOptions,
  headers: Readonly<Record<string, string>> = {},
  redirects = 0
): Promise<IncomingMessage> {
  const { silence = usualSilence } = options
  const secure = url.protocol === 'https:'
  const proxyEnv = { ...options.proxyEnv }
  // No kept connection: two files are read and nothing should hold the process afterwards.
  const agent = secure ? new HttpsAgent({ proxyEnv }) : new HttpAgent({ proxyEnv })
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const sent = (secure ? httpsGet : httpGet)(
      url,
      { agent, signal: options.signal, headers: { 'user-agent': ourName, ...headers } },
      resolve
    )
    sent.setTimeout(silence, () => sent.destroy(new Error(`no data for ${silence / 1000} s`)))
    sent.on('error', reject)
  })
  const location = response.headers.location
  if ((response.statusCode ?? 0) < 300 || (response.statusCode ?? 0) >= 400 || location === undefined)
    return response
  response.resume()
  if (redirects === mostRedirects) throw new Error(`more than ${mostRedirects} redirects`)
  const next = new URL(location, url)
  if (secure && next.protocol !== 'https:') throw new Error(`redirected from https to ${next.origin}`)
  return request(next, options, next.origin === url.origin ? headers : {}, redirects + 1)
}
