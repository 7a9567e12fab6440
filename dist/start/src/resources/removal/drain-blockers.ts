import type { Pod } from 'kubernetes-types/core/v1.js'
import { isMap } from '../../engine/json.js'
import { duration } from '../../engine/quantity.js'
import { field, type Manifest } from '../../kubernetes/manifest.js'
import { selects } from '../../kubernetes/selectors.js'

/** What blocks the drain of nodes, as it is known at one moment. */
export interface DrainScene {
  /** Names of the nodes that are being drained. */
  readonly nodes: ReadonlySet<string>
  /** Pods of those nodes, and those that no node has taken; others may be among them. */
  readonly pods: readonly Pod[]
  readonly budgets: readonly Manifest[]
  /** Milliseconds since the epoch: when the drain began, and now. */
  readonly since: number
  readonly now: number
}

export interface Blocker {
  /** `default/web-1`, or `VolumeAttachment csi-1`. */
  readonly pod: string
  readonly kind: 'budget' | 'do-not-disrupt' | 'ending' | 'no capacity' | 'volume'
  /** Reads on from the pod: `on ip-10-0-1-2: PodDisruptionBudget web allows no disruption`. */
  readonly why: string
  /** What a person can do about it. */
  readonly fix: string
}

const doNotDisrupt = 'karpenter.sh/do-not-disrupt'
/** On every node that Karpenter 1.x drains, effect NoSchedule; pods that tolerate it are not evicted. */
const disruptedTaint = 'karpenter.sh/disrupted'
/** Milliseconds of its grace period that a pod may have left before that is worth a line. */
const shortGrace = 10_000

/**
 * Pod by pod what keeps Karpenter from emptying these nodes, by the rules of its own drain (1.2 and 1.14): budgets and
 * do-not-disrupt are honoured without limit, a pod that ends is awaited for its grace period and a minute. Pods without
 * room are named because a budget waits for them, or because nothing will run them once the nodes are gone.
 */
export function drainBlockers(scene: DrainScene): readonly Blocker[] {
  const onNodes = scene.pods.filter((pod) => scene.nodes.has(pod.spec?.nodeName ?? '') && isDrained(pod))
  const blocked = onNodes.flatMap((pod) => blockerOf(pod, scene))
  const waiting = scene.pods.flatMap((pod) => withoutRoom(pod, scene))
  return [...blocked, ...waiting]
}

/** `default/web-1 on ip-10-0-1-2: PodDisruptionBudget web ...; default/db-0 ... and 3 more`. */
export function blockersText(blockers: readonly Blocker[], most: number): string {
  const shown = blockers.slice(0, most).map((blocker) => `${blocker.pod} ${blocker.why}`)
  const more = blockers.length - shown.length
  return shown.join('; ') + (more > 0 ? ` and ${more} more` : '')
}

/** Whether Karpenter waits for this pod at all: not for finished, static and tolerant ones. */
function isDrained(pod: Pod): boolean {
  if (/^(Succeeded|Failed)$/.test(pod.status?.phase ?? '')) return false
  if ((pod.metadata?.ownerReferences ?? []).some((owner) => owner.kind === 'Node')) return false
  return !(pod.spec?.tolerations ?? []).some(
    ({ key = '', operator = 'Equal', value = '', effect = '' }) =>
      (key === disruptedTaint || (key === '' && operator === 'Exists')) &&
      (operator === 'Exists' || value === '') &&
      (effect === '' || effect === 'NoSchedule')
  )
}

function blockerOf(pod: Pod, scene: DrainScene): readonly Blocker[] {
  const name = nameOf(pod)
  const node = `on ${pod.spec?.nodeName ?? ''}`
  const ends = Date.parse(pod.metadata?.deletionTimestamp ?? '')
  if (!Number.isNaN(ends)) return endingPod(pod, ends, scene.now)
  if (isProtected(pod, scene.now)) {
    const [namespace, own] = [pod.metadata?.namespace ?? '', pod.metadata?.name ?? '']
    return [
      {
        pod: name,
        kind: 'do-not-disrupt',
        why: `${node}: carries ${doNotDisrupt}`,
        fix: `take the annotation off (kubectl annotate pod -n ${namespace} ${own} ${doNotDisrupt}-), or delete the pod`
      }
    ]
  }
  const budgets = scene.budgets.filter((budget) => covers(budget, pod))
  if (budgets.length > 1) {
    const names = budgets.map((budget) => budget.metadata.name).join(' and ')
    return [
      {
        pod: name,
        kind: 'budget',
        why: `${node}: PodDisruptionBudgets ${names} both select it, so the API server evicts it never`,
        fix: `leave one of PodDisruptionBudgets ${names} in namespace ${pod.metadata?.namespace ?? ''}`
      }
    ]
  }
  return budgets.filter((budget) => refuses(budget, pod)).map((budget) => budgetBlocker(pod, budget, node))
}

function budgetBlocker(pod: Pod, budget: Manifest, node: string): Blocker {
  const count = (name: string): string => JSON.stringify(field(budget, 'status', name) ?? 0)
  const of = `${count('currentHealthy')} of ${count('expectedPods')} healthy, ${count('desiredHealthy')} needed`
  return {
    pod: nameOf(pod),
    kind: 'budget',
    why: `${node}: PodDisruptionBudget ${budget.metadata.name} allows no disruption (disruptionsAllowed 0: ${of})`,
    fix: `make PodDisruptionBudget ${budget.metadata.namespace ?? ''}/${budget.metadata.name} allow one, or let more of its pods become healthy elsewhere`
  }
}

function endingPod(pod: Pod, ends: number, now: number): readonly Blocker[] {
  const seconds = Math.round((ends - now) / 1000)
  const node = `on ${pod.spec?.nodeName ?? ''}`
  const grace = pod.metadata?.deletionGracePeriodSeconds ?? pod.spec?.terminationGracePeriodSeconds ?? 30
  if (ends - now < -60_000) return []
  if (ends - now <= shortGrace && ends >= now) return []
  return [
    {
      pod: nameOf(pod),
      kind: 'ending',
      why:
        seconds < 0
          ? `${node}: has not ended within its grace period of ${grace} s; Karpenter gives it a minute more`
          : `${node}: is ending and has ${seconds} s left of its grace period of ${grace} s`,
      fix: 'wait for its grace period, or give it a shorter terminationGracePeriodSeconds'
    }
  ]
}

/** A pod that came up for a place after the drain began and finds none. */
function withoutRoom(pod: Pod, scene: DrainScene): readonly Blocker[] {
  if ((pod.spec?.nodeName ?? '') !== '' || pod.metadata?.deletionTimestamp !== undefined) return []
  const scheduled = pod.status?.conditions?.find((one) => one.type === 'PodScheduled')
  if (scheduled?.reason !== 'Unschedulable') return []
  // Kubernetes' timestamps have no fractions.
  if (Date.parse(pod.metadata?.creationTimestamp ?? '') < scene.since - 1_000) return []
  return [
    {
      pod: nameOf(pod),
      kind: 'no capacity',
      why: `is Pending, no other node takes it: ${scheduled.message ?? 'Unschedulable'}`,
      fix: 'add capacity that is not of these NodePools, or scale the workload down'
    }
  ]
}

/** `true` holds for ever; from 1.14 on a duration holds from the pod's start. */
function isProtected(pod: Pod, now: number): boolean {
  const value = pod.metadata?.annotations?.[doNotDisrupt]
  if (value === undefined) return false
  if (value === 'true') return true
  const seconds = duration(value)
  const started = Date.parse(pod.status?.startTime ?? '')
  return seconds !== undefined && !Number.isNaN(started) && now < started + seconds * 1000
}

function covers(budget: Manifest, pod: Pod): boolean {
  if (budget.metadata.namespace !== pod.metadata?.namespace) return false
  const selector = field(budget, 'spec', 'selector')
  return isMap(selector) && selects(selector, pod.metadata?.labels ?? {})
}

/** Whether the API server refuses to evict the pod: a pod that does not run costs a budget nothing. */
function refuses(budget: Manifest, pod: Pod): boolean {
  if (pod.status?.phase === 'Pending') return false
  const count = (name: string): number => Number(field(budget, 'status', name) ?? 0)
  if (count('disruptionsAllowed') > 0) return false
  const ready = pod.status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True') === true
  if (ready) return true
  if (field(budget, 'spec', 'unhealthyPodEvictionPolicy') === 'AlwaysAllow') return false
  return !(count('desiredHealthy') > 0 && count('currentHealthy') >= count('desiredHealthy'))
}

function nameOf(pod: Pod): string {
  return `${pod.metadata?.namespace ?? ''}/${pod.metadata?.name ?? ''}`
}
