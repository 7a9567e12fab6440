import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { isMap } from '../engine/json.js'
import type { Kubernetes } from '../kubernetes/client.js'
import { deployments, secrets } from '../kubernetes/kinds.js'
import { field, textField } from '../kubernetes/manifest.js'

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

/** Every Karpenter controller in the cluster, whatever its namespace and release name. */
export async function findControllers(kubernetes: Kubernetes): Promise<readonly Controller[]> {
  const found = await kubernetes.list(deployments, { labelSelector: 'app.kubernetes.io/name=karpenter' })
  return found.items.map((deployment) => {
    const name = textField(deployment, 'metadata', 'annotations', 'meta.helm.sh/release-name')
    const namespace = textField(deployment, 'metadata', 'namespace') ?? ''
    return {
      namespace,
      deployment: textField(deployment, 'metadata', 'name') ?? '',
      version: labelOf(deployment, 'app.kubernetes.io/version').replace(/^v/, ''),
      release:
        name === undefined
          ? undefined
          : {
              name,
              namespace:
                textField(deployment, 'metadata', 'annotations', 'meta.helm.sh/release-namespace') ??
                namespace
            }
    }
  })
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
async function unpack(secret: unknown, all: readonly unknown[]): Promise<Release | undefined> {
  const packed = textField(secret, 'data', 'release')
  if (packed === undefined) return undefined
  const inner = Buffer.from(Buffer.from(packed, 'base64').toString('latin1'), 'base64')
  const release: unknown = JSON.parse((await promisify(gunzip)(inner)).toString('utf8'))
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
      .filter((one) => one !== secret && ['superseded', 'deployed'].includes(labelOf(one, 'status')))
      .map(revisionOf)
      .sort((a, b) => b - a)
  }
}
