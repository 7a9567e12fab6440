import semver from 'semver'
import { UserError } from '../../engine/errors.js'
import { isMap } from '../../engine/json.js'
import { sameValue } from '../../engine/compare.js'
import { missing, type Author, type Difference } from '../../engine/difference.js'
import { resource, type AnyResource, type Step } from '../../engine/resource.js'
import { withoutSecrets } from '../../engine/secret-values.js'
import type { Chart } from '../../helm/chart.js'
import { readRelease, type Release } from '../../helm/release.js'
import type { Helm } from '../../helm/run-helm.js'
import type { Kubernetes } from '../../kubernetes/client.js'
import { manifestDifferences } from '../../kubernetes/differences.js'
import { nodeClaims, secrets, type Kind } from '../../kubernetes/kinds.js'
import { field, isManifest, type Manifest } from '../../kubernetes/manifest.js'
import { madeByHelm } from '../../kubernetes/noise.js'
import { putBack } from '../../kubernetes/put-back.js'
import { decided, View } from '../../kubernetes/view.js'
import { awaitRollout, progressOf } from './controller-rollout.js'
import { chartSeverity } from './chart-severity.js'
import { changeText, liveOf, ownerLabel, type KubernetesPorts } from '../kubernetes-object.js'
import { type RecordedRelease, type ReleaseBefore, rolledBack } from './helm-rollback.js'
import { namedFew } from '../removal/stuck-removal.js'
import { ownerOfRelease } from '../../adoption/owners/release-owner.js'

export interface HelmReleaseWanted {
  readonly name: string
  readonly namespace: string
  /** oci://... or a path. */
  readonly chart: string
  /** Of the chart, without v. */
  readonly version: string
  /** The chart's, as its registry names it; undefined for a chart from a path. Not compared: helm does not keep it. */
  readonly digest: string | undefined
  readonly values: Readonly<Record<string, unknown>>
}

export interface HelmReleasePorts extends KubernetesPorts {
  /** Prepared when first asked for: an unchanged run needs no helm. */
  readonly helm: () => Promise<Helm>
  /** The chart that `wanted` names, pulled. */
  readonly chart: () => Promise<Chart>
  /** What the record has of this release; undefined without one. */
  readonly recorded?: RecordedRelease | undefined
  /** What stays beside the release when it is rolled back to a version, as sentences: CRDs, permissions. */
  readonly stays?: (running: string) => string
}

/** The release as helm keeps it, and the objects it made as they are now. */
export interface HelmReleaseLive {
  readonly release: Release
  readonly objects: readonly RenderedObject[]
}

/** An object of the release's manifest, and as it is. */
interface RenderedObject {
  readonly kind: Kind<Manifest>
  readonly wanted: Manifest
  readonly live: Manifest | undefined
}

/** Milliseconds after which a `pending-*` release has no helm behind it: helm's own limit is five minutes. */
const stuckAfter = 5 * 60_000
/** The same for our own: the lock is ours now, and without --wait helm is done in seconds. */
const ownStuckAfter = 30_000

/** The controller, by its chart. */
export function helmRelease(wanted: HelmReleaseWanted, ports: HelmReleasePorts): AnyResource {
  const { kubernetes } = ports
  const title = `Helm release ${wanted.name}`
  let deployment: Manifest | undefined
  let before: ReleaseBefore | undefined
  let upgraded = false
  /** What to throw when the new controller does not come up: the release goes back to one that did. */
  const afterFailure = async (error: unknown, step: Step): Promise<unknown> => {
    if (!upgraded || before === undefined) return error
    const { name, namespace, version } = wanted
    const { recorded, helm, stays = () => '' } = ports
    return rolledBack(error, { name, namespace, version, before, recorded, stays, kubernetes, helm }, step)
  }
  return resource<HelmReleaseWanted, HelmReleaseLive>(
    {
      id: 'helm-release',
      layer: 'helm',
      title,
      dependsOn: ports.dependsOn,
      wanted,
      read: async (signal) =>
        liveOf(async () => {
          const within = kubernetes.within(signal)
          const release = await readRelease(within, wanted.name, wanted.namespace)
          if (release === undefined || release.status === 'uninstalled') return undefined
          const objects = await objectsOf(release, ports, signal)
          deployment = objects.find((object) => object.wanted.kind === 'Deployment')?.live
          before = { release, available: progressOf(deployment).done }
          return { release, objects }
        }),
      compare: (now, live) => [...releaseDifferences(now, live.release), ...objectDifferences(live)],
      absent: (now) => [missing(title, `chart ${now.version}`)],
      apply: async (live, differences, step) => {
        const now = live.state === 'present' ? live.value.release : undefined
        const first = now === undefined || !(await recover(now, ports, step))
        deployment = undefined
        const [helm, chart] = await Promise.all([ports.helm(), ports.chart()])
        step.waiting(`helm to ${first ? 'install' : 'upgrade'} ${wanted.name} ${wanted.version}`)
        upgraded = !first
        try {
          await helm.run(
            [
              'upgrade',
              wanted.name,
              chart.path,
              '--install',
              ...['--namespace', wanted.namespace],
              ...['--values', '-'],
              // CRDs are a resource of their own, applied before; without --reset-values an upgrade could keep gates that
              // the new controller does not know.
              ...['--skip-crds', '--reset-values', '--history-max', '10'],
              // Later revisions inherit it: how a removal knows the release for ours.
              ...(first ? ['--labels', `${ownerLabel}=${ports.ownership.owner}`] : [])
            ],
            { stdin: JSON.stringify(wanted.values), subject: title }
          )
        } catch (error) {
          throw await afterFailure(error, step)
        } finally {
          step.waiting(undefined)
        }
        if (first) step.changed(`installed ${title} ${wanted.version} in namespace ${wanted.namespace}`)
        else step.changed(`${verbOf(wanted, now)} ${title} to ${wanted.version}: ${summaryOf(differences)}`)
        if (now === undefined) return
        await putObjectsBack(wanted, ports, step).catch(async (error: unknown) => {
          throw step.signal.aborted ? await afterFailure(error, step) : error
        })
      },
      settle: async (step) => {
        const rollout = { release: wanted.name, namespace: wanted.namespace, values: wanted.values }
        try {
          await awaitRollout(kubernetes, rollout, deployment, step)
        } catch (error) {
          throw await afterFailure(error, step)
        }
      },
      owner: ({ release, objects }) =>
        ownerOfRelease(
          release,
          objects.map(({ live }) => live),
          ports.ownership
        ),
      remove: async (step) => {
        const within = kubernetes.within(step.signal)
        const release = await readRelease(within, wanted.name, wanted.namespace)
        if (release === undefined) return { outcome: 'absent' }
        const { owner, adopted } = ports.ownership
        if (release.labels[ownerLabel] !== owner && adopted?.has('helm-release') !== true) {
          return { outcome: 'kept', reason: `${title} was there before`, inUse: true }
        }
        await refuseClaims(within)
        const helm = await ports.helm()
        step.waiting(`helm to uninstall ${wanted.name}`)
        try {
          await helm.run(
            ['uninstall', wanted.name, '--namespace', wanted.namespace, '--ignore-not-found', '--wait'],
            { subject: title }
          )
        } finally {
          step.waiting(undefined)
        }
        step.changed(`uninstalled ${title} ${release.chartVersion}`)
        return { outcome: 'removed' }
      }
    },
    // One of another name or namespace is another release.
    (value): value is HelmReleaseWanted =>
      isMap(value) &&
      value['name'] === wanted.name &&
      value['namespace'] === wanted.namespace &&
      typeof value['version'] === 'string' &&
      isMap(value['values'])
  )
}

/** Without a controller nobody ends the instances of NodeClaims, and nobody takes their finalizers off. */
async function refuseClaims(kubernetes: Kubernetes): Promise<void> {
  const claims = await kubernetes.pick(nodeClaims, ({ metadata }) => metadata.name)
  if (claims.items.length === 0) return
  throw new UserError(
    'NodeClaims',
    `${claims.items.length} are still there (${namedFew(claims.items)}), and only the controller ends their instances`,
    'Delete them or their NodePools, wait until they are gone, then run again: kubectl get nodeclaims',
    { state: 'The release was left as it is.' }
  )
}

/** Who made the release what it is helm does not keep; which revision and when it does. */
function releaseDifferences(wanted: HelmReleaseWanted, release: Release): readonly Difference[] {
  const by: Author = {
    manager: 'helm',
    operation: `revision ${release.revision}`,
    time: release.createdAt
  }
  const found: Difference[] = []
  if (release.chartVersion !== wanted.version) {
    found.push({
      path: 'version',
      wanted: wanted.version,
      live: release.chartVersion,
      reason: `chart ${release.chartVersion} is installed, not ${wanted.version}`,
      severity: 'breaks scaling'
    })
  }
  if (release.status !== 'deployed') {
    found.push({
      path: 'status',
      wanted: 'deployed',
      live: release.status,
      reason: `the release is ${release.status}`,
      severity: 'breaks scaling'
    })
  }
  const values = valueDifferences(wanted.values, release.values, 'values')
  return [...found, ...values].map((difference) => ({ ...difference, by }))
}

/** Values are compared exactly: one that is no longer given goes back to the chart's default. */
function valueDifferences(wanted: unknown, live: unknown, path: string): readonly Difference[] {
  if (isMap(wanted) && isMap(live)) {
    return [...new Set([...Object.keys(wanted), ...Object.keys(live)])].flatMap((key) =>
      valueDifferences(wanted[key], live[key], `${path}.${key}`)
    )
  }
  if (sameValue(wanted, live)) return []
  const reason =
    live === undefined
      ? `${path} is not set`
      : wanted === undefined
        ? `${path} is set and no longer wanted`
        : `${path} is ${JSON.stringify(live)}, not ${JSON.stringify(wanted)}`
  return [{ path, wanted, live, reason, severity: 'breaks scaling' }]
}

/** What somebody changed behind helm's back. */
function objectDifferences(live: HelmReleaseLive): readonly Difference[] {
  return live.objects.flatMap(({ wanted, live: object }) => {
    const name = `${wanted.kind}/${wanted.metadata.name}`
    return object === undefined
      ? [{ ...missing(name, wanted), path: name }]
      : manifestDifferences(wanted, object, chartSeverity(wanted), madeByHelm(), name)
  })
}

async function objectsOf(
  release: Release,
  ports: KubernetesPorts,
  signal: AbortSignal
): Promise<HelmReleaseLive['objects']> {
  // Of a release that is not deployed the manifest says what was tried, not what should be.
  if (release.status !== 'deployed') return []
  const { loadAll } = await import('js-yaml')
  const within = ports.kubernetes.within(signal)
  const found = await Promise.all(
    loadAll(release.manifest)
      .filter((document) => isManifest(document))
      .map(async (wanted) => {
        const kind = await within.kindOf(wanted.apiVersion, wanted.kind)
        if (kind === undefined) return []
        const namespace = kind.namespaced ? (wanted.metadata.namespace ?? release.namespace) : undefined
        return [{ kind, wanted, live: await within.get(kind, wanted.metadata.name, namespace) }]
      })
  )
  return found.flat()
}

/**
 * helm 3 patches against its last manifest and the live object: it sets what was changed, and leaves what others added
 * (tried with 3.22: environment, arguments, containers, labels). That is taken out here.
 */
async function putObjectsBack(wanted: HelmReleaseWanted, ports: KubernetesPorts, step: Step): Promise<void> {
  const within = ports.kubernetes.within(step.signal)
  const release = await readRelease(within, wanted.name, wanted.namespace)
  if (release === undefined) return
  for (const one of await objectsOf(release, ports, step.signal)) {
    const left = objectDifferences({ release, objects: [one] })
    if (one.live === undefined || left.length === 0) continue
    if (await putBack(within, one.kind, one.wanted, one.live, madeByHelm())) {
      for (const difference of left) step.changed(changeText(difference))
    }
  }
}

/**
 * Makes a release that helm refuses to upgrade upgradable: one that a killed helm left pending, or whose first install
 * failed. The record of that attempt is removed; objects that it made carry helm's marks and are adopted by the next one.
 * Whether a deployed revision is left to upgrade from.
 */
async function recover(release: Release, ports: KubernetesPorts, step: Step): Promise<boolean> {
  const pending = release.status.startsWith('pending-') || release.status === 'uninstalling'
  if (!pending && (release.status !== 'failed' || release.deployedBefore.length > 0)) return true
  if (pending) {
    const current = await awaitOtherHelm(release, ports, step)
    if (current === undefined) return false
    if (current.status !== release.status || current.revision !== release.revision)
      return recover(current, ports, step)
  }
  const removed = await ports.kubernetes
    .within(step.signal)
    .delete(secrets, { name: release.secret, namespace: release.namespace })
  if (removed === 'deleted') {
    step.note(
      `Helm release ${release.name}: revision ${release.revision} was left ${release.status}; its record was removed`
    )
  }
  return release.deployedBefore.length > 0
}

/** Waits while another helm may still be at work on the release; what it is afterwards. */
async function awaitOtherHelm(
  release: Release,
  ports: KubernetesPorts,
  step: Step
): Promise<Release | undefined> {
  const within = ports.kubernetes.within(step.signal)
  const own = release.labels[ownerLabel] === ports.ownership.owner
  const until = Date.parse(release.createdAt) + (own ? ownStuckAfter : stuckAfter)
  const view = new View(within, step.signal)
  try {
    const followed = await view.follow(secrets, {
      namespace: release.namespace,
      fieldSelector: `metadata.name=${release.secret}`
    })
    await view.until(() => {
      const status = field(followed.objects[0], 'metadata', 'labels', 'status')
      if (status !== release.status || step.now() >= until) return decided(undefined)
      const seconds = Math.ceil((until - step.now()) / 1000)
      step.waiting(
        `another helm that has ${release.name} ${release.status} (its attempt is given up in ${seconds} s)`
      )
      return undefined
    })
  } finally {
    step.waiting(undefined)
    await view.close()
  }
  return readRelease(within, release.name, release.namespace)
}

function verbOf({ version }: HelmReleaseWanted, now: Release | undefined): string {
  return semver.valid(now?.chartVersion) !== null && semver.lt(version, now?.chartVersion ?? version)
    ? 'downgraded'
    : 'upgraded'
}

function summaryOf(differences: readonly Difference[]): string {
  const shown = differences.slice(0, 3).map((difference) => withoutSecrets(difference).reason)
  const more = differences.length - shown.length
  return shown.join('; ') + (more > 0 ? `; and ${more} more` : '')
}
