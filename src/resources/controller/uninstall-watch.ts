import type { Step } from '../../engine/resource.js'
import type { Kubernetes } from '../../kubernetes/client.js'
import { KubernetesError } from '../../kubernetes/errors.js'
import { heldByFinalizers, heldPod } from '../../kubernetes/held.js'
import { type Kind, pods } from '../../kubernetes/kinds.js'
import { field, type Manifest, textField } from '../../kubernetes/manifest.js'

export interface UninstalledRelease {
  readonly name: string
  readonly namespace: string
  /** What it made; asked for at the first look. */
  readonly objects: () => Promise<readonly ReleasedObject[]>
}

export interface ReleasedObject {
  readonly kind: Kind<Manifest>
  readonly name: string
  /** Undefined for a kind without. */
  readonly namespace: string | undefined
}

/** Milliseconds between two looks: most releases have gone before the first. */
const between = 3_000
/** Of a release with pods on many nodes. */
const most = 4

/**
 * Runs `helm uninstall --wait`, which says nothing while it waits, and shows what of the release still stands and what holds
 * it: objects that are being deleted, and the pods that go after them.
 */
export async function showingWhatStands(
  kubernetes: Kubernetes,
  release: UninstalledRelease,
  step: Step,
  run: () => Promise<void>
): Promise<void> {
  const waiting = `helm to uninstall ${release.name}`
  const over = new AbortController()
  const isOver = (): boolean => over.signal.aborted
  const show = async (): Promise<void> => {
    let objects: readonly ReleasedObject[] | undefined
    while (true) {
      await step.pause(between)
      if (isOver()) return
      objects ??= await release.objects()
      const standing = await standingOf(kubernetes, { ...release, objects }, step.now())
      if (isOver()) return
      step.waiting(standing.length === 0 ? waiting : `${waiting}: ${standing.join('; ')}`)
    }
  }
  step.waiting(waiting)
  // Whatever cannot be read is only not shown.
  void show().catch(() => undefined)
  try {
    await run()
  } finally {
    over.abort()
    step.waiting(undefined)
  }
}

async function standingOf(
  kubernetes: Kubernetes,
  {
    name,
    namespace,
    objects
  }: Omit<UninstalledRelease, 'objects'> & { readonly objects: readonly ReleasedObject[] },
  now: number
): Promise<readonly string[]> {
  const found = await Promise.all(
    objects.map(async (one) => readable(kubernetes.get(one.kind, one.name, one.namespace), undefined))
  )
  const going = found.filter((one) => textField(one, 'metadata', 'deletionTimestamp') !== undefined)
  const listed = await readable(
    kubernetes.list(pods, { namespace, labelSelector: `app.kubernetes.io/instance=${name}` }),
    undefined
  )
  const all = [
    ...going.map((one) => `${titleOf(one)}${heldByFinalizers(one).text}`),
    ...(listed?.items ?? []).map((pod) => {
      const node = textField(pod, 'spec', 'nodeName')
      return `Pod ${pod.metadata?.name ?? ''}${node === undefined ? '' : ` on ${node}`}${heldPod(pod, now).text}`
    })
  ]
  return all.length <= most ? all : [...all.slice(0, most), `${all.length - most} more`]
}

function titleOf(object: unknown): string {
  return [field(object, 'kind'), field(object, 'metadata', 'name')].join(' ')
}

async function readable<T, O>(read: Promise<T>, otherwise: O): Promise<T | O> {
  try {
    return await read
  } catch (error) {
    if (error instanceof KubernetesError) return otherwise
    throw error
  }
}
