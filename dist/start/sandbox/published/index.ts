import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Authority } from '../certificates.js'
import { listen } from '../listen.js'
import { plainText, type PublishedAnswer, type PublishedRequest } from './answer.js'
import { packChart, packCrdChart, type ChartSource, type PublishedChart } from './chart.js'
import { helmReleaseOf, type HelmSource } from './helm-release.js'
import { registryOf, type TagList } from './registry.js'
import type { Signing } from './signatures.js'
import { startSigner } from './signer.js'
import type { UpstreamFiles } from './upstream-files.js'

export { imageDigest } from './chart.js'

/** Names of the public hosts whose files are served; the TLS listener has a certificate for them. */
export const publishedHosts = ['public.ecr.aws', 'raw.githubusercontent.com', 'get.helm.sh'] as const

/** What upstream publishes of one version. */
export interface Release {
  readonly chart: ChartSource
  readonly files: UpstreamFiles
}

export interface PublishedOptions {
  /** A folder of the sandbox's own; what is needed for a moment goes into `published` in it. */
  readonly folder: string
  /** By Karpenter version. */
  readonly releases: ReadonlyMap<string, Release>
  readonly helm: HelmSource
  /** Issues the certificate of the TLS listener. */
  readonly authority: Authority
}

export interface PublishedRecord {
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly scheme: 'http' | 'https'
  readonly method: string
  readonly host: string
  readonly path: string
  readonly authorization: 'none' | 'basic' | 'bearer'
  readonly status: number
}

export interface Published {
  /** http://127.0.0.1:1234; helm needs --plain-http there. */
  readonly url: string
  readonly port: number
  readonly tlsPort: number
  /** oci://127.0.0.1:1234/karpenter/karpenter */
  readonly chart: string
  /** oci://127.0.0.1:1234/karpenter/karpenter-crd */
  readonly crdChart: string
  readonly requests: readonly PublishedRecord[]
  /** The same answers, for a server that holds these hosts itself. */
  readonly handler: RequestListener
  /** sha256:... of the chart's manifest. */
  chartDigest(version: string): string | undefined
  setHelmChecksum(checksum: 'right' | 'wrong'): void
  /** From now on, whether the registry lists its tags. */
  setTagList(tagList: TagList): void
  /** Of the Sigstore instance that signs the charts, for chart-trust-root. */
  readonly trustRootPath: string
  /** From now on, how the charts of the mirror are signed, or those at AWS's public name, which bear no signature at first. */
  setSigning(signing: Signing, where?: 'mirror' | 'public.ecr.aws'): void
  stop(): Promise<void>
}

const repository = 'karpenter/karpenter'
const crdRepository = 'karpenter/karpenter-crd'
const upstreamPath = /^\/aws\/karpenter-provider-aws\/v([^/]+)\/(.+)$/

/** Serves what Karpenter and helm publish: the chart's registry, files of upstream's repository, helm's releases. */
export async function startPublished(options: PublishedOptions): Promise<Published> {
  const folder = join(options.folder, 'published')
  await mkdir(folder, { recursive: true })
  const charts = new Map<string, PublishedChart>()
  const crdCharts = new Map<string, PublishedChart>()
  for (const [version, { chart }] of options.releases) {
    charts.set(version, await packChart(version, chart, folder))
    if (chart.crdChartDir !== undefined) {
      crdCharts.set(version, await packCrdChart(version, chart.crdChartDir, folder))
    }
  }
  const signer = await startSigner()
  const trustRootPath = join(options.folder, 'trusted_root.json')
  await writeFile(trustRootPath, signer.trustRoot)
  const registry = await registryOf({ [repository]: charts, [crdRepository]: crdCharts }, signer)
  const helm = helmReleaseOf(options.helm, folder)
  const requests: PublishedRecord[] = []

  const answer = async (request: PublishedRequest): Promise<PublishedAnswer> => {
    const ofOthers = registry.answer(request) ?? (await helm.answer(request))
    if (ofOthers !== undefined) {
      return ofOthers
    }
    const [, version = '', path = ''] = upstreamPath.exec(request.path) ?? []
    const file = options.releases.get(version)?.files[path]
    return file === undefined ? plainText(404, '404: Not Found') : plainText(200, file)
  }
  const handler: RequestListener = (incoming, response) => {
    const request = read(incoming)
    incoming.resume()
    void answer(request)
      .catch((error: unknown) => plainText(500, `${String(error)}\n`))
      .then(({ status, headers, body }) => {
        requests.push({ ...recordOf(request), status })
        response.writeHead(status, { ...headers, 'content-length': String(body.length) })
        response.end(request.method === 'HEAD' ? undefined : body)
      })
  }

  const certificate = await options.authority.issue({
    commonName: publishedHosts[0],
    dnsNames: [...publishedHosts, 'localhost'],
    ipAddresses: ['127.0.0.1'],
    usage: 'server'
  })
  const plain = await listen(createServer(handler))
  const tls = await listen(createTlsServer({ cert: certificate.certPem, key: certificate.keyPem }, handler))
  return {
    url: `http://127.0.0.1:${plain.port}`,
    port: plain.port,
    tlsPort: tls.port,
    chart: `oci://127.0.0.1:${plain.port}/${repository}`,
    crdChart: `oci://127.0.0.1:${plain.port}/${crdRepository}`,
    requests,
    handler,
    chartDigest: (version) => registry.digestOfVersion(repository, version),
    setHelmChecksum: (checksum) => helm.setChecksum(checksum),
    setTagList: (tagList) => registry.setTagList(tagList),
    trustRootPath,
    setSigning: (signing, where = 'mirror') => registry.setSigning(signing, where),
    stop: async () => {
      await Promise.all([plain.close(), tls.close()])
      await rm(folder, { recursive: true, force: true })
    }
  }
}

function read(incoming: IncomingMessage): PublishedRequest {
  const scheme = 'encrypted' in incoming.socket ? 'https' : 'http'
  const [path = '/', query = ''] = (incoming.url ?? '/').split('?')
  return {
    method: incoming.method ?? 'GET',
    path,
    query: new URLSearchParams(query),
    origin: `${scheme}://${incoming.headers.host ?? '127.0.0.1'}`,
    authorization: incoming.headers.authorization
  }
}

function recordOf(request: PublishedRequest): Omit<PublishedRecord, 'status'> {
  const { protocol, host } = new URL(request.origin)
  const scheme = request.authorization?.split(' ')[0]?.toLowerCase()
  return {
    at: Date.now(),
    scheme: protocol === 'https:' ? 'https' : 'http',
    method: request.method,
    host,
    path: request.path,
    authorization: scheme === undefined ? 'none' : scheme === 'basic' ? 'basic' : 'bearer'
  }
}
