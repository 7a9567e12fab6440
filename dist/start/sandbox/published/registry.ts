import { json, type PublishedAnswer, type PublishedRequest } from './answer.js'
import { digestOf, type PublishedChart } from './chart.js'
import { type SignatureManifest, type Signatures, signaturesBy, type Signing } from './signatures.js'
import type { ChartSigner } from './signer.js'

const manifestType = 'application/vnd.oci.image.manifest.v1+json'
const configType = 'application/vnd.cncf.helm.config.v1+json'
const layerType = 'application/vnd.cncf.helm.chart.content.v1.tar+gzip'

/** What the list of tags has at most on a page, and where nothing is asked for. */
const page = { most: 1000, usual: 100 } as const

/**
 * Tags that stand beside the charts in public.ecr.aws/karpenter/karpenter and that no release is: old ones with a v, release
 * candidates, snapshots. They are listed only.
 */
const otherTags = ['v0.16.3', '0.37.8-rc.0', '1.0.0-rc.1', '99.0.0-rc.0', '0-6b868bb', 'latest'] as const

/** Anonymous pulls need a token too; this one is for everybody, as anyone can have one. */
const anonymousToken = 'anonymous'

/** Public ECR, as far as a pull and a list of tags go: OCI distribution 1.1 with bearer tokens, nothing to be pushed. */
export interface Registry {
  /** Undefined when the path is none of a registry's. */
  answer(request: PublishedRequest): PublishedAnswer | undefined
  /** sha256:... of a version's manifest, as helm reports it after a pull. */
  digestOfVersion(repository: string, version: string): string | undefined
  /** From now on: `refused` is what a mirror answers that lets clients pull and no more. */
  setTagList(tagList: TagList): void
  /** From now on, how charts are signed at that name. */
  setSigning(signing: Signing, where: 'mirror' | 'public.ecr.aws'): void
}

export type TagList = 'answered' | 'refused'

interface Repository {
  readonly tags: ReadonlyMap<string, string>
  /** All tags in the order of a list, which is not that of versions. */
  readonly listed: readonly string[]
  /** An answer to a request for a manifest, a blob, or what refers to a manifest. */
  content(kind: string, reference: string, signing: Signing): PublishedAnswer
}

function repositoryOf(charts: ReadonlyMap<string, PublishedChart>, signatures: Signatures): Repository {
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

  const content = (kind: string, reference: string, signing: Signing): PublishedAnswer => {
    if (kind === 'referrers') return found(signatures.referrers(signing, reference))
    if (kind === 'blobs') {
      const body = blobs.get(reference) ?? signatures.blob(reference)
      return body === undefined
        ? failure(404, 'BLOB_UNKNOWN', `Blob with digest ${reference} does not exist`)
        : found({ type: 'application/octet-stream', body })
    }
    const body = manifests.get(tags.get(reference) ?? reference)
    const manifest =
      body === undefined ? signatures.manifest(signing, reference) : { type: manifestType, body }
    return manifest === undefined
      ? failure(404, 'MANIFEST_UNKNOWN', 'Requested image not found')
      : found(manifest)
  }

  // Cosign's, one for each chart (charts/karpenter/README.md).
  const ofSignatures = [...tags.values()].map((digest) => signatures.tagOf(digest))
  // Public ECR's lists have no order that anybody could rely on (aws/containers-roadmap, issue 2091).
  const listed = [...tags.keys(), ...ofSignatures, ...otherTags].toSorted((a, b) =>
    digestOf(Buffer.from(a)).localeCompare(digestOf(Buffer.from(b)))
  )
  return { tags, listed, content }
}

/**
 * A page of the list of tags. ECR takes `n` up to 1,000 (google/go-containerregistry, issue 681), gives 100 without it
 * (genuinetools/reg, issue 206), and says with an absolute Link where the next page is, by a token that means nothing to a
 * client (deitch/docker_registry2, issue 34).
 */
function tagPage(name: string, listed: readonly string[], request: PublishedRequest): PublishedAnswer {
  const asked = request.query.get('n')
  const count = asked === null ? page.usual : Number(asked)
  if (!Number.isInteger(count) || count < 1 || count > page.most) {
    const rule = `Member must have value ${count > page.most ? 'less' : 'greater'} than or equal to ${count > page.most ? page.most : 1}`
    return failure(
      405,
      'UNSUPPORTED',
      `Invalid parameter at 'maxResults' failed to satisfy constraint: '${rule}'`
    )
  }
  const last = request.query.get('last')
  const from = last === null ? 0 : Number(Buffer.from(last, 'base64url').toString())
  if (!Number.isInteger(from)) {
    return failure(405, 'UNSUPPORTED', "Invalid parameter at 'nextToken'")
  }
  const next = Buffer.from(String(from + count)).toString('base64url')
  const link = `<${request.origin}/v2/${name}/tags/list?last=${next}&n=${count}>; rel="next"`
  return json(
    200,
    { name, tags: listed.slice(from, from + count) },
    from + count < listed.length ? { link } : {}
  )
}

/** Repositories by name, each with its charts by version, and signed by that instance. */
export async function registryOf(
  charts: Readonly<Record<string, ReadonlyMap<string, PublishedChart>>>,
  signer: ChartSigner
): Promise<Registry> {
  const signatures = signaturesBy(signer)
  const repositories = new Map(
    Object.entries(charts).map(([name, versions]) => [name, repositoryOf(versions, signatures)])
  )
  for (const [name, { tags }] of repositories)
    for (const [version, digest] of tags)
      await signatures.add({ artifact: `public.ecr.aws/${name}`, digest, version })
  // What lies at AWS's own name could only be signed by Sigstore's public instance, whose keys are not here.
  const signing = { mirror: 'release' as Signing, 'public.ecr.aws': 'none' as Signing }
  let tagList: TagList = 'answered'
  return {
    setSigning: (next, where) => {
      signing[where] = next
    },
    setTagList: (next) => {
      tagList = next
    },
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
      const parts = /^\/v2\/(.+)\/(manifests|blobs|tags|referrers)\/([^/]+)$/.exec(request.path)
      const [, name, kind, reference] = parts ?? []
      const repository = repositories.get(name ?? '')
      if (repository === undefined || kind === undefined || reference === undefined) {
        return failure(
          404,
          'NAME_UNKNOWN',
          `The repository with name '${name ?? request.path}' does not exist in the registry`
        )
      }
      if (kind !== 'tags') {
        const { host } = new URL(request.origin)
        return repository.content(kind, reference, signing[host === 'public.ecr.aws' ? host : 'mirror'])
      }
      return tagList === 'refused' || name === undefined || reference !== 'list'
        ? failure(403, 'DENIED', 'requested access to the resource is denied')
        : tagPage(name, repository.listed, request)
    }
  }
}

function found({ type, body }: SignatureManifest): PublishedAnswer {
  return {
    status: 200,
    headers: { 'content-type': type, 'docker-content-digest': digestOf(body) },
    body
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
