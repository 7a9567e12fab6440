import { createServer, type Server } from 'node:http'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sha256Of } from '../../../src/helm/artifact.js'
import type { PulledChart } from '../../../src/helm/signature/read-signature.js'
import type { ChartSignature } from '../../../sandbox/published/signer.js'

const manifestType = 'application/vnd.oci.image.manifest.v1+json'
const bundleType = 'application/vnd.dev.sigstore.bundle.v0.3+json'

/** A registry with one chart, and a folder with what was pulled of it. */
export class RegistryServer {
  readonly folder = mkdtempSync(join(tmpdir(), 'signed-chart-'))
  readonly digest: string
  /** Answers by path, below the repository: a status, or a body. */
  readonly answers = new Map<string, number | Buffer>()
  readonly asked: string[] = []
  readonly #server: Server
  readonly #archive = Buffer.from('an archive')

  constructor() {
    const manifest = json({ layers: [{ digest: sha256Of(this.#archive) }] })
    this.digest = sha256Of(manifest)
    this.#put('manifests', manifest)
    writeFileSync(join(this.folder, 'karpenter-1.14.0.tgz'), this.#archive)
    this.#server = createServer((request, response) => {
      const path = (request.url ?? '').replace('/v2/karpenter/karpenter/', '')
      this.asked.push(path)
      const answer = this.answers.get(path) ?? 404
      if (typeof answer === 'number') response.writeHead(answer).end()
      else response.end(answer)
    })
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return this
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
    rmSync(this.folder, { recursive: true })
  }

  get pulled(): PulledChart {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('the server has no port')
    return {
      reference: `oci://127.0.0.1:${address.port}/karpenter/karpenter`,
      version: '1.14.0',
      chart: { path: join(this.folder, 'karpenter-1.14.0.tgz'), name: 'karpenter', digest: this.digest }
    }
  }

  /** As cosign has done up to version 2. */
  tag(...signatures: readonly Pick<ChartSignature, 'payload' | 'annotations'>[]): void {
    const layers = signatures.map(({ payload, annotations }) => ({
      mediaType: 'application/vnd.dev.cosign.simplesigning.v1+json',
      digest: this.#put('blobs', payload),
      annotations
    }))
    this.answers.set(`manifests/${this.digest.replace(':', '-')}.sig`, json({ layers }))
  }

  /** As cosign does from version 3 on: what it wrote is listed by the API, or at a tag where there is none. */
  refer(where: 'api' | 'tag', ...bundles: readonly Buffer[]): void {
    const manifests = bundles.map((bundle) => ({
      mediaType: manifestType,
      artifactType: bundleType,
      digest: this.#put(
        'manifests',
        json({ layers: [{ mediaType: bundleType, digest: this.#put('blobs', bundle) }] })
      )
    }))
    const path = where === 'api' ? `referrers/${this.digest}` : `manifests/${this.digest.replace(':', '-')}`
    this.answers.set(path, json({ manifests }))
  }

  #put(kind: 'manifests' | 'blobs', bytes: Buffer): string {
    const digest = sha256Of(bytes)
    this.answers.set(`${kind}/${digest}`, bytes)
    return digest
  }
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value))
}
