import type { Pod } from 'kubernetes-types/core/v1.js'
import { UserError } from '../../engine/errors.js'
import type { Step } from '../../engine/resource.js'
import { conditionOf } from '../../kubernetes/conditions.js'
import type { Kubernetes } from '../../kubernetes/client.js'
import { deployments, events, pods } from '../../kubernetes/kinds.js'
import { field, textField } from '../../kubernetes/manifest.js'
import { type Decision, decided, View } from '../../kubernetes/view.js'
import { controllerFix, lastWords } from './controller-failure.js'
import { otherIdentity, strategyOf, type WantedIdentity } from './controller-identity.js'
import {
  hashOf,
  newestPods,
  patienceWith,
  podFix,
  saidOf,
  textOf,
  type Trouble,
  troubleOf
} from './pod-trouble.js'

export interface Rollout {
  readonly release: string
  readonly namespace: string
  readonly values: Readonly<Record<string, unknown>>
  /** New pods that were admitted without it are made anew; undefined where nothing is known of it. */
  readonly identity?: WantedIdentity
}

/**
 * Milliseconds between pods that are made anew because EKS's webhook gave them no identity, and in all: its cache follows a
 * new association by 5 to 10 s (eks-pod-identity-agent#52).
 */
export const pausesForIdentity = { each: 5_000, atMost: 120_000 } as const

/** The controller did not become available; why, and what to do. */
export class RolloutError extends UserError {
  /** `pod-template-hash` of the pods that failed; undefined when there were none. */
  readonly template: string | undefined
  constructor(
    subject: string,
    problem: string,
    fix: string,
    options: { readonly state: string; readonly template: string | undefined }
  ) {
    super(subject, problem, fix, { state: options.state })
    this.name = 'RolloutError'
    this.template = options.template
  }
}

/** As the chart names its Deployment and ServiceAccount (`karpenter.fullname`). */
export function fullName(release: string, values: Readonly<Record<string, unknown>>): string {
  const full = textField(values, 'fullnameOverride')
  if (full !== undefined && full !== '') return full.slice(0, 63)
  const name = textField(values, 'nameOverride') || 'karpenter'
  return (release.includes(name) ? release : `${release}-${name}`).slice(0, 63).replace(/-$/, '')
}

/**
 * Waits until every replica is updated and available. Throws a RolloutError with a pod's own reason when it cannot get
 * there.
 */
export async function awaitRollout(
  kubernetes: Kubernetes,
  rollout: Rollout,
  /** The Deployment as it was read, when nothing was applied since: all well with it saves every request. */
  known: unknown,
  step: Step,
  /** `pod-template-hash` of pods that are not waited for: their template was rolled back. */
  abandoned?: string
): Promise<void> {
  const name = fullName(rollout.release, rollout.values)
  const { namespace } = rollout
  if (progressOf(known).done) return
  const view = new View(kubernetes, step.signal)
  const within = kubernetes.within(step.signal)
  try {
    const [deployment, running] = await Promise.all([
      view.follow(deployments, { namespace, fieldSelector: `metadata.name=${name}` }),
      view.follow(pods, { namespace, labelSelector: `app.kubernetes.io/instance=${rollout.release}` })
    ])
    const awaited = (): readonly Pod[] => running.objects.filter((pod) => hashOf(pod) !== abandoned)
    const gone = new Set(await startAfresh(within, namespace, awaited(), step))
    const newest = (): readonly Pod[] =>
      newestPods(awaited()).filter((pod) => !gone.has(pod.metadata?.name ?? ''))
    const failing = failureOf(
      () => ({ deployment: deployment.objects[0], all: running.objects, newest: newest() }),
      {
        name: `${namespace}/${name}`,
        step
      }
    )
    let began: number | undefined
    while (true) {
      const failure = await view.until<Failure | { readonly bare: readonly Pod[] } | undefined>(() => {
        const bare = newest().filter((pod) => isBare(pod, rollout.identity))
        return bare.length > 0 ? decided({ bare }) : failing()
      })
      if (failure === undefined) return
      if (!('bare' in failure)) {
        const failed = running.objects.find((pod) => pod.metadata?.name === failure.pod)
        throw await explained(kubernetes, rollout, failure, failed && hashOf(failed), step)
      }
      began ??= step.now()
      await makeAnew(within, rollout, { bare: failure.bare, began }, step)
      for (const { metadata } of failure.bare) gone.add(metadata?.name ?? '')
    }
  } finally {
    step.waiting(undefined)
    await view.close()
  }
}

interface Standing {
  readonly deployment: unknown
  readonly all: readonly Pod[]
  /** Those that are waited for. */
  readonly newest: readonly Pod[]
}

type Failure = Trouble & { readonly progress: string }

/** Asked again and again: nothing yet, all well, or what no waiting helps. Tells what is waited for. */
function failureOf(
  look: () => Standing,
  { name, step }: { readonly name: string; readonly step: Step }
): () => Decision<Failure | undefined> {
  const since = new Map<string, number>()
  return () => {
    const { deployment, all, newest } = look()
    const progress = progressOf(deployment)
    if (progress.done) return decided(undefined)
    const found = newest.flatMap((pod) => troubleOf(pod))
    // A new pod that cannot start keeps the old ones alive, and they keep the next new one off their nodes.
    const own = found.filter((one) => one.kind !== 'unschedulable')
    const troubles = own.length > 0 ? own : found
    const leaving = all.some((pod) => pod.metadata?.deletionTimestamp !== undefined)
    const lasting = troubles.find((one) => {
      const key = `${one.pod} ${one.kind}`
      const first = since.get(key) ?? step.now()
      since.set(key, first)
      return one.final || step.now() - first >= patienceWith(one.kind, leaving)
    })
    if (lasting !== undefined) return decided({ ...lasting, progress: progress.text })
    const stalled = conditionOf(deployment, 'Progressing')
    const refused = conditionOf(deployment, 'ReplicaFailure')
    const wrong = refused?.status === 'True' ? refused : stalled?.status === 'False' ? stalled : undefined
    if (wrong !== undefined && progress.seen) {
      const trouble: Trouble = {
        pod: '',
        kind: 'deployment',
        reason: wrong.reason,
        message: wrong.message,
        final: true
      }
      return decided({ ...trouble, progress: progress.text })
    }
    const first = troubles[0]
    step.waiting(`Deployment ${name}: ${progress.text}${first === undefined ? '' : `, ${saidOf(first)}`}`)
    return undefined
  }
}

/** Whether a pod has no credentials, or crashes with those of another identity, which may be dead: it gets no better. */
function isBare(pod: Pod, identity: WantedIdentity | undefined): boolean {
  if (identity === undefined || otherIdentity(pod, identity) === undefined) return false
  return strategyOf(pod) === undefined || troubleOf(pod).some(({ kind }) => kind === 'crash')
}

/** Of pods that were admitted without the AWS credentials they need: a pod has those that it was started with, or never any. */
async function makeAnew(
  kubernetes: Kubernetes,
  rollout: Rollout,
  { bare, began }: { readonly bare: readonly Pod[]; readonly began: number },
  step: Step
): Promise<void> {
  const [first] = bare
  if (first !== undefined && step.now() - began > pausesForIdentity.atMost) throw notGiven(rollout, first)
  step.waiting('EKS to give new pods of the controller their AWS credentials')
  await step.pause(pausesForIdentity.each)
  for (const pod of bare) {
    const name = pod.metadata?.name ?? ''
    await kubernetes.delete(pods, { name, namespace: rollout.namespace })
    const had = (rollout.identity && otherIdentity(pod, rollout.identity)) ?? 'no AWS credentials'
    step.changed(`made pod ${name} anew, which EKS had started with ${had}`)
  }
}

/** Two minutes of new pods, and none has what it is to have. */
export function notGiven(rollout: Rollout, pod: Pod): RolloutError {
  const { namespace, release } = rollout
  return new RolloutError(
    `Deployment ${namespace}/${fullName(release, rollout.values)}`,
    `pod ${pod.metadata?.name ?? ''} was started with ${strategyOf(pod) === undefined ? 'no AWS credentials' : 'those of another identity'}, as each one in the two minutes before: EKS's webhook puts them into a pod when it is made`,
    `See that the webhook works, and that the association or the annotation of the service account is there, then run again: kubectl get mutatingwebhookconfigurations pod-identity-webhook; kubectl -n ${namespace} get serviceaccount karpenter -o yaml`,
    { state: 'The release is installed. Nothing was rolled back.', template: hashOf(pod) }
  )
}

/**
 * Deletes pods that crash since before this run: what it has put right shows in new ones at once, in those after up to
 * five minutes of back-off. Their names are returned.
 */
async function startAfresh(
  kubernetes: Kubernetes,
  namespace: string,
  found: readonly Pod[],
  step: Step
): Promise<ReadonlySet<string>> {
  const crashing = newestPods(found).filter((pod) =>
    troubleOf(pod).some((trouble) => trouble.kind === 'crash' && trouble.final)
  )
  const names = crashing.map((pod) => pod.metadata?.name ?? '')
  for (const name of names) {
    await kubernetes.delete(pods, { name, namespace })
    step.changed(`deleted pod ${name}, which kept crashing before this run, so that it starts afresh`)
  }
  return new Set(names)
}

/** How far a Deployment is with what its spec says now. */
export function progressOf(deployment: unknown): {
  readonly done: boolean
  /** The status is of the spec as it is now. */
  readonly seen: boolean
  readonly text: string
} {
  if (deployment === undefined) return { done: false, seen: false, text: 'not there yet' }
  const number = (...path: string[]): number => {
    const value = field(deployment, ...path)
    return typeof value === 'number' ? value : 0
  }
  const replicas = field(deployment, 'spec', 'replicas')
  const wanted = typeof replicas === 'number' ? replicas : 1
  const updated = number('status', 'updatedReplicas')
  const available = number('status', 'availableReplicas')
  const seen = number('status', 'observedGeneration') >= number('metadata', 'generation')
  const done = seen && updated >= wanted && available >= wanted && number('status', 'replicas') <= updated
  return { done, seen, text: `${seen ? Math.min(updated, available) : 0} of ${wanted} pods are available` }
}

/** The error, with what only a further read can tell: the log of the container that ended, the pod's events. */
async function explained(
  kubernetes: Kubernetes,
  rollout: Rollout,
  trouble: Trouble & { readonly progress: string },
  template: string | undefined,
  step: Step
): Promise<RolloutError> {
  const within = kubernetes.within(step.signal)
  const subject = `Deployment ${rollout.namespace}/${fullName(rollout.release, rollout.values)}`
  const where = trouble.pod === '' ? '' : ` Pod ${trouble.pod}`
  const state = `The release is installed; ${trouble.progress}. Nothing was rolled back.`
  if (trouble.kind === 'crash') {
    const log = await lastLog(within, rollout.namespace, trouble)
    return new RolloutError(
      subject,
      `${trouble.progress};${where} crashes again and again. Its last words:\n${lastWords(log)}`,
      controllerFix(log),
      { state, template }
    )
  }
  const message = textOf(trouble)
  const warnings = trouble.pod === '' ? '' : await warningsOf(within, rollout.namespace, trouble.pod, message)
  const silent = trouble.kind === 'stuck' && warnings === ''
  const said = silent ? `\n${lastWords(await lastLog(within, rollout.namespace, trouble))}` : warnings
  return new RolloutError(
    subject,
    `${trouble.progress};${where} ${message}${said}`,
    podFix(trouble.kind, rollout, trouble.pod),
    {
      state,
      template
    }
  )
}

async function lastLog(kubernetes: Kubernetes, namespace: string, trouble: Trouble): Promise<string> {
  const pod = { name: trouble.pod, namespace }
  const options = { ...(trouble.container !== undefined && { container: trouble.container }), tailLines: 20 }
  for (const previous of [true, false]) {
    try {
      const text = (await kubernetes.log(pod, { ...options, previous })).trim()
      if (text !== '') return text
    } catch {
      // The container may be gone from its node, or running again: the other log is as good.
    }
  }
  return 'its log is empty'
}

async function warningsOf(
  kubernetes: Kubernetes,
  namespace: string,
  pod: string,
  said: string
): Promise<string> {
  try {
    const found = await kubernetes.list(events, {
      namespace,
      fieldSelector: `involvedObject.kind=Pod,involvedObject.name=${pod},type=Warning`
    })
    const texts = new Set(
      found.items.map((event) => event.message ?? '').filter((text) => text !== '' && !said.includes(text))
    )
    return [...texts]
      .slice(-3)
      .map((text) => `\n  ${text}`)
      .join('')
  } catch {
    // Events are an extra; the reason itself is known.
    return ''
  }
}
