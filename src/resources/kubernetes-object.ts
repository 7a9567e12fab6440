import { subsetDifferences } from '../engine/compare.js'
import { missing, type Difference } from '../engine/difference.js'
import { UserError } from '../engine/errors.js'
import type { Live, Resource, Step } from '../engine/resource.js'
import type { Ownership } from '../aws/environment.js'
import { additionsTo } from '../kubernetes/additions.js'
import { awaitObject } from '../kubernetes/conditions.js'
import type { Kubernetes } from '../kubernetes/client.js'
import {
  manifestDifferences,
  ownerLabel,
  runAnnotation,
  shown,
  type SeverityOf
} from '../kubernetes/differences.js'
import { KubernetesError } from '../kubernetes/errors.js'
import { heldByFinalizers, type Hold } from '../kubernetes/held.js'
import { isOurs } from '../kubernetes/ownership-label.js'
import { leftAsLive } from '../kubernetes/left-as-live.js'
import type { Kind } from '../kubernetes/kinds.js'
import { contentOf, textField, type Manifest } from '../kubernetes/manifest.js'
import type { ReadByName } from '../kubernetes/reads-together.js'
import { appliedByUs, type Owners } from '../kubernetes/noise.js'
import { putBack } from '../kubernetes/put-back.js'
import { decided, type Decision } from '../kubernetes/view.js'
import { ownerOfObject } from '../adoption/owners/object-owner.js'

/** What the Kubernetes resources work with. */
export interface KubernetesPorts {
  readonly kubernetes: Kubernetes
  readonly ownership: Ownership
  /** Ids of what must be there before. */
  readonly dependsOn: readonly string[]
}

export { isOurs, ownerLabel }

/** Reads into the walk's terms: a refusal is unreadable, never absent. */
export async function liveOf<T>(read: () => Promise<T | undefined>): Promise<Live<T>> {
  try {
    const value = await read()
    return value === undefined ? { state: 'absent' } : { state: 'present', value }
  } catch (error) {
    if (error instanceof KubernetesError && error.permission !== undefined) {
      return { state: 'unreadable', reason: error.message, missingPermission: error.permission }
    }
    throw error
  }
}

/**
 * The manifest as it is applied. What we make carries our name and the run; what was there before us does not. Server-side
 * apply drops what is left out, so a later run repeats the first run's annotation.
 */
export function withOwnership(manifest: Manifest, live: unknown, ownership: Ownership): Manifest {
  if (live !== undefined && !isOurs(live, ownership)) return manifest
  const run = textField(live, 'metadata', 'annotations', runAnnotation) ?? ownership.run
  return {
    ...manifest,
    metadata: {
      ...manifest.metadata,
      labels: { [ownerLabel]: ownership.owner, ...manifest.metadata.labels },
      annotations: { ...manifest.metadata.annotations, [runAnnotation]: run }
    }
  }
}

/** Which managers write for us, and whether all that others added to the object is a difference: only if we made it. */
export function ownersOf(live: unknown, ownership: Ownership): Owners {
  return appliedByUs(isOurs(live, ownership))
}

/** Milliseconds that an object may be held by what nobody we know of works on. */
const heldPatience = 180_000

/**
 * Waits through a watch until the object is gone, and says what holds it. Rejects with UserError where the same thing has
 * held it for three minutes, and nothing that we know of ends that by itself.
 */
export async function awaitGone<T>(
  kubernetes: Kubernetes,
  kind: Kind<T>,
  at: { readonly name: string; readonly namespace?: string | undefined },
  step: Step,
  holds: (object: T, now: number) => Hold = heldByFinalizers
): Promise<void> {
  try {
    await awaitObject(kubernetes, kind, at, step.signal, goneOf(`${kind.kind} ${at.name}`, step, holds))
  } finally {
    step.waiting(undefined)
  }
}

/** The same for whoever follows the object already: decides, at each of its changes and now and then, whether it is gone. */
export function goneOf<T>(
  title: string,
  step: Step,
  holds: (object: T, now: number) => Hold = heldByFinalizers
): (object: T | undefined) => Decision<undefined> {
  let since: { readonly text: string; readonly at: number } | undefined
  return (object) => {
    if (object === undefined) return decided(undefined)
    const { text, fix } = holds(object, step.now())
    if (text !== since?.text) since = { text, at: step.now() }
    if (fix !== undefined && step.now() - since.at >= heldPatience)
      throw new UserError(
        title,
        `is being deleted, and has not gone for ${heldPatience / 60_000} minutes${text}`,
        fix,
        { state: 'It goes as soon as nothing holds it.' }
      )
    step.waiting(`${title} to go${text}`)
    return undefined
  }
}

/** Of several objects those that are being deleted: they go whatever is written to them, and are made anew afterwards. */
export async function awaitGoing(
  kubernetes: Kubernetes,
  objects: readonly { readonly kind: Kind<Manifest>; readonly live: Manifest | undefined }[],
  step: Step
): Promise<void> {
  await Promise.all(
    objects.map(async ({ kind, live }) => {
      if (live?.metadata.deletionTimestamp === undefined) return
      const { name, namespace } = live.metadata
      await awaitGone(kubernetes, kind, { name, namespace }, step)
    })
  )
}

export interface ManifestResourceOptions extends KubernetesPorts {
  readonly id: string
  readonly layer: Resource<Manifest, Manifest>['layer']
  readonly kind: Kind<Manifest>
  readonly manifest: Manifest
  readonly severity: SeverityOf
  /** How it is read; by itself when left out. */
  readonly readByName?: ReadByName
  /** `known`: the object as it was read, or as the server answered when it was written. */
  readonly settle: (step: Step, known: Manifest | undefined) => Promise<void>
  readonly remove: Resource<Manifest, Manifest>['remove']
  readonly works?: true
  readonly afterRemoval?: Resource<Manifest, Manifest>['afterRemoval']
}

/** A resource that is one Kubernetes object, wanted as its manifest. */
export function manifestResource(options: ManifestResourceOptions): Resource<Manifest, Manifest> {
  const { kubernetes, kind, manifest, ownership } = options
  const { name, namespace } = manifest.metadata
  const title = `${kind.kind} ${name}`
  const readByName: ReadByName =
    options.readByName ?? (async (_name, signal) => kubernetes.within(signal).get(kind, name, namespace))
  let known: Manifest | undefined
  return {
    id: options.id,
    layer: options.layer,
    title,
    dependsOn: options.dependsOn,
    wanted: manifest,
    read: async (signal) =>
      liveOf(async () => {
        known = await readByName(name, signal)
        return known
      }),
    compare: (wanted, live) => [
      ...beingDeleted(title, live),
      ...manifestDifferences(wanted, live, options.severity, ownersOf(live, ownership))
    ],
    absent: (wanted) => [missing(title, wanted)],
    leavesFields: true,
    apply: async (live, differences, step, left) => {
      known = undefined
      const within = kubernetes.within(step.signal)
      let now = live.state === 'present' ? live.value : undefined
      // What is being deleted goes whatever is written to it; afterwards its name is free again.
      if (now?.metadata.deletionTimestamp !== undefined) {
        await awaitGone(within, kind, { name, namespace }, step)
        now = undefined
      }
      const wanted = now === undefined ? manifest : leftAsLive(manifest, now, left)
      const applied = withOwnership(wanted, now, ownership)
      if (now !== undefined) await clear(within, kind, applied, now, ownersOf(now, ownership))
      const answer = await within.apply(kind, applied, { force: true, fieldValidation: 'Strict' })
      known = answer
      if (now === undefined) step.changed(`created ${title}`)
      // What a webhook changes as it is written is not changed.
      const still = new Set(subsetDifferences(contentOf(wanted), answer).map(({ path }) => path))
      if (now !== undefined)
        for (const difference of differences)
          if (!still.has(difference.path)) step.changed(`${title}: ${changeText(difference)}`)
    },
    sign: { by: 'mark', mark: (live) => ownerOfObject(live, ownership) },
    ...(options.works === true && { works: true }),
    settle: async (step) => options.settle(step, known),
    remove: options.remove,
    ...(options.afterRemoval !== undefined && { afterRemoval: options.afterRemoval })
  }
}

/** What an install does about a thing that is going. */
export const madeAnew = 'wait until it is gone, and make it anew'

/** `path`: of the object itself, where it is one of many. */
export function beingDeleted(title: string, live: Manifest, path?: string): readonly Difference[] {
  const { deletionTimestamp } = live.metadata
  if (deletionTimestamp === undefined) return []
  return [
    {
      path: `${path === undefined ? '' : `${path}.`}metadata.deletionTimestamp`,
      wanted: undefined,
      live: deletionTimestamp,
      reason: `${title} is being deleted`,
      severity: 'breaks scaling',
      install: madeAnew
    }
  ]
}

/**
 * Takes out what others added, which server-side apply leaves where it is, in one write with all that is to be put back:
 * an object between the two may be one that the server refuses.
 */
export async function clear<T>(
  kubernetes: Kubernetes,
  kind: Kind<T>,
  applied: Manifest,
  live: unknown,
  owners: Owners
): Promise<void> {
  if (additionsTo(applied, live, owners).length > 0) await putBack(kubernetes, kind, applied, live, owners)
}

/** `set spec.limits.cpu to 1000 (was 500)`. */
export function changeText(difference: Difference): string {
  if (difference.wanted === undefined) return `removed ${difference.path}`
  const was = difference.live === undefined ? '' : ` (was ${shown(difference.live)})`
  return `set ${difference.path} to ${shown(difference.wanted)}${was}`
}
