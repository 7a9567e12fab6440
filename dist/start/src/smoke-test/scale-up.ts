import type { Deployment } from 'kubernetes-types/apps/v1.js'
import type { ContainerStatus, Node, Pod } from 'kubernetes-types/core/v1.js'
import { conditionOf } from '../kubernetes/conditions.js'
import { textField, type Manifest } from '../kubernetes/manifest.js'
import { refusedIn } from '../kubernetes/refusals.js'
import { decided, type Followed, type View } from '../kubernetes/view.js'
import { addedNodes, instanceIdOf, isRunning } from './counts.js'
import { telling } from './events.js'
import { explain } from './explain.js'
import type { KarpenterEvent } from './result.js'
import type { InstanceEnds } from './instance-states.js'
import { type InstanceGroups, type NetworkSeen, type Unreached, unreachedOf } from './network-proof.js'
import type { Step } from '../engine/resource.js'
import type { Turns } from './took.js'

export interface ScaleUp {
  /** `smoke test of NodePool default`: what errors begin with. */
  readonly subject: string
  readonly id: string
  readonly replicas: number
  readonly timeoutSeconds: number
  /** Of the Deployment and of the controller. */
  readonly namespace: string
  /** UIDs of the nodes that were there before. */
  readonly before: ReadonlySet<string>
  readonly deployments: Followed<Deployment>
  readonly pods: Followed<Pod>
  readonly nodes: Followed<Node>
  readonly claims: Followed<Manifest>
  readonly pools: Followed<Manifest>
  /** NodeClaims as last seen, by UID. */
  readonly seen: ReadonlyMap<string, Manifest>
  readonly instanceEnds: InstanceEnds
  readonly instanceGroups: InstanceGroups
  /** Instances of nodes that Karpenter did not make. */
  readonly otherInstances: () => Promise<readonly string[]>
  readonly events: () => readonly KarpenterEvent[]
  readonly turns: Turns
}

/** What image pull or start errors may take to pass, in milliseconds. */
const podPatience = 60_000
/** The same for pods that are refused by what may come up yet: a webhook, a service account. */
const refusalPatience = 30_000
/** How often a pod may give up on the network: the second time says that it is not only late. */
const proofRuns = 2
/** The same as for refusals for launches that no waiting makes possible: a quota, a right, a role. */
const launchPatience = 120_000
/** After this, and again after each such time, EC2 is asked of instances that have not joined, in milliseconds. */
const bootPatience = 30_000

/** Waits until every pod runs on a node of the test, and every such node is initialized. Throws what held it up. */
export async function awaitScaleUp(view: Pick<View, 'until'>, test: ScaleUp, step: Step): Promise<void> {
  const started = step.now()
  const forHow = { pods: since(step), refusal: since(step), launch: since(step) }
  let launched = 0
  let asked = ''
  let ends: ReadonlyMap<string, string> = new Map()
  let network: 'asked' | NetworkSeen | undefined
  const failure = () =>
    explain({
      subject: test.subject,
      seconds: Math.round((step.now() - started) / 1000),
      replicas: test.replicas,
      nodePool: test.pools.objects[0],
      refusal: refusalOf(test.deployments.objects[0]),
      pods: test.pods.objects,
      claims: test.claims.objects.length > 0 ? test.claims.objects : [...test.seen.values()],
      ends: [...ends.values()],
      network: unreachedOf(test.pods.objects) === undefined || network === 'asked' ? undefined : network,
      events: test.events(),
      namespace: test.namespace
    })
  const launchedAt = new Map<string, number>()
  /** Instances whose NodeClaims went before they joined, or that take long to: EC2 knows of their ends, and why. */
  const askForEnds = (): void => {
    const now = step.now()
    const waits = new Map(
      unjoined(test.claims.objects).map((id) => {
        const since = launchedAt.get(id) ?? now
        launchedAt.set(id, since)
        return [id, Math.floor((now - since) / bootPatience)]
      })
    )
    const late = [...waits].filter(([, times]) => times > 0)
    const ids = [...lostInstances(test), ...late.map(([id]) => id)]
    const question = [...ids, ...late.map(([, times]) => times)].join()
    if (question === asked) return
    asked = question
    // Whoever may not ask is told what is known without.
    void test.instanceEnds(ids).then(
      (found) => (ends = found),
      () => undefined
    )
  }
  /** What is on both sides, once for the first pod that does not get through. */
  const askForGroups = (unreached: Unreached): void => {
    network = 'asked'
    void groupsOf(unreached, test).then((seen) => (network = seen))
  }
  try {
    await view.until(() => {
      test.turns.to(test.claims.objects.length === 0 ? 'karpenter' : 'ec2')
      const added = addedNodes(test.nodes.objects, test.before, test.id)
      const names = new Set(added.map((node) => node.metadata?.name))
      const running = test.pods.objects.filter((pod) => isRunning(pod) && names.has(pod.spec?.nodeName))
      const ready = test.claims.objects.filter((claim) => is(claim, 'Initialized'))
      if (running.length >= test.replicas && ready.length === test.claims.objects.length)
        return decided(undefined)
      if (step.now() - started >= test.timeoutSeconds * 1000) throw failure()
      const refusal = refusalOf(test.deployments.objects[0])
      if (refusal !== undefined && isFinal(refusal)) throw failure()
      if (forHow.refusal(refusal !== undefined) >= refusalPatience) throw failure()
      if (forHow.pods(test.pods.objects.some(cannotStart)) >= podPatience) throw failure()
      const now = test.claims.objects.filter((claim) => is(claim, 'Launched')).length
      // One that came up after all shows that the others may.
      const hopeless = now <= launched && saysHopeless(test)
      launched = Math.max(launched, now)
      if (forHow.launch(hopeless) >= launchPatience) throw failure()
      askForEnds()
      if (ends.size > 0) throw failure()
      const unreached = unreachedOf(test.pods.objects)
      if (unreached !== undefined && network === undefined) askForGroups(unreached)
      if (unreached !== undefined && unreached.runs >= proofRuns && network !== 'asked') throw failure()
      step.waiting(refusal ?? progress(test, running.length, unreached))
      return undefined
    })
  } finally {
    step.waiting(undefined)
  }
}

/** Whoever may not ask EC2 is told what is known without. */
async function groupsOf(unreached: Unreached, test: ScaleUp): Promise<NetworkSeen> {
  const node = test.nodes.objects.find(({ metadata }) => metadata?.name === unreached.node)
  const instance = instanceIdOf(node, 'spec', 'providerID')
  try {
    const ids = await test.otherInstances()
    const groups = await test.instanceGroups([instance, ...ids].filter((id) => id !== ''))
    const others = ids.flatMap((id) => {
      const of = groups.get(id)
      return of === undefined ? [] : [of]
    })
    return { ...unreached, instance, groups: groups.get(instance), others }
  } catch {
    return { ...unreached, instance, groups: undefined, others: [] }
  }
}

/** Milliseconds for which something has held without a break, as it is told each time. */
function since(step: Step): (holds: boolean) => number {
  let from: number | undefined
  return (holds) => {
    from = holds ? (from ?? step.now()) : undefined
    return from === undefined ? 0 : step.now() - from
  }
}

/** What the Deployment says of pods that it may not make. */
function refusalOf(deployment: Deployment | undefined): string | undefined {
  const condition = conditionOf(deployment, 'ReplicaFailure')
  return condition?.status === 'True' ? condition.message || condition.reason : undefined
}

/** Nothing that comes up by itself takes it back. */
function isFinal(refusal: string): boolean {
  return refusedIn(refusal) !== undefined && !/failed calling webhook/.test(refusal)
}

/** By the codes of EC2's CreateFleet that stay as they are until a person does something. */
const hopelessLaunch =
  /VcpuLimitExceeded|MaxSpotInstanceCountExceeded|UnauthorizedOperation|AccessDenied|not authorized|ServiceLinkedRole/

function saysHopeless(test: ScaleUp): boolean {
  const unlaunched = [...test.seen.values()].filter((claim) => !is(claim, 'Launched'))
  return (
    unlaunched.some((claim) => hopelessLaunch.test(conditionOf(claim, 'Launched')?.message ?? '')) ||
    test
      .events()
      .some(({ object, message }) => object.startsWith('NodeClaim/') && hopelessLaunch.test(message))
  )
}

function lostInstances({ claims, seen }: ScaleUp): readonly string[] {
  const present = new Set(claims.objects.map((claim) => claim.metadata.uid ?? ''))
  return unjoined([...seen].filter(([uid]) => !present.has(uid)).map(([, claim]) => claim))
}

/** Instances of claims that have one and no node. */
function unjoined(claims: readonly Manifest[]): readonly string[] {
  return claims
    .filter((claim) => is(claim, 'Launched') && !is(claim, 'Registered'))
    .map((claim) => instanceIdOf(claim, 'status', 'providerID'))
    .filter((id) => id !== '')
}

function is(claim: Manifest, type: string): boolean {
  return conditionOf(claim, type)?.status === 'True'
}

function cannotStart(pod: Pod): boolean {
  const waiting = (one: ContainerStatus): string => one.state?.waiting?.reason ?? ''
  const { containerStatuses = [], initContainerStatuses = [] } = pod.status ?? {}
  return (
    containerStatuses.some((one) =>
      /^(ErrImage|ImagePull|InvalidImageName|CrashLoop|Create.*Error)/.test(waiting(one))
    ) ||
    // One that ends in vain has a patience of its own.
    initContainerStatuses.some((one) =>
      /^(ErrImage|ImagePull|InvalidImageName|Create.*Error)/.test(waiting(one))
    )
  )
}

/** `2 of 5 pods run; 2 NodeClaims: 2 launched, 1 registered, 0 initialized`. */
function progress(test: ScaleUp, running: number, unreached: Unreached | undefined): string {
  const claims = test.claims.objects
  const count = (type: string): number => claims.filter((claim) => is(claim, type)).length
  const nodes =
    claims.length === 0
      ? 'no NodeClaim yet'
      : `${claims.length} NodeClaims: ${count('Launched')} launched, ${count('Registered')} registered, ${count('Initialized')} initialized`
  const last = telling(test.events()).at(-1)
  const said =
    running === 0 && claims.length === 0 && last !== undefined ? ` (${last.reason}: ${last.message})` : ''
  const held = claims
    .map((claim) => textField(conditionOf(claim, 'Launched'), 'message'))
    .find((text) => text !== undefined && text !== '')
  return `${running} of ${test.replicas} pods run; ${nodes}${said}${held === undefined || count('Launched') > 0 ? '' : `: ${held}`}${unreached === undefined ? '' : `; pod ${unreached.pod} on ${unreached.node} does not reach the API server yet: ${unreached.message}`}`
}
