import type { Pod } from 'kubernetes-types/core/v1.js'
import { type Ailment, type Health, type Look, type Unread, well } from '../../engine/health.js'
import { conditionOf, describe } from '../../kubernetes/conditions.js'
import type { Kubernetes } from '../../kubernetes/client.js'
import { KubernetesError } from '../../kubernetes/errors.js'
import { deployments, leases, pods } from '../../kubernetes/kinds.js'
import { field, listField, textField } from '../../kubernetes/manifest.js'
import { controllerFix } from './controller-failure.js'
import { fullName, progressOf, type Rollout } from './controller-rollout.js'
import { newestPods, patience, podFix, restartsThatPass, textOf, troubleOf } from './pod-trouble.js'

/** Karpenter's own name for it, in the namespace of its pods (pkg/operator/options of 1.0 to 1.9; the chart's Role has it fixed). */
const leaseName = 'karpenter-leader-election'
/**
 * Milliseconds after which a Lease that was not renewed is looked at again. controller-runtime's leader renews it every 2 s,
 * and loses it after 15 s.
 */
const leaseAge = 60_000
/** Milliseconds between looks at a Deployment that is not whole. */
const pace = 3_000
/** Between the two looks: it must have been renewed several times. */
const leaseLook = 20_000
/** Of a pod that works again: crashes that are older are nobody's trouble now. */
const recent = 3_600_000
const day = 86_400_000

/** Whether the controller runs: its Deployment, its pods, and whoever of them leads. */
export async function controllerHealth(
  kubernetes: Kubernetes,
  rollout: Rollout,
  known: {
    /** As it was read; undefined where the release does not say which objects it has. */
    readonly deployment: unknown
    /** Its pods, as whoever else looks at them has read them. */
    readonly pods: (() => Promise<readonly Pod[]>) | undefined
  },
  look: Look
): Promise<Health> {
  const within = kubernetes.within(look.signal)
  const name = fullName(rollout.release, rollout.values)
  const { namespace, release } = rollout
  const readPods = async (): Promise<readonly Pod[] | Unread> =>
    within
      .list(pods, { namespace, labelSelector: `app.kubernetes.io/instance=${release}` })
      .then(({ items }) => items, deniedOr)
  const readDeployment = async (): Promise<unknown> => within.get(deployments, name, namespace)
  const [deployment, first] = await Promise.all([
    known.deployment === undefined ? readDeployment() : Promise.resolve(known.deployment),
    known.pods === undefined ? readPods() : known.pods().catch(deniedOr)
  ])
  // That it is not there is a difference of the release.
  if (deployment === undefined) return well
  // Whoever else looks at them says that they cannot be read.
  const unread = 'missingPermission' in first && known.pods === undefined ? [first] : []
  if (field(deployment, 'spec', 'replicas') === 0)
    return { ailments: [scaledToNone(namespace, name)], unread }
  let now: readonly [unknown, readonly Pod[] | Unread] = [deployment, first]
  // A pod that has just moved to another node is no trouble; one that is still not there is.
  for (let waited = 0; !progressOf(now[0]).done; waited += pace) {
    const [live, running] = now
    const found = 'missingPermission' in running ? [] : running
    if (
      waited >= patience ||
      newestPods(found)
        .flatMap(troubleOf)
        .some(({ final }) => final)
    )
      return { ailments: [unavailable(rollout, name, live, found)], unread }
    await look.pause(pace)
    now = await Promise.all([readDeployment(), readPods()])
  }
  const leading = leads(deployment) ? await leaseHealth(within, namespace, look) : well
  const restarts = 'missingPermission' in first ? [] : first.flatMap((pod) => restarted(pod, look.now()))
  return { ailments: [...restarts, ...leading.ailments], unread: [...unread, ...leading.unread] }
}

function deniedOr(error: unknown): Unread {
  if (error instanceof KubernetesError && error.permission !== undefined)
    return { reason: error.message, missingPermission: error.permission }
  throw error
}

function scaledToNone(namespace: string, name: string): Ailment {
  return {
    path: `Deployment/${name}.spec.replicas`,
    wanted: 'at least 1',
    live: 0,
    reason: `Deployment ${namespace}/${name} is scaled to 0: no controller runs`,
    severity: 'breaks scaling',
    fix: `Scale it up: kubectl -n ${namespace} scale deployment ${name} --replicas=2`
  }
}

function unavailable(rollout: Rollout, name: string, deployment: unknown, found: readonly Pod[]): Ailment {
  const { namespace } = rollout
  const progress = progressOf(deployment).text
  const [trouble] = newestPods(found).flatMap((pod) => troubleOf(pod))
  const [stalled, refused] = ['Progressing', 'ReplicaFailure'].map((type) => conditionOf(deployment, type))
  const wrong = refused?.status === 'True' ? refused : stalled?.status === 'False' ? stalled : undefined
  const { initContainerStatuses = [], containerStatuses = [] } =
    found.find((pod) => pod.metadata?.name === trouble?.pod)?.status ?? {}
  const container = [...initContainerStatuses, ...containerStatuses].find(
    ({ name: one }) => one === trouble?.container
  )
  const crash = trouble?.kind === 'crash' ? crashText(container) : ''
  const ended = [container?.state, container?.lastState].map((state) => state?.terminated?.reason)
  const said =
    trouble !== undefined
      ? `; Pod ${trouble.pod} ${textOf(trouble)}${crash}`
      : wrong === undefined
        ? ''
        : `; ${describe(wrong)}`
  return {
    path: `Deployment/${name}.status.availableReplicas`,
    wanted: 'every replica available',
    live: progress,
    reason: `Deployment ${namespace}/${name}: ${progress}${said}`,
    severity: 'breaks scaling',
    install:
      trouble?.kind === 'crash'
        ? 'start the pod afresh, and fail if it crashes again'
        : 'wait for it, and fail with the same reason',
    fix: ended.includes('OOMKilled')
      ? controllerFix('OOMKilled')
      : podFix(trouble?.kind ?? 'deployment', rollout, trouble?.pod ?? '')
  }
}

/** `; restarted 7 times, last ended with exit code 1 (Error)`. */
function crashText(container: unknown): string {
  const ended = field(container, 'lastState', 'terminated')
  const [code, count] = [field(ended, 'exitCode'), field(container, 'restartCount')]
  const times = typeof count === 'number' ? `; restarted ${count} times` : ''
  const reason = textField(ended, 'reason')
  if (typeof code !== 'number') return times
  return `${times}, last ended with exit code ${code}${reason === undefined ? '' : ` (${reason})`}`
}

/** A pod that is ready at this moment and was not shortly before, again and again. */
function restarted(pod: Pod, now: number): readonly Ailment[] {
  const name = pod.metadata?.name ?? ''
  const age = now - Date.parse(textField(pod, 'metadata', 'creationTimestamp') ?? '')
  return listField(pod, 'status', 'containerStatuses').flatMap((container): readonly Ailment[] => {
    const count = field(container, 'restartCount')
    const ended = Date.parse(textField(container, 'lastState', 'terminated', 'finishedAt') ?? '')
    if (typeof count !== 'number' || count < restartsThatPass || now - ended > recent) return []
    // A leader that loses its Lease ends as well, now and then: once a day over its life is no trouble.
    if (Number.isNaN(ended) || age / count > day) return []
    const reason = textField(container, 'lastState', 'terminated', 'reason') ?? ''
    return [
      {
        path: `Pod/${name}.status.containerStatuses[${textField(container, 'name') ?? ''}].restartCount`,
        wanted: 0,
        live: count,
        reason: `Pod ${name} works at the moment${crashText(container)} at ${new Date(ended).toISOString()}`,
        severity: 'breaks scaling',
        fix: controllerFix(reason)
      }
    ]
  })
}

/** Leader election is on unless the pod says otherwise (DISABLE_LEADER_ELECTION), and under its own name. */
function leads(deployment: unknown): boolean {
  const containers = listField(deployment, 'spec', 'template', 'spec', 'containers')
  const variables = containers.flatMap((container) => listField(container, 'env'))
  return !variables.some((one) =>
    /^(DISABLE_)?LEADER_ELECTION(_NAME|_NAMESPACE)?$/.test(textField(one, 'name') ?? '')
  )
}

/** By two looks, of which the second compares nobody's clock with ours. */
async function leaseHealth(kubernetes: Kubernetes, namespace: string, look: Look): Promise<Health> {
  const read = async (): Promise<unknown> => kubernetes.get(leases, leaseName, namespace).catch(deniedOr)
  const first = await read()
  if (isUnread(first)) return { ailments: [], unread: [first] }
  const renewed = (lease: unknown): string => textField(lease, 'spec', 'renewTime') ?? ''
  if (look.now() - Date.parse(renewed(first)) <= leaseAge) return well
  await look.pause(leaseLook)
  const second = await read()
  if (renewed(second) !== renewed(first)) return well
  const holder = textField(second, 'spec', 'holderIdentity') ?? ''
  const who = holder === '' ? 'nobody leads' : `${holder} leads by name`
  return {
    ailments: [
      {
        path: `Lease/${leaseName}.spec.renewTime`,
        wanted: 'renewed every few seconds',
        live: renewed(second) === '' ? undefined : renewed(second),
        reason:
          renewed(second) === ''
            ? `Lease ${namespace}/${leaseName} was never renewed: no controller leads`
            : `Lease ${namespace}/${leaseName} was last renewed at ${renewed(second)}: ${who}, and no controller works`,
        severity: 'breaks scaling',
        fix: `Look at the controller, and start it afresh: kubectl -n ${namespace} logs -l app.kubernetes.io/name=karpenter; kubectl -n ${namespace} rollout restart deployment -l app.kubernetes.io/name=karpenter`
      }
    ],
    unread: []
  }
}

function isUnread(value: unknown): value is Unread {
  return textField(value, 'missingPermission') !== undefined
}
