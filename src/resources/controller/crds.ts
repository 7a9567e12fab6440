import { isMap } from '../../engine/json.js'
import { subsetDifferences } from '../../engine/compare.js'
import { missing, type Difference } from '../../engine/difference.js'
import { resource, type AnyResource, type Removal, type Step } from '../../engine/resource.js'
import type { Kubernetes } from '../../kubernetes/client.js'
import { heldCrd } from '../../kubernetes/held.js'
import { customResourceDefinitions as kind, untyped } from '../../kubernetes/kinds.js'
import { authorOf, writerOf } from '../../kubernetes/managed-fields.js'
import { field, isManifest, listField, textField, type Manifest } from '../../kubernetes/manifest.js'
import { isNoise } from '../../kubernetes/noise.js'
import { awaitGone, liveOf, withOwnership, type KubernetesPorts } from '../kubernetes-object.js'
import { type CrdKeeper, isOfRelease, keepersOf, keeperText } from './crd-keeper.js'
import { notTakenOver, refusalToTakeOver, refusalToWrite } from './crd-refusal.js'
import { awaitEstablished } from './crd-established.js'
import { notServed, terminating } from './crd-health.js'
import { forgetReleases, takeMarksOff } from './crd-take-over.js'
import { namedFew } from '../removal/stuck-removal.js'
import { ownerOfObject } from '../../adoption/owners/object-owner.js'
import { ourName } from '../../engine/owner.js'
import { idOf } from '../ids.js'

export interface CrdsWanted {
  /** Karpenter's, whose chart they come from. */
  readonly version: string
  readonly crds: readonly Manifest[]
  /** Whoever keeps them upgrades them: they are neither written nor compared nor removed. */
  readonly left?: true
}

interface CrdsLive {
  /** Names of those that were read: another version may have others. */
  readonly asked: readonly string[]
  readonly found: readonly unknown[]
  /** Who keeps them beside us, by name. */
  readonly keepers: ReadonlyMap<string, CrdKeeper>
}

export interface CrdsPorts extends KubernetesPorts {
  /** `auto`: ours unless somebody keeps them. */
  readonly choice?: 'auto' | 'take-over' | 'leave'
  /** Our Helm release. */
  readonly release?: { readonly name: string; readonly namespace: string }
  /** Keeps a text in the report before it is changed. */
  readonly keep?: (name: string, text: string) => void
  /** Deleting a CRD deletes every object of its kind: only when asked for. */
  readonly removable: boolean
  /** The cluster is in EKS Auto Mode, whose NodePools and NodeClaims are of these CRDs. */
  readonly autoMode?: boolean
  /** They follow those of a newer version. */
  readonly downgrade?: boolean
}

/**
 * The CRDs of the chart's own version, applied before the chart: helm installs CRDs once and never upgrades them, and a
 * controller on older CRDs fails.
 */
export function crds(wanted: CrdsWanted, ports: CrdsPorts): AnyResource {
  const { kubernetes, ownership, choice = 'auto', keep = () => undefined } = ports
  const release = ports.release ?? { name: '', namespace: '' }
  const left = choice === 'leave'
  const asked = wanted.crds.map((crd) => crd.metadata.name)
  const named = (live: readonly unknown[], manifest: Manifest): unknown =>
    live.find((one) => nameOf(one) === manifest.metadata.name)

  async function removeAll(
    live: CrdsLive,
    within: Kubernetes,
    step: Step,
    names: readonly string[]
  ): Promise<Removal> {
    const kept: string[] = []
    for (const name of live.found.map(nameOf).filter((one) => names.includes(titleOf(one)))) {
      const keeper = live.keepers.get(name)
      if (keeper !== undefined) {
        kept.push(`CRD ${name} is kept by ${keeperText(keeper)} now`)
        continue
      }
      await within.delete(kind, { name })
      step.changed(`deleted CRD ${name}`)
      await awaitGone(within, kind, { name }, step, heldCrd)
    }
    return kept.length > 0 ? { outcome: 'kept', reason: kept.join('; ') } : { outcome: 'removed' }
  }

  return resource<CrdsWanted, CrdsLive>(
    {
      id: idOf.crds,
      layer: 'kubernetes',
      title: `CRDs of Karpenter ${wanted.version}`,
      dependsOn: ports.dependsOn,
      wanted: { ...wanted, ...(left && { left }) },
      read: async (signal) =>
        liveOf(async () => {
          const within = kubernetes.within(signal)
          const found = await Promise.all(wanted.crds.map((crd) => within.get(kind, crd.metadata.name)))
          const present = found.filter((one) => one !== undefined)
          if (present.length === 0) return undefined
          const keepers = left
            ? new Map<string, CrdKeeper>()
            : await keepersOf(within, present, ownership, release)
          return { asked, found: present, keepers }
        }),
      compare: (now, live) =>
        (left ? [] : now.crds)
          .filter(({ metadata }) => live.asked.includes(metadata.name))
          .flatMap((crd) => {
            const keeper = live.keepers.get(crd.metadata.name)
            return [
              ...crdDifferences(crd, named(live.found, crd), now.version).map((one) => keptBy(one, keeper)),
              ...(keeper !== undefined && choice === 'take-over' ? [notTakenOver(crd, keeper)] : [])
            ]
          }),
      refusal: ({ found, keepers }) => {
        if (choice === 'take-over') return refusalToTakeOver(keepers)
        if (left || keepers.size === 0) return undefined
        const different = wanted.crds.filter(
          (crd) => crdDifferences(crd, named(found, crd), wanted.version).length > 0
        )
        return refusalToWrite(different, keepers, wanted.version)
      },
      absent: (now) =>
        (left ? [] : now.crds)
          .filter(({ metadata }) => asked.includes(metadata.name))
          .flatMap((crd) => crdDifferences(crd, undefined, now.version)),
      apply: async (live, _differences, step) => {
        const within = kubernetes.within(step.signal)
        const keepers = live.state === 'present' ? live.value.keepers : new Map<string, CrdKeeper>()
        if (choice === 'take-over') await forgetReleases(within, [...keepers.values()], keep, step)
        await Promise.all(
          wanted.crds.map(async (crd) => {
            const found = live.state === 'present' ? named(live.value.found, crd) : undefined
            const { name } = crd.metadata
            const keeper = choice === 'take-over' ? keepers.get(name) : undefined
            const differs = crdDifferences(crd, found, wanted.version).length > 0
            if (keeper !== undefined) await takeMarksOff(within, name, keeper, step)
            if (keeper !== undefined || differs) {
              if (hasStaleWebhook(crd, found)) {
                const conversion = { strategy: 'None', webhook: null }
                await within.patch(kind, { name }, { type: 'merge', value: { spec: { conversion } } })
              }
              const applied = isOfRelease(found, release) ? withKeepPolicy(crd) : crd
              await within.apply(kind, withOwnership(applied, found, ownership), { force: true })
              const how =
                found === undefined ? 'created' : ports.downgrade === true ? 'downgraded' : 'upgraded'
              if (differs) step.changed(`${how} CRD ${name} (${wanted.version})`)
            }
            await awaitEstablished(within, name, step)
          })
        )
        step.waiting(undefined)
      },
      sign: {
        by: 'mark',
        mark: ({ found }, name) =>
          ownerOfObject(
            found.find((one) => titleOf(nameOf(one)) === name),
            ownership
          )
      },
      present: ({ found }) => found.map((one) => titleOf(nameOf(one))),
      remove: async (live, step, names) => {
        if (left) return { outcome: 'kept', reason: 'CRDs are left to whoever keeps them (`crds: leave`)' }
        if (!ports.removable)
          return {
            outcome: 'kept',
            reason: 'CRDs stay unless their removal is asked for (`remove-crds: true`)'
          }
        if (ports.autoMode === true)
          return { outcome: 'kept', reason: 'EKS Auto Mode has its own NodePools and NodeClaims of them' }
        const within = kubernetes.within(step.signal)
        const inUse = await objectsOf(within, wanted.crds)
        if (inUse !== undefined) {
          return { outcome: 'kept', reason: `${inUse} are still there and would go with them` }
        }
        return removeAll(live, within, step, names)
      },
      health: async ({ found }) => ({
        ailments: found.flatMap((crd) => [...terminating(crd), ...notServed(crd)]),
        unread: []
      })
    },
    (value): value is CrdsWanted =>
      isMap(value) &&
      typeof value['version'] === 'string' &&
      Array.isArray(value['crds']) &&
      value['crds'].every(isManifest)
  )
}

/** helm takes away what its chart has no more, but for what says this (helm 3, live object). */
function withKeepPolicy(crd: Manifest): Manifest {
  const annotations = { ...crd.metadata.annotations, 'helm.sh/resource-policy': 'keep' }
  return { ...crd, metadata: { ...crd.metadata, annotations } }
}

function titleOf(name: string): string {
  return `CRD ${name}`
}

function nameOf(object: unknown): string {
  return textField(object, 'metadata', 'name') ?? ''
}

/** `NodePools default, batch`: the first kind of these CRDs that has objects; undefined when none has. */
async function objectsOf(kubernetes: Kubernetes, crds: readonly Manifest[]): Promise<string | undefined> {
  for (const crd of crds) {
    const version = listField(crd, 'spec', 'versions').find((one) => field(one, 'storage') === true)
    const [group, name] = [textField(crd, 'spec', 'group'), textField(version, 'name')]
    const [kindName, plural] = ['kind', 'plural'].map((key) => textField(crd, 'spec', 'names', key))
    if (group === undefined || name === undefined || kindName === undefined || plural === undefined) continue
    const namespaced = textField(crd, 'spec', 'scope') === 'Namespaced'
    const served = untyped(`${group}/${name}`, kindName, plural, namespaced)
    const found = await kubernetes.pick(served, ({ metadata }) => metadata.name, { metadataOnly: true })
    if (found.items.length > 0) return `${kindName}s ${namedFew(found.items)}`
  }
  return undefined
}

function keptBy(difference: Difference, keeper: CrdKeeper | undefined): Difference {
  if (keeper === undefined) return difference
  return { ...difference, reason: `${difference.reason}; kept by ${keeperText(keeper)}` }
}

/** At most one difference a CRD: a schema has thousands of fields, and a person needs to know which CRD is another version. */
export function crdDifferences(crd: Manifest, live: unknown, version: string): readonly Difference[] {
  const { name } = crd.metadata
  if (live === undefined) return [{ ...missing(`CRD ${name}`, `as in ${version}`), path: name }]
  const found = [
    ...subsetDifferences(crd['spec'], field(live, 'spec'), 'spec'),
    // The server adds nothing to a schema: what only the live one has, somebody put there.
    ...subsetDifferences(field(live, 'spec', 'versions'), field(crd, 'spec', 'versions'), 'spec.versions')
  ].filter(({ path }) => !isNoise({ wanted: crd, path, added: false, live: undefined, writer: undefined }))
  const paths = [...new Set(found.map(({ path }) => path))]
  const webhook = hasStaleWebhook(crd, live)
  if (paths.length === 0 && !webhook) return []
  const first = paths[0] ?? 'spec.conversion'
  const writer = writerOf(live, first, ({ manager }) => manager === ourName)
  return [
    {
      path: name,
      wanted: `as in ${version}`,
      live: `${paths.length + (webhook ? 1 : 0)} fields differ`,
      reason: webhook
        ? `CRD ${name} still converts by a webhook, which ${version} does not have`
        : `CRD ${name} is not that of ${version}: ${paths.length} fields differ, first ${first}`,
      severity: 'breaks scaling',
      ...(writer !== undefined && { by: authorOf(writer) })
    }
  ]
}

/** 1.0 converted by a webhook of the controller; from 1.1 on nobody answers there. */
function hasStaleWebhook(crd: Manifest, live: unknown): boolean {
  return (
    field(live, 'spec', 'conversion', 'strategy') === 'Webhook' &&
    field(crd, 'spec', 'conversion', 'strategy') !== 'Webhook'
  )
}
