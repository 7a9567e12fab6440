import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { answerOf, byDigest, digestIn, layersIn, manifestTypes, sha256Of, wellAnswered } from './artifact.js'
import { briefly, type DownloadOptions } from './download.js'
import { openRegistry, type Registry } from './registry.js'

/** A chart as its registry gave it. */
export interface RegistryChart {
  /** Of the archive. */
  readonly path: string
  /** sha256:... of the manifest. */
  readonly digest: string
  readonly origin: ChartOrigin
}

/** Where a chart was read from, for whoever reads its signature there. */
export interface ChartOrigin {
  readonly registry: Registry
  readonly manifest: Buffer
}

/** Media types of a chart's archive (helm, internal and pkg/registry: ChartLayerMediaType and LegacyChartLayerMediaType). */
export const archiveTypes: readonly string[] = [
  'application/vnd.cncf.helm.chart.content.v1.tar+gzip',
  'application/tar+gzip'
]

/**
 * Pulls a chart by the registry's API, as `helm pull` does, and holds the archive to the digest in its manifest: helm itself,
 * which a fresh runner has to fetch, is needed only by what is installed. Throws where the registry does not give it so.
 */
export async function pullFromRegistry(
  reference: string,
  version: string,
  { folder, ...options }: DownloadOptions & { readonly folder: string }
): Promise<RegistryChart> {
  const registry = openRegistry(reference, { ...options, ...briefly })
  // A tag has no plus sign (helm, pkg/registry: "+" is written "_").
  const tag = encodeURIComponent(version.replaceAll('+', '_'))
  // helm is asked next, which has a patience of its own.
  const once = { signal: options.signal, attempts: 1 }
  const manifest = wellAnswered(await answerOf(registry, `manifests/${tag}`, manifestTypes, once))
  const layer = layersIn(manifest).find(
    ({ mediaType }) => typeof mediaType === 'string' && archiveTypes.includes(mediaType)
  )
  if (layer === undefined) throw new Error(`${registry.where}:${version} is no chart`)
  const archive = await byDigest(registry, 'blobs', digestIn(layer), once)
  const name = registry.where.split('/').at(-1) ?? 'karpenter'
  const path = join(folder, `${name}-${version}.tgz`)
  await writeFile(path, archive, { mode: 0o600, flag: 'wx' })
  return { path, digest: sha256Of(manifest), origin: { registry, manifest } }
}
