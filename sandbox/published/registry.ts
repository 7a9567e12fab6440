import { json, type PublishedAnswer, type PublishedRequest } from './answer.js'
import { digestOf, type PublishedChart } from './chart.js'

const manifestType = 'application/vnd.oci.image.manifest.v1+json'
const configType = 'application/vnd.cncf.helm.config.v1+json'
const layerType = 'application/vnd.cncf.helm.chart.content.v1.tar+gzip'

/** Anonymous pulls need a token too; this one is for everybody, as anyone can have one. */
const anonymousToken = 'anonymous'

/** Public ECR, as far as a pull goes: OCI distribution 1.1 with bearer tokens, nothing to be pushed. */
export interface Registry {
  /** Undefined when the path is none of a registry's. */
  answer(request: PublishedRequest): PublishedAnswer | undefined
  /** sha256:... of a version's manifest, as helm reports it after a pull. */
  digestOfVersion(repository: string, version: string): string | undefined
}

interface Repository {
  readonly tags: ReadonlyMap<string, string>
  /** An answer to a request below the repository's own path. */
  content(kind: string, reference: string): PublishedAnswer
}

function repositoryOf(name: string, charts: ReadonlyMap<string, PublishedChart>): Repository {
  const blobs = new Map<string, Buffer>()
  const manifests = new Map<string, Buffer>()
  const tags = new Map<string, string>()
  for (const [version, chart] of charts) {
    const config = Buffer.from(JSON.stringify(chart.metadata))
    const manifest = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: manifestType,
        config: descriptor(configType, config),
        layers: [descriptor(layerType, chart.archive)],
        annotations: {
          'org.opencontainers.image.title': String(chart.metadata['name']),
          'org.opencontainers.image.version': version
        }
      })
    )
    blobs.set(digestOf(config), config).set(digestOf(chart.archive), chart.archive)
    manifests.set(digestOf(manifest), manifest)
    tags.set(version, digestOf(manifest))
  }

  const content = (kind: string, reference: string): PublishedAnswer => {
    if (kind === 'tags') {
      return json(200, { name, tags: [...tags.keys()] })
    }
    const digest = kind === 'manifests' ? (tags.get(reference) ?? reference) : reference
    const body = kind === 'manifests' ? manifests.get(digest) : blobs.get(digest)
    if (body === undefined) {
      return kind === 'manifests'
        ? failure(404, 'MANIFEST_UNKNOWN', 'Requested image not found')
        : failure(404, 'BLOB_UNKNOWN', `Blob with digest ${digest} does not exist`)
    }
    const type = kind === 'manifests' ? manifestType : 'application/octet-stream'
    return { status: 200, headers: { 'content-type': type, 'docker-content-digest': digest }, body }
  }

  return { tags, content }
}

/** Repositories by name, each with its charts by version. */
export function registryOf(charts: Readonly<Record<string, ReadonlyMap<string, PublishedChart>>>): Registry {
  const repositories = new Map(
    Object.entries(charts).map(([name, versions]) => [name, repositoryOf(name, versions)])
  )
  return {
    digestOfVersion: (repository, version) => repositories.get(repository)?.tags.get(version),
    answer: (request) => {
      if (request.path !== '/token/' && request.path !== '/v2/' && !request.path.startsWith('/v2/')) {
        return undefined
      }
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        return failure(405, 'UNSUPPORTED', 'The operation is unsupported')
      }
      // A login that has run out is worse than none, though nothing here needs one.
      if (request.authorization?.toLowerCase().startsWith('basic ') === true) {
        return failure(403, 'DENIED', 'Your authorization token has expired. Reauthenticate and try again.')
      }
      if (request.path === '/token/') {
        return json(200, { token: anonymousToken })
      }
      if (request.authorization !== `Bearer ${anonymousToken}`) {
        return failure(401, 'UNAUTHORIZED', 'Not Authorized', {
          'www-authenticate': `Bearer realm="${request.origin}/token/",service="public.ecr.aws",scope="aws"`
        })
      }
      if (request.path === '/v2/') {
        return json(200, {})
      }
      const parts = /^\/v2\/(.+)\/(manifests|blobs|tags)\/([^/]+)$/.exec(request.path)
      const [, name, kind, reference] = parts ?? []
      const repository = repositories.get(name ?? '')
      if (repository === undefined || kind === undefined || reference === undefined) {
        return failure(
          404,
          'NAME_UNKNOWN',
          `The repository with name '${name ?? request.path}' does not exist in the registry`
        )
      }
      return repository.content(kind, reference)
    }
  }
}

function descriptor(mediaType: string, content: Buffer): Readonly<Record<string, unknown>> {
  return { mediaType, digest: digestOf(content), size: content.length }
}

function failure(
  status: number,
  code: string,
  message: string,
  headers: Readonly<Record<string, string>> = {}
): PublishedAnswer {
  return json(status, { errors: [{ code, message }] }, headers)
}
