import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import seeds from '@sigstore/tuf/seeds.json' with { type: 'json' }
import { BaseFetcher, Updater } from 'tuf-js'
import { DownloadHTTPError } from 'tuf-js/dist/error.js'
import { messageOf } from '../../engine/errors.js'
import { ask, type DownloadOptions } from '../download.js'

/** Where Sigstore's public instance publishes its trust root, and what a release of this action knows of it. */
export interface TrustSource {
  readonly url: string
  /** root.json of The Update Framework, as bytes: whose signatures the repository has to bear. */
  readonly root: Buffer
  /** trusted_root.json as it was then. */
  readonly carried: unknown
}

export interface TrustRoot {
  /** A trusted_root.json, parsed. */
  readonly value: unknown
  /** Why it is not the newest one; undefined where it is. */
  readonly notRenewed: string | undefined
}

const publicInstance = 'https://tuf-repo-cdn.sigstore.dev'
const target = 'trusted_root.json'

/** Carried with the release: the npm package @sigstore/tuf (Apache-2.0) has both files of sigstore/root-signing. */
export function publicTrust(): TrustSource {
  const { 'root.json': root, targets } = seeds[publicInstance]
  return {
    url: publicInstance,
    root: Buffer.from(root, 'base64'),
    carried: JSON.parse(Buffer.from(targets[target], 'base64').toString('utf8'))
  }
}

/**
 * The newest trust root, by The Update Framework from the one that is carried; the carried one where the repository cannot be
 * reached or is not as it should be. Never throws but for the signal.
 */
export async function trustRoot(
  source: TrustSource,
  temporary: string,
  options: DownloadOptions
): Promise<TrustRoot> {
  const folder = await mkdtemp(join(temporary, 'trust-root-'))
  try {
    return { value: await renewed(source, folder, options), notRenewed: undefined }
  } catch (error) {
    options.signal.throwIfAborted()
    return { value: source.carried, notRenewed: messageOf(error) }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function renewed(source: TrustSource, folder: string, options: DownloadOptions): Promise<unknown> {
  const targetDir = join(folder, 'targets')
  await mkdir(targetDir)
  await writeFile(join(folder, 'root.json'), source.root)
  const updater = new Updater({
    metadataDir: folder,
    metadataBaseUrl: source.url,
    targetDir,
    targetBaseUrl: `${source.url}/targets`,
    fetcher: new Fetcher(options)
  })
  const file = await updater.getTargetInfo(target)
  if (file === undefined) throw new Error(`${source.url} has no ${target}`)
  return JSON.parse(await readFile(await updater.downloadTarget(file), 'utf8'))
}

/** By the run's own way out, with its proxy. */
class Fetcher extends BaseFetcher {
  readonly #options: DownloadOptions
  constructor(options: DownloadOptions) {
    super()
    this.#options = options
  }

  override async fetch(url: string): ReturnType<BaseFetcher['fetch']> {
    const { status, bytes } = await ask(new URL(url), {}, this.#options)
    if (status !== 200) throw new DownloadHTTPError(`${url}: HTTP ${status}`, status)
    return new Blob([new Uint8Array(bytes)]).stream()
  }
}
