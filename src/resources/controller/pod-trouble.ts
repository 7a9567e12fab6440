import type { Pod } from 'kubernetes-types/core/v1.js'
import { conditionOf } from '../../kubernetes/conditions.js'
import { textField } from '../../kubernetes/manifest.js'

/** Milliseconds that a state may last which often passes by itself. */
export const patience = 30_000
/**
 * The same for a pod that is merely not ready yet (images are pulled, volumes attached, caches filled), and for one that
 * finds no node while an old pod, which has its own time to end, still takes up the room.
 */
const slowPatience = 150_000
/** The same for Fargate, which starts a machine for each pod. */
const launchPatience = 300_000
/** The first restarts may be IAM's: a role or association made moments ago is not known everywhere yet. */
export const restartsThatPass = 3

/** What keeps a pod from its work, in the words of the kubelet or the scheduler. */
export interface Trouble {
  readonly pod: string
  readonly kind:
    'crash' | 'image' | 'unschedulable' | 'launching' | 'not launched' | 'config' | 'stuck' | 'deployment'
  readonly container?: string
  readonly reason: string
  readonly message: string
  /** No waiting helps. */
  readonly final: boolean
}

export function patienceWith(kind: Trouble['kind'], oldPodsLeave: boolean): number {
  switch (kind) {
    case 'launching':
      return launchPatience
    case 'stuck':
    case 'not launched':
      return slowPatience
    case 'unschedulable':
      return oldPodsLeave ? slowPatience : patience
    default:
      return patience
  }
}

/**
 * Whether a pod has come to its end and only its object is left: one that was evicted, or whose node was shut down. Another
 * one stands in for it (a ReplicaSet counts none that has ended: pkg/controller/controller_utils.go, `IsPodActive`).
 */
export function hasEnded(pod: Pod): boolean {
  return /^(Succeeded|Failed)$/.test(pod.status?.phase ?? '')
}

/** Pods of the template that is being rolled out: those of the old one may be ending or failing for reasons of their own. */
export function newestPods(all: readonly Pod[]): readonly Pod[] {
  const created = (pod: Pod): string => textField(pod, 'metadata', 'creationTimestamp') ?? ''
  const found = all.filter((pod) => !hasEnded(pod))
  const newest = found.reduce<Pod | undefined>(
    (best, pod) => (best === undefined || created(pod) > created(best) ? pod : best),
    undefined
  )
  return found.filter(
    (pod) =>
      newest !== undefined && hashOf(pod) === hashOf(newest) && pod.metadata?.deletionTimestamp === undefined
  )
}

export function hashOf(pod: Pod): string {
  return pod.metadata?.labels?.['pod-template-hash'] ?? ''
}

export function troubleOf(pod: Pod): readonly Trouble[] {
  const name = pod.metadata?.name ?? ''
  const scheduled = conditionOf(pod, 'PodScheduled')
  if (pod.spec?.schedulerName === 'fargate-scheduler' && (pod.spec.nodeName ?? '') === '') {
    const { reason, message } = scheduled ?? {
      reason: 'Pending',
      message: 'Fargate starts a machine for it'
    }
    const kind = scheduled?.status === 'False' ? 'not launched' : 'launching'
    return [{ pod: name, kind, reason, message, final: false }]
  }
  if (scheduled?.status === 'False') {
    return [
      { pod: name, kind: 'unschedulable', reason: scheduled.reason, message: scheduled.message, final: false }
    ]
  }
  const containers = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])]
  const named = containers.flatMap((container): readonly Trouble[] => {
    const waiting = container.state?.waiting
    const reason = waiting?.reason ?? ''
    const trouble = { pod: name, container: container.name, reason, message: waiting?.message ?? '' }
    if (reason === 'CrashLoopBackOff') {
      return [{ ...trouble, kind: 'crash', final: container.restartCount >= restartsThatPass }]
    }
    if (/^(ErrImage|ImagePull|ImageInspect|RegistryUnavailable)/.test(reason)) {
      return [{ ...trouble, kind: 'image', final: false }]
    }
    if (reason === 'InvalidImageName') return [{ ...trouble, kind: 'image', final: true }]
    if (/ConfigError$|^CreateContainerError|^RunContainerError/.test(reason)) {
      return [{ ...trouble, kind: 'config', final: false }]
    }
    return []
  })
  if (named.length > 0 || conditionOf(pod, 'Ready')?.status === 'True') return named
  const waits = containers.find((container) => !container.ready)
  const ready = conditionOf(pod, 'Ready')
  const { waiting, terminated } = waits?.state ?? {}
  const running = waits === undefined ? ready?.reason : waits.state?.running && 'NotReady'
  return [
    {
      pod: name,
      kind: 'stuck',
      ...(waits !== undefined && { container: waits.name }),
      reason: waiting?.reason ?? terminated?.reason ?? running ?? 'Pending',
      message: waiting?.message ?? terminated?.message ?? ready?.message ?? '',
      final: false
    }
  ]
}

export function textOf(trouble: Trouble): string {
  return [trouble.reason, trouble.message].filter((text) => text !== '').join(': ')
}

/** `pod karpenter-x Unschedulable: 0/1 nodes are available`. */
export function saidOf(trouble: Trouble): string {
  return `pod ${trouble.pod} ${textOf(trouble)}`
}

/** What to do about a pod of the controller that does not come up. */
export function podFix(
  kind: Trouble['kind'],
  { release, namespace }: { readonly release: string; readonly namespace: string },
  pod: string
): string {
  switch (kind) {
    case 'unschedulable':
      return (
        'The controller runs on nodes that it did not make, one replica a node and zone by zone. Add a node, ' +
        'or run one replica with helm-values: "replicas: 1"; taints and selectors are met by tolerations, nodeSelector and affinity there.'
      )
    case 'launching':
    case 'not launched':
      return `A Fargate profile takes the controller in. Correct what the message names, in helm-values or in the profile and its pod execution role, and run again: kubectl -n ${namespace} describe pod ${pod}`
    case 'image':
      return 'The nodes must reach the image: give controller.image.repository of a registry that they may read in helm-values.'
    case 'deployment':
      return `Look at the ReplicaSet: kubectl -n ${namespace} describe replicaset -l app.kubernetes.io/instance=${release}`
    default:
      return `Correct what the message names in helm-values, and run again: kubectl -n ${namespace} describe pod ${pod}`
  }
}
