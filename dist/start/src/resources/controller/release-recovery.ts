import type { Step } from '../../engine/resource.js'
import { readRelease, type Release } from '../../helm/release.js'
import { secrets } from '../../kubernetes/kinds.js'
import { field } from '../../kubernetes/manifest.js'
import { decided, View } from '../../kubernetes/view.js'
import { ownerLabel, type KubernetesPorts } from '../kubernetes-object.js'

/** Milliseconds after which a `pending-*` release has no helm behind it: helm's own limit is five minutes. */
const stuckAfter = 5 * 60_000
/** The same for our own: the lock is ours now, and without --wait helm is done in seconds. */
const ownStuckAfter = 30_000

/**
 * Makes a release that helm refuses to upgrade upgradable: one that a killed helm left pending, or whose first install
 * failed. The record of that attempt is removed; objects that it made carry helm's marks and are adopted by the next one.
 * Whether a deployed revision is left to upgrade from.
 */
export async function recover(
  release: Release,
  ports: KubernetesPorts,
  step: Step,
  /** The attempt was of this run, and its helm has ended. */
  ended = false
): Promise<boolean> {
  const pending = release.status.startsWith('pending-') || release.status === 'uninstalling'
  if (!pending && (release.status !== 'failed' || release.deployedBefore.length > 0)) return true
  if (pending && !ended) {
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
