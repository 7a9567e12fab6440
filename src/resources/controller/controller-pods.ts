import type { Pod } from 'kubernetes-types/core/v1.js'
import type { Difference } from '../../engine/difference.js'
import { isMap } from '../../engine/json.js'
import { resource, type AnyResource, type Step } from '../../engine/resource.js'
import type { Kubernetes } from '../../kubernetes/client.js'
import { heldPod } from '../../kubernetes/held.js'
import { pods } from '../../kubernetes/kinds.js'
import { awaitGone, liveOf } from '../kubernetes-object.js'
import { awaitRollout, notGiven, pausesForIdentity, type Rollout } from './controller-rollout.js'
import { identityName, otherIdentity, type WantedIdentity } from './controller-identity.js'
import { hasEnded } from './pod-trouble.js'
import { idOf } from '../ids.js'

export interface ControllerPodsWanted extends WantedIdentity {
  readonly namespace: string
}

interface Ports {
  readonly kubernetes: Kubernetes
  /** The pods of the release, for a comparison; shared with the role that they may still need. */
  readonly pods: () => Promise<readonly Pod[]>
  readonly rollout: Rollout
  readonly dependsOn: readonly string[]
  /** When every pod has the wanted identity: what only the others needed can go. */
  readonly renewed: (step: Step) => Promise<void>
}

/** The pods of a release that are to stay. */
export async function standingPods(
  kubernetes: Kubernetes,
  { release, namespace }: Pick<Rollout, 'release' | 'namespace'>
): Promise<readonly Pod[]> {
  const found = await kubernetes.list(pods, {
    namespace,
    labelSelector: `app.kubernetes.io/instance=${release}`
  })
  return found.items.filter((pod) => pod.metadata?.deletionTimestamp === undefined && !hasEnded(pod))
}

/**
 * The AWS identity of the pods that run. A pod is given it at its admission, so that one which was started before the
 * identity became another has the old one until it ends: IRSA's is dead within the hour, Pod Identity's within six.
 */
export function controllerPods(wanted: ControllerPodsWanted, ports: Ports): AnyResource {
  const title = 'Controller pods'
  const { kubernetes, rollout } = ports

  async function renew(step: Step): Promise<void> {
    const within = kubernetes.within(step.signal)
    const began = step.now()
    let again = new Set<string>()
    while (true) {
      const found = await standingPods(within, rollout)
      const wrong = found.filter((pod) => otherIdentity(pod, wanted) !== undefined)
      const [pod] = wrong
      if (pod === undefined) return
      const name = pod.metadata?.name ?? ''
      const had = otherIdentity(pod, wanted) ?? ''
      // EKS's webhook has not seen the change yet: the next one would be no better.
      if (again.has(name)) {
        if (step.now() - began > pausesForIdentity.atMost) throw notGiven(rollout, pod)
        step.waiting(`EKS to give new pods the identity of ${identityName(wanted.strategy)}`)
        await step.pause(pausesForIdentity.each)
      }
      const before = new Set(found.map(({ metadata }) => metadata?.name ?? ''))
      await within.delete(pods, { name, namespace: rollout.namespace })
      await awaitGone(within, pods, { name, namespace: rollout.namespace }, step, heldPod)
      step.changed(`made pod ${name} anew, which was started with ${had}`)
      await awaitRollout(kubernetes, rollout, undefined, step)
      const now = await standingPods(within, rollout)
      again = new Set([
        ...again,
        ...now.map(({ metadata }) => metadata?.name ?? '').filter((one) => !before.has(one))
      ])
    }
  }

  return resource<ControllerPodsWanted, readonly Pod[]>(
    {
      id: idOf.controllerPods,
      layer: 'kubernetes',
      title,
      dependsOn: ports.dependsOn,
      wanted,
      read: async () =>
        liveOf(async () => {
          const found = await ports.pods()
          return found.length === 0 ? undefined : found
        }),
      compare: differencesOf,
      // Those that come with the release are looked at when they do.
      absent: () => [],
      apply: async (_live, _differences, step) => {
        await renew(step)
        await ports.renewed(step)
      },
      sign: { by: 'whole', whole: idOf.helmRelease },
      present: () => [],
      remove: async () => ({ outcome: 'absent' })
    },
    (value): value is ControllerPodsWanted =>
      isMap(value) &&
      value['namespace'] === wanted.namespace &&
      typeof value['roleArn'] === 'string' &&
      (value['strategy'] === 'irsa' || value['strategy'] === 'pod-identity')
  )
}

function differencesOf(wanted: ControllerPodsWanted, live: readonly Pod[]): readonly Difference[] {
  return live.flatMap((pod): readonly Difference[] => {
    const had = otherIdentity(pod, wanted)
    if (had === undefined) return []
    const name = pod.metadata?.name ?? ''
    return [
      {
        path: `Pod/${name}.env`,
        wanted: `${identityName(wanted.strategy)}, ${wanted.roleArn}`,
        live: had,
        reason: `pod ${name} was started with ${had}, and ${identityName(wanted.strategy)} gives the controller ${wanted.roleArn}: a pod keeps what it was started with`,
        severity: 'breaks scaling',
        install: 'make the pod anew'
      }
    ]
  })
}
