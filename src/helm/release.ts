import type { Deployment } from 'kubernetes-types/apps/v1.js'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { isMap, mapAt } from '../engine/json.js'
import type { Kubernetes } from '../kubernetes/client.js'
import { deployments, secrets } from '../kubernetes/kinds.js'
import { field, listField, textField } from '../kubernetes/manifest.js'

/** helm's own words: deployed, superseded, failed, uninstalling, pending-install, pending-upgrade, pending-rollback. */
export type ReleaseStatus = string

/** The newest revision of a release, as helm keeps it in a Secret. */
export interface Release {
  readonly name: string
  readonly namespace: string
  readonly revision: number
  readonly status: ReleaseStatus
  /** Of the chart, without v. */
  readonly chartVersion: string
  readonly appVersion: string
  /** The values it was given, without the chart's defaults. */
  readonly values: Readonly<Record<string, unknown>>
  /** The rendered objects, as YAML. */
  readonly manifest: string
  /** RFC 3339, of the Secret. */
  readonly createdAt: string
  /** Name of the Secret. */
  readonly secret: string
  /** Of the Secret: those that helm was given with --labels, beside helm's own. */
  readonly labels: Readonly<Record<string, string>>
  /** Older revisions that were deployed once, newest first. */
  readonly deployedBefore: readonly number[]
}

/** The release of that name, or undefined. Only its newest revision is unpacked. */
export async function readRelease(
  kubernetes: Kubernetes,
  name: string,
  namespace: string
): Promise<Release | undefined> {
  const found = await kubernetes.list(secrets, { namespace, labelSelector: `owner=helm,name=${name}` })
  const newest = newestOf(found.items)
  return newest === undefined ? undefined : unpack(newest, found.items)
}

/** Every revision of a release that helm still keeps, newest first. */
export async function readRevisions(
  kubernetes: Kubernetes,
  name: string,
  namespace: string
): Promise<readonly Release[]> {
  const { items } = await kubernetes.list(secrets, { namespace, labelSelector: `owner=helm,name=${name}` })
  const found = await Promise.all(
    items.toSorted((a, b) => revisionOf(b) - revisionOf(a)).map(async (secret) => unpack(secret, items))
  )
  return found.filter((release) => release !== undefined)
}

/** What the revision in force was given, and the values.yaml of its chart; undefined when none is deployed. */
export interface DeployedValues {
  readonly given: Readonly<Record<string, unknown>>
  readonly chart: Readonly<Record<string, unknown>>
}

/** Of the revision that is in force, also while a newer one has failed. */
export async function readDeployedValues(
  kubernetes: Kubernetes,
  name: string,
  namespace: string
): Promise<DeployedValues | undefined> {
  const labelSelector = `owner=helm,name=${name},status=deployed`
  const { items } = await kubernetes.list(secrets, { namespace, labelSelector })
  const release = await contentOf(newestOf(items))
  if (release === undefined) return undefined
  return { given: mapAt(release, 'config'), chart: mapAt(field(release, 'chart'), 'values') }
}

/** A Karpenter controller that the cluster has, however it was installed. */
export interface Controller {
  readonly namespace: string
  /** Name of its Deployment. */
  readonly deployment: string
  /** Of the chart or image it came from, as its label says; empty when it does not say. */
  readonly version: string
  /** Undefined when helm did not install it. */
  readonly release: { readonly name: string; readonly namespace: string } | undefined
}

/** A Cluster Autoscaler that the cluster has. */
export interface Autoscaler {
  readonly namespace: string
  readonly deployment: string
  readonly replicas: number
  readonly image: string
  /** Its arguments that say which node groups it manages. */
  readonly scope: readonly string[]
}

/** Whatever scales nodes in the cluster, known by label or image, in any namespace and by any name. */
export interface Scalers {
  readonly controllers: readonly Controller[]
  readonly autoscalers: readonly Autoscaler[]
}

/**
 * One listing of all Deployments as the server prints them, metadata and images, of which scalers alone are kept; a Cluster
 * Autoscaler alone is read whole. The images are those of Deployment's wide columns (Kubernetes,
 * pkg/printers/internalversion/printers.go).
 */
export async function findScalers(kubernetes: Kubernetes): Promise<Scalers> {
  const rows =
    (await kubernetes.column(deployments, 'Images', (one, cells) =>
      // Which cell has the images is said at the end of a listing.
      isScaler(one, cells.join(',')) ? withoutSpec(one) : undefined
    )) ??
    // As whoever answers for the API server may do.
    (
      await kubernetes.pick(deployments, (one) => {
        const cell = imagesOf(one).join(',')
        return isScaler(one, cell) ? [{ cell, picked: withoutSpec(one) }] : []
      })
    ).items.flat()
  const controllers: Controller[] = []
  const found: Deployment[] = []
  for (const { cell, picked } of rows) {
    const image = imageLike(karpenterImage, cell)
    if (image !== undefined || isNamedKarpenter(picked)) controllers.push(controllerOf(picked, image))
    else if (imageLike(autoscalerImage, cell) !== undefined) found.push(picked)
  }
  const autoscalers = await Promise.all(
    found.map(async ({ metadata }) => {
      const fieldSelector = `metadata.name=${metadata?.name ?? ''}`
      const [whole] = (await kubernetes.list(deployments, { namespace: metadata?.namespace, fieldSelector }))
        .items
      const image = imagesOf(whole).find((one) => autoscalerImage.test(repositoryOf(one)))
      return whole === undefined || image === undefined ? [] : [autoscalerOf(whole, image)]
    })
  )
  return { controllers, autoscalers: autoscalers.flat() }
}

/** `cells`: separated by commas, the images among them. */
function isScaler(deployment: Deployment, cells: string): boolean {
  return isNamedKarpenter(deployment) || scalerAmong.test(cells)
}

function isNamedKarpenter(deployment: Deployment): boolean {
  return labelOf(deployment, 'app.kubernetes.io/name') === 'karpenter'
}

function imageLike(repository: RegExp, images: string): string | undefined {
  return images.split(',').find((image) => repository.test(repositoryOf(image)))
}

/** What is said of a controller that is found, and not what else its Deployment's metadata has. */
function withoutSpec({ apiVersion, kind, metadata }: Deployment): Deployment {
  const { name = '', namespace = '', labels = {}, annotations = {} } = metadata ?? {}
  const isKarpenter = labels['app.kubernetes.io/name'] === 'karpenter'
  const kept = (all: Readonly<Record<string, string>>, prefix: string): Record<string, string> =>
    Object.fromEntries(Object.entries(all).filter(([key]) => key.startsWith(prefix)))
  return {
    ...(apiVersion !== undefined && { apiVersion }),
    ...(kind !== undefined && { kind }),
    metadata: {
      name,
      namespace,
      labels: isKarpenter ? labels : kept(labels, 'app.kubernetes.io/version'),
      annotations: kept(annotations, 'meta.helm.sh/release-')
    }
  }
}

function imagesOf(deployment: Deployment | undefined): readonly string[] {
  return listField(deployment, 'spec', 'template', 'spec', 'containers').flatMap(
    (container) => textField(container, 'image') ?? []
  )
}

/** Upstream's public.ecr.aws/karpenter/controller and the names that mirrors give it. */
const karpenter = 'karpenter(/controller|-controller)?'
const autoscaler = 'cluster-autoscaler(-(amd64|arm64))?'
const [karpenterImage, autoscalerImage] = [
  new RegExp(`(^|/)${karpenter}$`),
  new RegExp(`(^|/)${autoscaler}$`)
]
const scalerAmong = new RegExp(`(^|[/,])(${karpenter}|${autoscaler})([:@,]|$)`)

/** An image without its tag and digest. */
function repositoryOf(image: string): string {
  return image.replace(/@.*$/, '').replace(/:[^/]*$/, '')
}

function controllerOf(deployment: Deployment, image: string | undefined): Controller {
  const { name = '', namespace = '', annotations = {} } = deployment.metadata ?? {}
  const release = annotations['meta.helm.sh/release-name']
  const version =
    labelOf(deployment, 'app.kubernetes.io/version') ||
    (/:([^/]+)$/.exec((image ?? '').replace(/@.*$/, ''))?.[1] ?? '')
  return {
    namespace,
    deployment: name,
    version: version.replace(/^v/, ''),
    release:
      release === undefined
        ? undefined
        : { name: release, namespace: annotations['meta.helm.sh/release-namespace'] ?? namespace }
  }
}

function autoscalerOf(deployment: Deployment, image: string): Autoscaler {
  const { name = '', namespace = '' } = deployment.metadata ?? {}
  const words = listField(deployment, 'spec', 'template', 'spec', 'containers').flatMap((container) => [
    ...listField(container, 'command'),
    ...listField(container, 'args')
  ])
  return {
    namespace,
    deployment: name,
    replicas: deployment.spec?.replicas ?? 1,
    image,
    scope: words.map(String).filter((word) => /^--?(nodes|node-group-auto-discovery)=/.test(word))
  }
}

/** A release by its newest Secrets, without what it holds. */
export interface ReleaseName {
  readonly name: string
  readonly namespace: string
  readonly status: string
}

/** Releases of Karpenter and of its CRDs in any namespace, by the names that its guides give them. */
export async function findReleases(kubernetes: Kubernetes): Promise<readonly ReleaseName[]> {
  const labelSelector = 'owner=helm,name in (karpenter,karpenter-crd),status!=superseded'
  const { items } = await kubernetes.pick(
    secrets,
    (secret) => ({
      name: labelOf(secret, 'name'),
      namespace: secret.metadata?.namespace ?? '',
      status: labelOf(secret, 'status')
    }),
    // A release's Secret is up to 1 MiB.
    { labelSelector, metadataOnly: true }
  )
  return items
}

function newestOf(found: readonly unknown[]): unknown {
  return found.reduce<unknown>(
    (best, secret) => (best === undefined || revisionOf(secret) > revisionOf(best) ? secret : best),
    undefined
  )
}

function revisionOf(secret: unknown): number {
  return Number(labelOf(secret, 'version'))
}

function labelOf(secret: unknown, name: string): string {
  return textField(secret, 'metadata', 'labels', name) ?? ''
}

function labelsOf(secret: unknown): Readonly<Record<string, string>> {
  const labels = field(secret, 'metadata', 'labels')
  return Object.fromEntries(
    Object.keys(isMap(labels) ? labels : {}).map((name) => [name, labelOf(secret, name)])
  )
}

/** `data.release` is the API's base64 of helm's base64 of gzipped JSON. */
async function contentOf(secret: unknown): Promise<unknown> {
  const packed = textField(secret, 'data', 'release')
  if (packed === undefined) return undefined
  const inner = Buffer.from(Buffer.from(packed, 'base64').toString('latin1'), 'base64')
  return JSON.parse((await promisify(gunzip)(inner)).toString('utf8'))
}

async function unpack(secret: unknown, all: readonly unknown[]): Promise<Release | undefined> {
  const release = await contentOf(secret)
  if (release === undefined) return undefined
  const values = field(release, 'config')
  return {
    name: textField(release, 'name') ?? '',
    namespace: textField(release, 'namespace') ?? '',
    revision: revisionOf(secret),
    status: textField(release, 'info', 'status') ?? labelOf(secret, 'status'),
    chartVersion: (textField(release, 'chart', 'metadata', 'version') ?? '').replace(/^v/, ''),
    appVersion: textField(release, 'chart', 'metadata', 'appVersion') ?? '',
    values: isMap(values) ? values : {},
    manifest: textField(release, 'manifest') ?? '',
    createdAt: textField(secret, 'metadata', 'creationTimestamp') ?? '',
    secret: textField(secret, 'metadata', 'name') ?? '',
    labels: labelsOf(secret),
    deployedBefore: all
      .filter((one) => revisionOf(one) < revisionOf(secret))
      .filter((one) => ['superseded', 'deployed'].includes(labelOf(one, 'status')))
      .map(revisionOf)
      .sort((a, b) => b - a)
  }
}
