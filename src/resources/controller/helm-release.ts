import type { Pod } from 'kubernetes-types/core/v1.js'
import semver from 'semver'
import { UserError } from '../../engine/errors.js'
import { isMap } from '../../engine/json.js'
import { sameValue } from '../../engine/compare.js'
import { missing, type Author, type Difference } from '../../engine/difference.js'
import { resource, type AnyResource, type Step } from '../../engine/resource.js'
import { withoutSecrets } from '../../engine/secret-values.js'
import { readYaml } from '../../engine/yaml.js'
import type { Chart } from '../../helm/chart.js'
import { readRelease, type Release } from '../../helm/release.js'
import { type Helm, HelmError } from '../../helm/run-helm.js'
import { throughTrouble } from '../../helm/through-trouble.js'
import type { Kubernetes } from '../../kubernetes/client.js'
import { manifestDifferences } from '../../kubernetes/differences.js'
import { nodeClaims } from '../../kubernetes/kinds.js'
import { isManifest, type Manifest } from '../../kubernetes/manifest.js'
import { madeByHelm } from '../../kubernetes/noise.js'
import { putBack } from '../../kubernetes/put-back.js'
import type { WantedIdentity } from './controller-identity.js'
import { awaitRollout, progressOf } from './controller-rollout.js'
import { controllerHealth } from './controller-health.js'
import { chartSeverity, missingSeverity, valueSeverity } from './chart-severity.js'
import {
  awaitGoing,
  beingDeleted,
  changeText,
  liveOf,
  ownerLabel,
  type KubernetesPorts
} from '../kubernetes-object.js'
import { type RecordedRelease, type ReleaseBefore, rolledBack } from './helm-rollback.js'
import { type ReleasedObject, showingWhatStands } from './uninstall-watch.js'
import { recover } from './release-recovery.js'
import { namedFew } from '../removal/stuck-removal.js'
import { isMarkedOurs, ownerOfRelease } from '../../adoption/owners/release-owner.js'
import { idOf } from '../ids.js'

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
  /** Of what it depends on, as a resource has it. */
  readonly onceWritten?: readonly string[]
  /** Prepared when first asked for: an unchanged run needs no helm. */
  readonly helm: () => Promise<Helm>
  /** The chart that `wanted` names, pulled. */
  readonly chart: () => Promise<Chart>
  /** What the record has of this release; undefined without one. */
  readonly recorded?: RecordedRelease | undefined
  /** What EKS is to give its pods at their admission; undefined where the values give them credentials of their own. */
  readonly identity?: WantedIdentity | undefined
  /** Its pods, where another resource reads them as well. */
  readonly pods?: (() => Promise<readonly Pod[]>) | undefined
  /** Nothing is compared: its objects are read only where the release does not say whose it is. */
  readonly removing?: boolean
  /** What stays beside the release when it is rolled back to a version, as sentences: CRDs, permissions. */
  readonly stays?: (running: string) => string
}

/** The release as helm keeps it, and the objects it made as they are now: none in a removal that has no use for them. */
export interface HelmReleaseLive {
  readonly release: Release
  readonly objects: readonly LiveObject[]
}

/** An object of the release's manifest. */
interface RenderedObject extends ReleasedObject {
  readonly wanted: Manifest
}

/** The same, and as it is. */
interface LiveObject extends RenderedObject {
  readonly live: Manifest | undefined
}

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
  const rollout = {
    release: wanted.name,
    namespace: wanted.namespace,
    values: wanted.values,
    ...(ports.identity !== undefined && { identity: ports.identity })
  }
  /** The same after an error of helm's own, which says nothing of the controller: the rollout does. */
  const afterHelm = async (error: unknown, step: Step): Promise<unknown> => {
    if (!upgraded || before === undefined || !(error instanceof HelmError) || step.signal.aborted) {
      return afterFailure(error, step)
    }
    const now = await readRelease(kubernetes.within(step.signal), wanted.name, wanted.namespace)
    // helm may have refused the upgrade before it made a revision of it.
    if (now === undefined || now.revision <= before.release.revision) return error
    try {
      await awaitRollout(kubernetes, rollout, undefined, step)
    } catch (condemned) {
      return afterFailure(condemned, step)
    }
    return halfway(error, now, before.release)
  }
  return resource<HelmReleaseWanted, HelmReleaseLive>(
    {
      id: idOf.helmRelease,
      layer: 'helm',
      title,
      dependsOn: ports.dependsOn,
      ...(ports.onceWritten !== undefined && { onceWritten: ports.onceWritten }),
      wanted,
      read: async (signal) =>
        liveOf(async () => {
          const within = kubernetes.within(signal)
          const release = await readRelease(within, wanted.name, wanted.namespace)
          if (release === undefined || release.status === 'uninstalled') return undefined
          const isKnown = ports.removing === true && isMarkedOurs(release, ports.ownership)
          const objects = isKnown ? [] : await objectsOf(release, within)
          deployment = objects.find((object) => object.wanted.kind === 'Deployment')?.live
          before = { release, available: progressOf(deployment).done }
          return { release, objects }
        }),
      compare: (now, live) => [...releaseDifferences(now, live.release), ...objectDifferences(live)],
      absent: (now) => [missing(title, `chart ${now.version}`)],
      apply: async (live, differences, step) => {
        const now = live.state === 'present' ? live.value.release : undefined
        const first = now === undefined || !(await recover(now, ports, step))
        let fresh = first
        deployment = undefined
        const [helm, chart] = await Promise.all([ports.helm(), ports.chart()])
        if (live.state === 'present')
          await awaitGoing(kubernetes.within(step.signal), live.value.objects, step)
        step.waiting(`helm to ${first ? 'install' : 'upgrade'} ${wanted.name} ${wanted.version}`)
        upgraded = !first
        try {
          await throughTrouble(
            async () =>
              helm.run(upgradeArguments(wanted, chart, fresh ? ports.ownership.owner : undefined), {
                stdin: JSON.stringify(wanted.values),
                subject: title
              }),
            async () => {
              const current = await readRelease(kubernetes.within(step.signal), wanted.name, wanted.namespace)
              const made = current !== undefined && current.revision > (now?.revision ?? 0)
              if (made && releaseDifferences(wanted, current).length === 0) return true
              fresh = current === undefined || !(await recover(current, ports, step, made))
              return false
            },
            step
          )
        } catch (error) {
          throw await afterHelm(error, step)
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
        try {
          await awaitRollout(kubernetes, rollout, deployment, step)
        } catch (error) {
          throw await afterFailure(error, step)
        }
      },
      health: async ({ objects }, look) =>
        controllerHealth(
          kubernetes,
          rollout,
          {
            deployment: objects.find(({ wanted: { kind } }) => kind === 'Deployment')?.live,
            pods: ports.pods
          },
          look
        ),
      sign: {
        by: 'mark',
        mark: ({ release, objects }) =>
          ownerOfRelease(
            release,
            objects.map(({ live }) => live),
            ports.ownership
          )
      },
      works: true,
      remove: async ({ release }, step) => {
        const within = kubernetes.within(step.signal)
        await refuseClaims(within)
        const helm = await ports.helm()
        const { name, namespace } = wanted
        const objects = async (): Promise<readonly RenderedObject[]> => renderedObjects(release, within)
        await showingWhatStands(within, { name, namespace, objects }, step, async () =>
          throughTrouble(
            async () =>
              helm.run(['uninstall', name, '--namespace', namespace, '--ignore-not-found', '--wait'], {
                subject: title
              }),
            async () => (await readRelease(within, name, namespace)) === undefined,
            step
          )
        )
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

/** `owner`: of a release that is made; later revisions inherit the label, by which a removal knows it for ours. */
function upgradeArguments(
  { name, namespace }: HelmReleaseWanted,
  chart: Chart,
  owner: string | undefined
): readonly string[] {
  return [
    'upgrade',
    name,
    chart.path,
    '--install',
    ...['--namespace', namespace],
    ...['--values', '-'],
    // CRDs are a resource of their own, applied before; without --reset-values an upgrade could keep gates that the new
    // controller does not know.
    ...['--skip-crds', '--reset-values', '--history-max', '10'],
    ...(owner === undefined ? [] : ['--labels', `${ownerLabel}=${owner}`])
  ]
}

/** helm's error, when it came in the middle of an upgrade and the controller is well. */
function halfway(error: HelmError, now: Release, before: Release): UserError {
  const { name, namespace, revision, status } = now
  return new UserError(
    `Helm release ${name}`,
    error.message.replace(/^Helm release [^:]+: /, ''),
    `${error.fix} To go back by hand: helm rollback ${name} ${before.revision} -n ${namespace}`,
    {
      state: `The release is ${status} at revision ${revision}; all pods of the controller are available, so nothing was rolled back.`,
      cause: error
    }
  )
}

/** Without a controller nobody ends the instances of NodeClaims, and nobody takes their finalizers off. */
async function refuseClaims(kubernetes: Kubernetes): Promise<void> {
  const claims = await kubernetes.pick(nodeClaims, ({ metadata }) => metadata.name, { metadataOnly: true })
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
  return [{ path, wanted, live, reason, ...valueSeverity(path, live) }]
}

/** What somebody changed behind helm's back. */
function objectDifferences(live: HelmReleaseLive): readonly Difference[] {
  return live.objects.flatMap(({ wanted, live: object }) => {
    const name = `${wanted.kind}/${wanted.metadata.name}`
    return object === undefined
      ? [{ ...missing(name, wanted), ...missingSeverity(wanted), path: name }]
      : [
          ...beingDeleted(name.replace('/', ' '), object, name),
          ...manifestDifferences(wanted, object, chartSeverity(wanted), madeByHelm(), name)
        ]
  })
}

async function objectsOf(release: Release, kubernetes: Kubernetes): Promise<HelmReleaseLive['objects']> {
  // Of a release that is not deployed the manifest says what was tried, not what should be.
  if (release.status !== 'deployed') return []
  return Promise.all(
    (await renderedObjects(release, kubernetes)).map(async (one) => ({
      ...one,
      live: await kubernetes.get(one.kind, one.name, one.namespace)
    }))
  )
}

/** Where the objects of a release's manifest stand, of kinds that are served. */
async function renderedObjects(release: Release, kubernetes: Kubernetes): Promise<readonly RenderedObject[]> {
  const found = await Promise.all(
    readYaml(release.manifest)
      .map(({ value }) => value)
      .filter((document) => isManifest(document))
      .map(async (wanted) => {
        const kind = await kubernetes.kindOf(wanted.apiVersion, wanted.kind)
        if (kind === undefined) return []
        const namespace = kind.namespaced ? (wanted.metadata.namespace ?? release.namespace) : undefined
        return [{ kind, wanted, name: wanted.metadata.name, namespace }]
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
  for (const one of await objectsOf(release, within)) {
    const left = objectDifferences({ release, objects: [one] })
    if (one.live === undefined || left.length === 0) continue
    if (!(await putBack(within, one.kind, one.wanted, one.live, madeByHelm()))) continue
    const { name, namespace } = one.live.metadata
    const live = await within.get(one.kind, name, namespace)
    // What a webhook changes as it is written is not put back.
    const still = new Set(objectDifferences({ release, objects: [{ ...one, live }] }).map(({ path }) => path))
    for (const difference of left) if (!still.has(difference.path)) step.changed(changeText(difference))
  }
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
